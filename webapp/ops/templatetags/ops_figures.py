"""Figures of the Ops page as people read them: times, moments, what parts and stages are called."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

register = template.Library()

CALLED: dict[str, Promise] = {
    "database": gettext_lazy("Database"), "redis": gettext_lazy("Redis"), "worker": gettext_lazy("Worker"),
    "models": gettext_lazy("Model service"), "trainer": gettext_lazy("Training worker"), "disk": gettext_lazy("Disk"),
    "encryption": gettext_lazy("Encryption"),
    "web": gettext_lazy("Web server"), "command": gettext_lazy("Command"),
    "celery": gettext_lazy("documents and files"), "training": gettext_lazy("training and evaluation"),
    "answered": gettext_lazy("answered"), "abstained": gettext_lazy("no answer found"),
    "error": gettext_lazy("failed"), "stopped": gettext_lazy("stopped"),
    "retrieval": gettext_lazy("retrieval"), "reranking": gettext_lazy("reranking"),
    "reading": gettext_lazy("reader"), "writing": gettext_lazy("generator"),
    "working out": gettext_lazy("tables and comparisons"), "checking": gettext_lazy("checking"),
    "respelling": gettext_lazy("spelling"), "queue": gettext_lazy("queue"),
    "Redis does not answer": gettext_lazy("Redis does not answer"),
    "no worker has given a sign of life lately": gettext_lazy("no worker has given a sign of life lately"),
    "no training worker has given a sign of life lately":
        gettext_lazy("no training worker has given a sign of life lately"),
    "no model service is configured; `manage.py up` starts one":
        gettext_lazy("no model service is configured; `manage.py up` starts one"),
    "ready": gettext_lazy("ready"), "loading": gettext_lazy("loading"),
}


@register.filter
def called(name: str) -> str:
    """What people call it; itself where nobody has named it."""
    return str(CALLED.get(name, name))


@register.filter
def milliseconds(value: float | None) -> str:
    """In milliseconds below a second, in seconds above; a dash for nothing."""
    if value is None:
        return "–"
    if value < 1000:
        return _("%(number)s ms") % {"number": number_format(value, 0)}
    return _("%(number)s s") % {"number": number_format(value / 1000, 2 if value < 10_000 else 1)}


@register.filter
def moment(seconds: float | None) -> datetime | None:
    """Seconds since 1970 as a time that the template's own filters show."""
    return None if seconds is None else datetime.fromtimestamp(seconds, tz=timezone.get_current_timezone())
