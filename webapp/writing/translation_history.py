"""The texts that a signed-in person translated, the latest first."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from models_service.protocol_translated_text import TranslateTextDone
from webapp import access
from webapp.accounts.models import Role, User
from webapp.writing import glossary_terms
from webapp.writing.models import Translation

MOST_KEPT = 200
ONE_SITTING = timedelta(minutes=10)
"""A text that goes on from one kept a short while ago takes its place."""


def is_kept_for(user: User) -> bool:
    """People with an account have a history; guests have none."""
    return user.at_least(Role.USER)


@transaction.atomic
def keep(user: User, text: str, done: TranslateTextDone) -> Translation | None:
    """Put a translation into the history; None for those who have none."""
    if not is_kept_for(user):
        return None
    newest = access.own_translations(user).first()
    if newest and (newest.text, newest.source, newest.target) == (text, done.source, done.target):
        return newest
    if newest and newest.created_at > timezone.now() - ONE_SITTING and newest.target == done.target and (
        text.startswith(newest.text) or newest.text.startswith(text)
    ):
        newest.delete()
    row = Translation.objects.create(
        owner=user, source=done.source, target=done.target, text=text, translation=done.translation
    )
    glossary_terms.count_hits(user, done.source, done.target, done.glossary_hits)
    old = access.own_translations(user).values_list("pk", flat=True)[MOST_KEPT:]
    Translation.objects.filter(pk__in=list(old)).delete()
    return row
