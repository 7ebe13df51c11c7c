"""Who uses the site: users with one role each, their API keys, browsers and one-time links."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """Each role may do all that the one before it may."""

    GUEST = "guest", _("Guest")
    USER = "user", _("User")
    EDITOR = "editor", _("Editor")
    ADMIN = "admin", _("Administrator")


class Scope(models.TextChoices):
    """What an API key may be used for, within what its user's role allows."""

    ANSWERS = "answers", _("Ask questions, chat, and write with the models")
    WRITING = "writing", _("Summarize and translate")
    READ = "documents.read", _("Read collections and documents")
    WRITE = "documents.write", _("Change collections and documents")
    MODELS = "models", _("Data sets, jobs, evaluations and models")
    ACCOUNT = "account", _("See the use of the account, make and delete API keys")


class User(AbstractUser):
    """A person, or a guest's browser session (role guest, no password)."""

    via_key: ApiKey | None = None
    """The API key with which this person came in; None in a browser. Not a column: it is of one request."""

    role = models.CharField(max_length=10, choices=Role.choices, default=Role.USER)
    language = models.CharField(max_length=10, blank=True, default="")

    @property
    def is_guest(self) -> bool:
        return self.role == Role.GUEST

    def at_least(self, role: Role) -> bool:
        """Whether this user's role reaches `role`."""
        order = list(Role.values)
        return self.is_active and order.index(self.role) >= order.index(role)


def all_scopes() -> list[str]:
    return list(Scope.values)


class ApiKey(models.Model):
    """A program's key. Only its SHA-256 is kept; the key itself is shown once."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=12, help_text="its first characters, to recognise it by")
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=all_scopes)
    requests_per_minute = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text="of this key alone; none when empty")
    tokens_per_day = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text="of this key alone; none when empty")
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    @property
    def scope_labels(self) -> list[str]:
        """What it may be used for, as a person reads it; empty when that is everything."""
        return [] if set(self.scopes) >= set(Scope.values) else [
            str(Scope(scope).label) for scope in self.scopes if scope in Scope.values]

    @property
    def has_ended(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()


class LinkPurpose(models.TextChoices):
    INVITE = "invite", _("Invitation")
    RESET = "reset", _("New password")


class OneTimeLink(models.Model):
    """An address that works once and for a while: it makes an account or sets a password. Only its digest is kept."""

    purpose = models.CharField(max_length=10, choices=LinkPurpose.choices)
    digest = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="links",
                             help_text="whose password is set; none for an invitation")
    role = models.CharField(max_length=10, choices=Role.choices, blank=True, default="",
                            help_text="of the account that an invitation makes")
    note = models.CharField(max_length=150, blank=True, default="", help_text="for whom an invitation is")
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at"]


class SignedInBrowser(models.Model):
    """A browser that someone is signed in with: what they see of it, and the session that ends with it."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="browsers")
    session_key = models.CharField(max_length=40, unique=True)
    address = models.CharField(max_length=45, blank=True, default="")
    agent = models.CharField(max_length=300, blank=True, default="")
    signed_in_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-seen_at"]

    @property
    def name(self) -> str:
        """Such as "Firefox, Android", as far as the browser says so; else what it says of itself."""
        browser = next((name for mark, name in _BROWSERS if mark in self.agent), "")
        system = next((name for mark, name in _SYSTEMS if mark in self.agent), "")
        return ", ".join(filter(None, (browser, system))) or self.agent[:60]


# The first that fits counts: most browsers also name those that they descend from.
_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"), ("Chrom", "Chrome"),
             ("CriOS/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
            ("Macintosh", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"))


class EndedAccess(models.Model):
    """Someone's access ended or changed: each web process closes the sockets that it concerns.

    `session_key` is empty when it concerns all of the user's sockets. Not a foreign key: the user may be deleted.
    """

    user_id = models.BigIntegerField()
    session_key = models.CharField(max_length=40, blank=True, default="")
    at = models.DateTimeField(auto_now_add=True)
