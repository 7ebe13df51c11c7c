"""What changes summaries: handing a text in, starting one of it, deleting. Making it is `summary_producer.py`'s."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from models_service.protocol import AnswerError
from models_service.protocol_summarized_text import StartSummary
from models_service.words import count_words
from qa import reading
from qa.documents import DocumentError, format_of
from qa.scripts import is_cjk
from qa.structure import Structure
from webapp import access
from webapp.accounts.models import User
from webapp.errors import BadInput, Busy, Conflict, NotFound
from webapp.knowledge import refusals, storage
from webapp.knowledge.models import DocumentStatus
from webapp.production import stopping
from webapp.uploads import plain_name, receive
from webapp.writing import summarizing, summary_texts
from webapp.writing.summary_models import SummarizedText, Summary, SummaryStatus

log = logging.getLogger(__name__)

MOST_AT_ONCE = 2
"""Summaries that one person may have in the making."""
MOST_KEPT = 200
"""Texts of one person; the oldest go when a new one comes."""
MOST_RECOGNISED = 5
"""Pages of a file that are read by text recognition while its owner waits; in a collection there is time for more."""
READING_SECONDS = 120
TITLE_CHARACTERS = 70
"""A text without a title is named by its first line; of Chinese, half as many."""


@dataclass(frozen=True)
class Started:
    """`fresh` unless the same key had been sent before."""

    summary: Summary
    fresh: bool


def add_file(user: User, name: str, chunks: Iterable[bytes], title: str = "") -> SummarizedText:
    """Read a file that was handed in, as untrusted files are read: in a process of its own, within limits.

    Raises:
        BadInput: it cannot be read, with what to do; it is empty.
        TooLarge: the file, or the text in it.
    """
    name = plain_name(name, "text.txt")
    identifier = uuid.uuid4()
    incoming = settings.DATA_DIR / "incoming" / identifier.hex
    incoming.parent.mkdir(parents=True, exist_ok=True)
    try:
        format_of(name)
        receive(chunks, incoming, name)
        most = min(MOST_RECOGNISED, settings.RECOGNISE_PAGES)
        read = reading.read(incoming, name, most_recognised=most, look=_patience(name))
    except DocumentError as error:
        raise BadInput(refusals.sentence(error, name), "file") from None
    finally:
        incoming.unlink(missing_ok=True)
    if _is_a_longer_scan(read.text, read.structure):
        raise BadInput(_("%(name)s has more than %(most)s pages that are pictures. Add it to a collection, where "
                         "there is time to recognise their text, and summarize the document there.")
                       % {"name": name, "most": MOST_RECOGNISED}, "file")
    summarizing.check(read.text, "file")
    source = SummarizedText(
        pk=identifier, owner=user, name=name, title=_short(title or read.title or name),
        media_type=read.media_type,
    )
    return _keep(source, read.text, read.structure, is_stored=True)


def _patience(name: str) -> Callable[[int, int], None]:
    """Ends the reading of a file for which the page that handed it in has waited long enough."""
    end = time.monotonic() + READING_SECONDS

    def look(done: int, of: int) -> None:
        if time.monotonic() > end:
            raise DocumentError("too_hard", f"{name} takes more time to read than a page may wait for it.")

    return look


def _is_a_longer_scan(text: str, structure: Structure) -> bool:
    """Whether pages were left out of a file that has more pages of pictures than of text."""
    pages = enumerate(pairwise([*structure.pages, len(text)]), start=1)
    written = [number for number, (start, end) in pages if text[start:end].strip()]
    own = len(set(written) - set(structure.recognised))
    return bool(structure.recognised and structure.unread) and own < len(structure.recognised + structure.unread)


def add_document(user: User, document_id: str) -> SummarizedText:
    """A document of a collection that `user` may read; its text stays where it is."""
    document = own(access.readable_documents(user), document_id)
    if document.status != DocumentStatus.READY:
        raise Conflict(_("This document has no text yet: it waits to be read, or could not be read."))
    source = SummarizedText(owner=user, document=document, name=document.name, title=str(document)[:255],
                            media_type=document.media_type)
    text, structure = summary_texts.read(source, user)
    summarizing.check(text, "document")
    return _keep(source, text, structure, is_stored=False)


def _short(title: str) -> str:
    most = TITLE_CHARACTERS // 2 if is_cjk(title) else TITLE_CHARACTERS
    return title if len(title) <= most else title[: most - 1].rstrip() + "…"


def _keep(source: SummarizedText, text: str, structure: Structure, *, is_stored: bool) -> SummarizedText:
    source.characters, source.words, source.pages = len(text), count_words(text), len(structure.pages)
    if is_stored:
        summary_texts.keep(source.pk, text, structure)
    try:
        source.save(force_insert=True)
    except Exception:
        summary_texts.forget(source.pk)
        raise
    for old in SummarizedText.objects.filter(owner=source.owner)[MOST_KEPT:]:
        delete(old)
    return source


@transaction.atomic
def start(user: User, message: StartSummary) -> Started:
    """A row for the summary that is asked for; the same key again gives what was made the first time."""
    User.objects.select_for_update().filter(pk=user.pk).first()
    source = own(access.own_summarized_texts(user), message.source)
    earlier = source.summaries.filter(key=message.key).first()
    if earlier is not None:
        return Started(earlier, fresh=False)
    recent = timezone.now() - timedelta(seconds=summarizing.SUMMARY_SECONDS)
    running = access.own_summaries(user).filter(status=SummaryStatus.RUNNING, created_at__gt=recent)
    if running.count() >= MOST_AT_ONCE:
        raise Busy(_("You have %(most)s summaries in the making. Wait for one of them, or stop one.")
                   % {"most": MOST_AT_ONCE})
    summary = Summary.objects.create(
        source=source, key=message.key, length=str(message.length), style=message.style,
        method=summarizing.method_for(message.method, message.style),
        language=summarizing.check_language(message.language or ""),
    )
    source.save(update_fields=["updated_at"])
    return Started(summary, fresh=True)


def own_summary(user: User, identifier: int) -> Summary:
    return own(access.own_summaries(user), identifier)


def delete(source: SummarizedText) -> None:
    """A text and its summaries; those that are still in the making are stopped."""
    running = source.summaries.filter(status=SummaryStatus.RUNNING).values_list("pk", flat=True)
    names = [f"summary:{pk}" for pk in running]
    pk = source.pk
    source.delete()
    summary_texts.forget(pk)
    if names:
        stopping.ask_all_to_stop(names)


def stopped_event() -> AnswerError:
    """What a summary ends with that was stopped."""
    return AnswerError(code="cancelled", message=_("Stopped."), retryable=True)


def text_of_document(user: User, document_id: str) -> tuple[str, Structure]:
    """The text of a document that `user` may read; NotFound or Conflict otherwise."""
    document = own(access.readable_documents(user), document_id)
    if document.status != DocumentStatus.READY:
        raise Conflict(_("This document has no text yet: it waits to be read, or could not be read."))
    return storage.documents().text(str(document.pk)), storage.documents().structure(str(document.pk))


def own(rows: QuerySet, identifier: Any) -> Any:
    """The row of `rows` with this id; NotFound when it is not among them, or is no id at all."""
    try:
        found = rows.filter(pk=identifier).first()
    except (ValueError, ValidationError, OverflowError):
        found = None
    if found is None:
        raise NotFound(_("There is nothing here that you may see."))
    return found
