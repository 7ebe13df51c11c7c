"""What the audit log can be searched by."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from webapp.audit.models import Action


def _day(label: str) -> forms.DateField:
    return forms.DateField(label=label, required=False, widget=forms.DateInput(attrs={"type": "date"}))


class SearchForm(forms.Form):
    q = forms.CharField(label=_("Name, thing, address or request"), max_length=200, required=False,
                        widget=forms.TextInput(attrs={"type": "search"}))
    action = forms.ChoiceField(label=_("What was done"), choices=[("", _("anything")), *Action.choices],
                               required=False)
    since = _day(_("From"))
    until = _day(_("To"))
