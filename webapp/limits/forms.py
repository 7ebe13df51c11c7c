"""What an administrator may set for one person; an empty field leaves the site's limit in force."""

from __future__ import annotations

from django import forms

from webapp.limits import allowed
from webapp.limits.models import Quota


class QuotaForm(forms.ModelForm):
    class Meta:
        model = Quota
        fields = allowed.NAMES

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        for name, limit in vars(allowed.of_site()).items():
            self.fields[name].widget.attrs["placeholder"] = f"{limit:,}"
