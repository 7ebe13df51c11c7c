"""Sign-in that resists guessing: after too many failures it is refused for a while, before a password is looked at.

What counts are the failures in the audit log, so that all web processes count together and a restart forgets nothing.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from django.contrib.auth.signals import user_login_failed
from django.db.models import Max
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext as _

from webapp.accounts.models import User
from webapp.audit import origin
from webapp.audit.models import Action, Entry
from webapp.audit.services import record
from webapp.errors import Busy

WINDOW = timedelta(minutes=15)
OF_ONE_NAME_FROM_ONE_ADDRESS = 5
OF_ONE_ADDRESS = 30
"""Whatever names are tried; an office behind one address stays below."""
OF_ONE_NAME = 100
"""From whatever addresses; so high that others can hardly keep someone out."""


def check(username: str, *, failed_now: int = 0) -> None:
    """Raise Busy when too many tries failed of late: of this name, or from the address of this request.

    Whoever showed from here of late that they have the password is held up by what failed since, not by others.

    Args:
        failed_now: tries of this request itself, which are written down already and do not count.
    """
    failures = Entry.objects.filter(action=Action.SIGN_IN_FAILED, at__gt=timezone.now() - WINDOW)
    of_name = failures.filter(subject=_noted(username))
    known_good = Entry.objects.filter(
        action__in=(Action.SIGNED_IN, Action.PASSWORD_CHANGED), subject=username.strip(), address=origin.address(),
        at__gt=timezone.now() - WINDOW,
    ).aggregate(last=Max("at"))["last"]
    here = of_name.filter(address=origin.address())
    if known_good is not None:
        counts = [(here.filter(at__gt=known_good), OF_ONE_NAME_FROM_ONE_ADDRESS)]
    else:
        counts = [(here, OF_ONE_NAME_FROM_ONE_ADDRESS), (of_name, OF_ONE_NAME),
                  (failures.filter(address=origin.address()), OF_ONE_ADDRESS)]
    if any(found.count() - failed_now >= most for found, most in counts):
        raise Busy(_("Too many tries failed. Wait a quarter of an hour, or ask an administrator for a link "
                     "with which you set a new password."))


@receiver(user_login_failed)
def note_failure(credentials: dict[str, Any], **_rest: Any) -> None:
    record(Action.SIGN_IN_FAILED, _noted(credentials.get("username") or ""))


def _noted(username: str) -> str:
    """The name as it is written down. One that nobody has may be a password in the wrong field: its digest is."""
    name = username.strip()
    if User.objects.filter(username=name).exists():
        return name
    return "unknown name " + hashlib.sha256(name.encode()).hexdigest()[:12]
