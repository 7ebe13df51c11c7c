"""What an administrator has set for one person, in the place of the site's own limits."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from webapp.accounts.models import User

NUMBER = {"null": True, "blank": True, "validators": [MinValueValidator(1)]}


class Quota(models.Model):
    """A field that is empty leaves the site's limit in force."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="quota")
    requests_per_minute = models.PositiveIntegerField(_("requests a minute"), **NUMBER)
    tokens_per_day = models.PositiveIntegerField(_("tokens a day"), **NUMBER)
    at_once = models.PositiveIntegerField(_("answers at once"), **NUMBER)
    jobs_per_day = models.PositiveIntegerField(_("jobs a day"), **NUMBER)
