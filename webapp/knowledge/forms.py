"""The forms of a collection: for making one, for changing it, and for sharing it."""

from __future__ import annotations

from django import forms
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from webapp.knowledge.models import Visibility


class CollectionForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120)
    description = forms.CharField(label=_("What it holds (optional)"), max_length=2000, required=False)
    visibility = forms.ChoiceField(label=_("Who may read and ask it"), choices=Visibility.choices,
                                   initial=Visibility.PRIVATE)


class ShareForm(forms.Form):
    """With one person, by their user name, or with one group."""

    username = forms.CharField(label=_("User name"), max_length=150, required=False,
                               widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}))
    group = forms.ModelChoiceField(label=_("or a group"), queryset=Group.objects.none(), required=False,
                                   empty_label=_("no group"))
    may_edit = forms.BooleanField(label=_("may also add and delete documents"), required=False)

    def __init__(self, *arguments: object, groups: QuerySet[Group], **options: object) -> None:
        super().__init__(*arguments, **options)
        self.fields["group"].queryset = groups

    def clean(self) -> dict:
        cleaned = super().clean()
        if not self.errors and bool(cleaned.get("username", "").strip()) == bool(cleaned.get("group")):
            self.add_error("username", _("Write a user name or choose a group."))
        return cleaned
