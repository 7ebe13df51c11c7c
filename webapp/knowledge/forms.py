"""The form of a collection: for making one and for changing it."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from webapp.knowledge.models import Visibility


class CollectionForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120)
    description = forms.CharField(label=_("What it holds (optional)"), max_length=2000, required=False)
    visibility = forms.ChoiceField(label=_("Who may read and ask it"), choices=Visibility.choices,
                                   initial=Visibility.PRIVATE)
