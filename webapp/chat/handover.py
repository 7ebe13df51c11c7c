"""What a guest asked goes with them when they sign in or make an account."""

from __future__ import annotations

from django.db import transaction

from webapp.accounts.models import User
from webapp.chat.models import Conversation, Feedback
from webapp.writing.models import SummarizedText, TranslationBatch


@transaction.atomic
def hand_over(guest: User, account: User) -> None:
    """Give all conversations, feedback, summaries and files to translate of `guest` to `account`."""
    Conversation.objects.filter(owner=guest).update(owner=account)
    Feedback.objects.filter(user=guest).update(user=account)
    SummarizedText.objects.filter(owner=guest).update(owner=account)
    TranslationBatch.objects.filter(owner=guest).update(owner=account)
