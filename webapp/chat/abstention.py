"""When this site says that it does not know: the bar, what moving it gains and costs, what was told of late."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from models_service.model_files import ModelMissing, ModelUnusable
from models_service.registry import READER, Registry
from qa import confidence
from qa.quote import ABSTAIN_BELOW
from webapp.accounts.models import User
from webapp.audit import services as audit
from webapp.audit.models import Action
from webapp.chat.models import AbstentionBar, Message, MessageRole, MessageStatus
from webapp.errors import BadInput
from webapp.settings.places import models_folder

RECENT_DAYS = 30
MOST_RECENT = 5_000


@dataclass(frozen=True)
class Recent:
    """Of the last answers whose confidence is a reader's: how many there were from each bar on, and how many of those
    were found helpful and not helpful."""

    bar: float
    answers: int
    helpful: int
    unhelpful: int


def bar() -> float:
    """The confidence, 0 to 1, below which an answer is withheld now."""
    value = AbstentionBar.objects.values_list("value", flat=True).first()
    return ABSTAIN_BELOW if value is None else value


def set_bar(value: float, by: User) -> None:
    """From the next question on.

    Raises:
        BadInput: it is none of the bars that there are.
    """
    if not math.isfinite(value) or round(value, 2) not in confidence.BARS:
        raise BadInput(_("The bar is a number from 0 to 0.95 in steps of 0.05."), "bar")
    before = bar()
    AbstentionBar.objects.update_or_create(pk=1, defaults={"value": round(value, 2), "changed_by": by})
    audit.record(Action.ABSTENTION_CHANGED, f"{before:g} → {value:g}", by=by)


def figures() -> tuple[str, confidence.Figures | None]:
    """The reader in use, as NAME@VERSION, and what its confidence is worth; None when that was not measured."""
    try:
        reader = Registry(folder=models_folder(settings.DATA_DIR)).find(READER)
        return reader.label, confidence.read(Path(reader.directory()))
    except (ModelMissing, ModelUnusable):
        return READER, None


def recent() -> list[Recent]:
    """What people were told here in the last days, from each bar on."""
    since = timezone.now() - timedelta(days=RECENT_DAYS)
    rows = Message.objects.filter(
        role=MessageRole.ANSWER, status=MessageStatus.DONE, created_at__gte=since,
        payload__verification__method="reader",
    ).order_by("-id").values_list("payload__confidence", "feedback__helpful")[:MOST_RECENT]
    told = [(float(sure or 0), helpful) for sure, helpful in rows]
    return [
        Recent(
            each, sum(sure >= each for sure, _ in told),
            sum(sure >= each and helpful is True for sure, helpful in told),
            sum(sure >= each and helpful is False for sure, helpful in told),
        )
        for each in confidence.BARS
    ]
