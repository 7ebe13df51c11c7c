"""Writing to the audit log, and finding in it."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from models_service import trace
from webapp.accounts.models import User
from webapp.audit import origin
from webapp.audit.models import Action, Entry


def record(action: Action, subject: object = "", *, by: User | None = None, name: str = "", **details: Any) -> None:
    """Write down that the person of this request did `action`; `by` or `name` say who where the request does not."""
    who = by or origin.actor()
    request = trace.current.get()
    Entry(
        action=action, actor_id=who.pk if who else None, actor=(who.username if who else name)[:150],
        subject=str(subject)[:300], details=details, address=origin.address()[:45],
        request_id="" if request == trace.NONE else request,
    ).save()


def search(text: str = "", action: str = "", since: date | None = None, until: date | None = None) -> QuerySet[Entry]:
    """Entries, the newest first: those with `text` in a name, a subject, an address or a request id."""
    found = Entry.objects.all()
    for word in text.split():
        found = found.filter(Q(actor__icontains=word) | Q(subject__icontains=word) | Q(address__icontains=word)
                             | Q(request_id=word))
    if action:
        found = found.filter(action=action)
    if since:
        found = found.filter(at__gte=_start_of(since))
    if until:
        found = found.filter(at__lt=_start_of(until + timedelta(days=1)))
    return found


def forget_old() -> int:
    """Remove what is older than the setting keeps; how many entries that were."""
    if not settings.AUDIT_DAYS:
        return 0
    return Entry.objects.forget_before(timezone.now() - timedelta(days=settings.AUDIT_DAYS))


def _start_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
