"""Who uses the site: users with one role each, and their API keys."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """Each role may do all that the one before it may."""

    GUEST = "guest", _("Guest")
    USER = "user", _("User")
    EDITOR = "editor", _("Editor")
    ADMIN = "admin", _("Administrator")


class User(AbstractUser):
    """A person, or a guest's browser session (role guest, no password)."""

    role = models.CharField(max_length=10, choices=Role.choices, default=Role.USER)
    language = models.CharField(max_length=10, blank=True, default="")

    @property
    def is_guest(self) -> bool:
        return self.role == Role.GUEST

    def at_least(self, role: Role) -> bool:
        """Whether this user's role reaches `role`."""
        order = list(Role.values)
        return self.is_active and order.index(self.role) >= order.index(role)


class ApiKey(models.Model):
    """A program's key. Only its SHA-256 is kept; the key itself is shown once."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=12, help_text="its first characters, to recognise it by")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
