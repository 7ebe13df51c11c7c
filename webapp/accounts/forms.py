"""The account pages' forms: they check what was typed; `services.py` does the rest."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from webapp.accounts import guessing
from webapp.accounts.models import Role, Scope, User
from webapp.errors import Busy


def _refuse_guesses(username: str, *, failed_now: int = 0) -> None:
    try:
        guessing.check(username, failed_now=failed_now)
    except Busy as error:
        raise forms.ValidationError(error.message, code=error.code) from None


class SignInForm(AuthenticationForm):
    """Django's own: user name and password, with its generic error; refused while too many tries failed."""

    def clean(self) -> dict:
        name = self.cleaned_data.get("username") or ""
        _refuse_guesses(name)
        # Once more when the password has been looked at: tries that came at the same moment have failed since, and
        # what is answered to a try too many must not tell whether it was right.
        try:
            cleaned = super().clean()
        except forms.ValidationError:
            _refuse_guesses(name, failed_now=1)
            raise
        _refuse_guesses(name)
        return cleaned

    @property
    def is_refused(self) -> bool:
        return self.has_error("__all__", Busy.code)


class NewPasswordForm(forms.Form):
    """A new password, twice; whether it is good enough is the services' business."""

    password = forms.CharField(label=_("New password"), strip=False,
                               widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}))
    password_again = forms.CharField(label=_("New password again"), strip=False,
                                     widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}))

    def clean(self) -> dict:
        cleaned = super().clean()
        if cleaned.get("password") and cleaned.get("password") != cleaned.get("password_again"):
            self.add_error("password_again", _("The two passwords differ."))
        return cleaned


class CurrentPassword(forms.Form):
    """Whoever is signed in shows that it is them."""

    current = forms.CharField(label=_("Your password now"), strip=False,
                              widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}))

    def __init__(self, *arguments: object, user: User, **options: object) -> None:
        super().__init__(*arguments, **options)
        self.user = user

    def clean_current(self) -> str:
        _refuse_guesses(self.user.username)
        is_right = self.user.check_password(self.cleaned_data["current"])
        if not is_right:
            guessing.note_failure({"username": self.user.username})
        _refuse_guesses(self.user.username, failed_now=0 if is_right else 1)
        if not is_right:
            raise forms.ValidationError(_("This is not your password."))
        return self.cleaned_data["current"]


class ChangePasswordForm(CurrentPassword, NewPasswordForm):
    field_order = ["current", "password", "password_again"]


class ForgottenPasswordForm(forms.Form):
    name = forms.CharField(label=_("User name or e-mail address"), max_length=254,
                           widget=forms.TextInput(attrs={"autocomplete": "username", "autofocus": True}))


class SignUpForm(NewPasswordForm):
    """For signing up, for invitations and for making the first administrator."""

    username = forms.CharField(label=_("User name"), max_length=150,
                               widget=forms.TextInput(attrs={"autocomplete": "username", "autofocus": True}))

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)
        self.fields["password"].label, self.fields["password_again"].label = _("Password"), _("Password again")


class LanguageForm(forms.Form):
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)


class ProfileForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ["first_name", "last_name", "email"]


class ApiKeyForm(forms.Form):
    name = forms.CharField(label=_("What the key is for"), max_length=100)
    scopes = forms.MultipleChoiceField(label=_("What it may do"), choices=Scope.choices, initial=Scope.values,
                                       widget=forms.CheckboxSelectMultiple)
    days = forms.TypedChoiceField(label=_("It ends"), required=False, coerce=int, empty_value=None, choices=[
        ("", _("never")), (30, _("in 30 days")), (90, _("in 90 days")), (365, _("in a year"))])

    def values(self) -> dict:
        """As `services.create_api_key` takes them."""
        days = self.cleaned_data["days"]
        return {"name": self.cleaned_data["name"], "scopes": self.cleaned_data["scopes"],
                "expires_at": timezone.now() + timedelta(days=days) if days else None}


class InvitationForm(forms.Form):
    note = forms.CharField(label=_("For whom (a note for you)"), max_length=150, required=False)
    role = forms.ChoiceField(label=_("Role"), choices=[choice for choice in Role.choices if choice[0] != Role.GUEST])
