"""Removes what has been kept as long as the settings say; a worker calls it each hour."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from webapp.accounts import one_time_links, signed_in_browsers
from webapp.audit import services as audit
from webapp.chat import services as chat
from webapp.chat.models import Conversation
from webapp.knowledge import services as knowledge
from webapp.knowledge.models import Document
from webapp.privacy import exporting
from webapp.writing import summaries, translation_batches
from webapp.writing.models import SummarizedText, TranslationBatch

log = logging.getLogger(__name__)


def tidy() -> int:
    """How many things were removed."""
    removed = _conversations() + _uploads() + audit.forget_old() + one_time_links.forget_old()
    removed += signed_in_browsers.forget_old()
    exporting.sweep()
    if removed:
        log.info("removed %s things that have been kept long enough", removed)
    return removed


def _conversations() -> int:
    """Those in which nothing was asked for so long."""
    before = _days_ago(settings.KEEP_CONVERSATION_DAYS)
    old = list(Conversation.objects.filter(updated_at__lt=before)) if before else []
    for conversation in old:
        chat.delete(conversation)
    return len(old)


def _uploads() -> int:
    """Documents, texts to summarize and files to translate, by when they came; the site's own documents stay."""
    before = _days_ago(settings.KEEP_UPLOAD_DAYS)
    if before is None:
        return 0
    documents = list(Document.objects.filter(created_at__lt=before, collection__owner__isnull=False))
    for document in documents:
        knowledge.delete_document(document)
    texts = list(SummarizedText.objects.filter(created_at__lt=before))
    for text in texts:
        summaries.delete(text)
    batches = list(TranslationBatch.objects.filter(created_at__lt=before))
    for batch in batches:
        translation_batches.delete(batch)
    return len(documents) + len(texts) + len(batches)


def _days_ago(days: int) -> datetime | None:
    """None where things are kept for ever."""
    return timezone.now() - timedelta(days=days) if days else None
