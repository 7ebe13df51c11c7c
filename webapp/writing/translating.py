"""From a person and a text to the events of its translation: glossary, models and what is remembered put together.

The page, `POST /api/v1/translate`, LibreTranslate's addresses and the jobs all translate through here.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from typing import Any

from channels.db import database_sync_to_async
from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext as _

from models_service.client import Models, ModelsError, encodable
from models_service.protocol_translated_text import (
    MAX_INTERACTIVE_CHARACTERS,
    TranslateTextDelta,
    TranslateTextDone,
    TranslateTextError,
    TranslateTextStart,
)
from qa.writing.asking import Candidate, Memory
from qa.writing.blocks import Format
from qa.writing.glossary import Term
from qa.writing.routes import TranslationError
from qa.writing.translate import translate_text
from webapp import access
from webapp.accounts.models import User
from webapp.chat.answering import model_service
from webapp.errors import BadInput, Busy, SiteError, TooLarge, Unavailable
from webapp.limits import meter, tokens
from webapp.writing.language_names import language_name

log = logging.getLogger(__name__)

TRANSLATION_SECONDS = 120.0
"""A text that takes longer ends with an error that can be tried again."""
MOST_AT_ONCE = 4
"""Texts that one person may have in the making in one process."""
PAIRS_KEPT_SECONDS = 5.0
REMEMBERED = 20_000
"""Sentences that a process remembers: while someone types, all but the last are the same as before."""
REMEMBERED_SECONDS = 120.0
"""Short, for another version of a model may be promoted meanwhile."""

Event = TranslateTextStart | TranslateTextDelta | TranslateTextDone | TranslateTextError
Someone = User | AnonymousUser


class RecentSentences(Memory):
    """Translations of the last minutes, in this process."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, ...], tuple[float, list[Candidate]]] = OrderedDict()
        self._lock = threading.Lock()

    def recall(self, key: tuple[str, ...]) -> list[Candidate] | None:
        with self._lock:
            found = self._kept.get(key)
        return found[1] if found and time.monotonic() - found[0] < REMEMBERED_SECONDS else None

    def keep(self, key: tuple[str, ...], candidates: list[Candidate]) -> None:
        with self._lock:
            self._kept[key] = time.monotonic(), candidates
            self._kept.move_to_end(key)
            while len(self._kept) > REMEMBERED:
                self._kept.popitem(last=False)


recent_sentences = RecentSentences()
_running: Counter[str] = Counter()
_pairs: dict[str, Any] = {"at": 0.0, "pairs": []}


class _WithKeptPairs:
    """The model service, whose list of pairs is asked for once in a few seconds and not at each keystroke."""

    def __init__(self, models: Models) -> None:
        self._models = models

    async def languages(self) -> Sequence[Any]:
        if time.monotonic() - _pairs["at"] > PAIRS_KEPT_SECONDS or not _pairs["pairs"]:
            found = await self._models.languages()
            _pairs.update(at=time.monotonic(), pairs=found)
        return _pairs["pairs"]

    async def translate(self, texts: Sequence[str], **options: Any) -> Any:
        return await self._models.translate(texts, **options)


async def pairs() -> Sequence[Any]:
    """What the served models offer; Unavailable when no service answers."""
    try:
        return await _WithKeptPairs(model_service()).languages()
    except ModelsError as error:
        log.warning("the pairs of languages cannot be told: %s", error.message)
        raise refusal(error) from None


def check_text(text: str, limit: int = MAX_INTERACTIVE_CHARACTERS) -> str:
    """The text as it can be sent to a model; BadInput or TooLarge when it cannot be translated."""
    if not text.strip():
        raise BadInput(_("The text is empty. Write something to translate."), "text")
    if len(text) > limit:
        raise TooLarge(_("The text has %(has)s characters; at most %(most)s can be translated at once. "
                         "Translate it as a file, or in parts.") % {"has": f"{len(text):,}", "most": f"{limit:,}"})
    return encodable(text)


@contextmanager
def turn(client: str) -> Iterator[None]:
    """One of the few translations that a person may have under way; Busy when they have them all."""
    if _running[client] >= MOST_AT_ONCE:
        raise Busy(_("You have %(most)s translations in the making. Wait for one of them.") % {"most": MOST_AT_ONCE})
    _running[client] += 1
    try:
        yield
    finally:
        _running[client] -= 1
        if not _running[client]:
            del _running[client]


async def events(
    user: Someone, text: str, *, source: str, target: str, format: Format = "text", alternatives: int = 0,
    client: str = "", models: Models | None = None, memory: Memory | None = None,
) -> AsyncIterator[Event]:
    """The translation with the glossary that holds for `user`; the last event is a done or an error.

    Closing the iterator stops the work on the model service.
    """
    glossary = await database_sync_to_async(terms)(user, source, target)
    translating = translate_text(
        text, source=source, target=target, models=_WithKeptPairs(models or model_service()), glossary=glossary,
        format=format, alternatives=alternatives, client=client, memory=memory or recent_sentences,
    )
    deadline = time.monotonic() + TRANSLATION_SECONDS
    try:
        async with aclosing(translating):
            while True:
                async with asyncio.timeout(deadline - time.monotonic()):
                    event = await anext(translating, None)
                if event is None:
                    return
                if isinstance(event, TranslateTextDone):
                    used = tokens.count(text) + tokens.count(event.translation)
                    await asyncio.to_thread(meter.charge, user, used, stranger=client)
                yield event
    except (TranslationError, ModelsError) as error:
        if isinstance(error, ModelsError):
            log.warning("no translation: %s", error.message)
        problem = refusal(error, source, target)
        yield TranslateTextError(code=problem.code, message=problem.message, retryable=problem.retryable)
    except TimeoutError:
        yield TranslateTextError(code="deadline", retryable=True,
                                 message=_("The translation took too long. Try again."))
    except Exception:
        log.exception("a translation failed")
        yield TranslateTextError(code="internal", retryable=True,
                                 message=_("Something went wrong on the server. Its log says what."))


async def whole(user: Someone, text: str, **options: Any) -> TranslateTextDone:
    """The last event of `events`; SiteError in the place of an error."""
    async with aclosing(events(user, text, **options)) as all_of_them:
        async for event in all_of_them:
            if isinstance(event, TranslateTextDone):
                return event
            if isinstance(event, TranslateTextError):
                raise as_site_error(event)
    raise RuntimeError("the translation ended without its last event")


STATUS_OF_CODE = {
    "not_found": 404, "busy": 429, "internal": 500, "unavailable": 503, "cancelled": 503, "deadline": 504,
}


def as_site_error(event: TranslateTextError) -> SiteError:
    error = SiteError(event.message)
    error.code, error.retryable = event.code, event.retryable
    error.status = STATUS_OF_CODE.get(event.code, 400)
    return error


def refusal(error: TranslationError | ModelsError, source: str = "", target: str = "") -> SiteError:
    """The error as a sentence in the person's language that says what to do."""
    if isinstance(error, ModelsError):
        if error.code == "unavailable" and error.retryable:
            return Unavailable(_("The model service does not answer just now. Try again in a moment."))
        if error.code == "busy":
            return Busy(_("Too many texts are being translated just now. Try again in a moment."))
        problem = SiteError(error.message)
        problem.code, problem.status = error.code, STATUS_OF_CODE.get(error.code, 400)
        return problem
    if error.code == "no_models":
        problem = Unavailable(_("No translation model is installed. An administrator can add one."))
        problem.retryable = False
        return problem
    if error.code == "pair_not_offered":
        offered = ", ".join(error.offered)
        name = language_name(source) if source != "auto" else _("this language")
        return BadInput(_("No installed model translates from %(source)s to %(target)s. Offered: %(offered)s.")
                        % {"source": name, "target": language_name(target), "offered": offered}, "target")
    if error.code == "language_unknown":
        offered = ", ".join(map(language_name, error.offered))
        return BadInput(_("The language of this text cannot be told. If it is one of these, choose it: %(offered)s.")
                        % {"offered": offered}, "source")
    return BadInput(_("The text is empty. Write something to translate."), "text")


def terms(user: Someone, source: str, target: str) -> list[Term]:
    """The terms that hold for `user`, theirs before the site's; of all languages while that is to be detected."""
    rows = access.glossary_terms(user).filter(target_language=target)
    if source != "auto":
        rows = rows.filter(source_language=source)
    ordered = sorted(rows, key=lambda row: row.owner_id is not None)  # one's own come last, and win
    return [Term(row.source, row.target, row.case_sensitive, row.source_language) for row in ordered]
