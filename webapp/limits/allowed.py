"""What a person or a key may use: the site's limits, unless an administrator has set others for the person."""

from __future__ import annotations

from dataclasses import dataclass, fields

from django.conf import settings
from django.contrib.auth.models import AnonymousUser

from webapp.accounts.models import User
from webapp.limits.models import Quota


@dataclass(frozen=True)
class Allowed:
    requests_per_minute: int
    tokens_per_day: int
    at_once: int
    jobs_per_day: int


NAMES = tuple(field.name for field in fields(Allowed))


def of_site() -> Allowed:
    return Allowed(**settings.LIMITS)


def of(user: User | AnonymousUser) -> Allowed:
    quota = Quota.objects.filter(user=user.pk).first() if user.is_authenticated else None
    own = {name: getattr(quota, name) for name in NAMES if getattr(quota, name, None) is not None}
    return Allowed(**{**settings.LIMITS, **own})
