"""From a text and what is wanted of it to the events of its summary: the models and the errors put together.

The page's socket and `POST /api/v1/summarize` both summarize through here. Saves nothing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _
from pydantic import BaseModel

from models_service.client import ModelsError
from models_service.protocol import AnswerError
from models_service.protocol_summarized_text import Length, Method, Style, SummaryDone
from qa.structure import NOTHING_KNOWN, Structure
from qa.writing.summarize import MAX_CHARACTERS, SummaryProblem, check_text, summarize_text
from webapp.accounts.models import User
from webapp.chat import answering
from webapp.errors import BadInput, TooLarge
from webapp.limits import meter, tokens

log = logging.getLogger(__name__)

SUMMARY_SECONDS = 1800.0
"""A summary that takes longer ends with an error. A book of 1,000 pages takes minutes on two cores."""
LANGUAGE_NAMES = {"en": "English", "zh": "Chinese", "de": "German", "fr": "French", "es": "Spanish", "ja": "Japanese"}
"""In which a generator can be asked to write, by the name that it is told."""


@dataclass(frozen=True)
class Wanted:
    """What a summary is to be like."""

    length: Length = "medium"
    style: Style = "paragraph"
    method: Method = "quoted"
    language: str = ""


def method_for(asked: Method | None, style: Style) -> Method:
    """Written where a generator is and nothing else is asked for.

    Raises:
        BadInput: it is to be written, and there is no generator.
    """
    if asked == "written" and not settings.HAS_GENERATOR:
        raise BadInput(_("No text generator is set up here, so summaries are made of the text's own sentences."),
                       "method")
    if style == "key_terms":
        return "quoted"
    return asked or ("written" if settings.HAS_GENERATOR else "quoted")


def check_language(language: str) -> str:
    """BadInput unless it is "" or one of LANGUAGE_NAMES."""
    if language and language not in LANGUAGE_NAMES:
        raise BadInput(_("language must be one of: %(codes)s.") % {"codes": ", ".join(LANGUAGE_NAMES)}, "language")
    return language


def check(text: str, field: str = "text") -> None:
    """BadInput or TooLarge when it cannot be summarized."""
    try:
        check_text(text)
    except SummaryProblem as problem:
        if problem.code == "too_large":
            raise TooLarge(
                _("The text has %(has)s characters; at most %(most)s can be summarized. Split it, for instance at "
                  "its chapters.") % {"has": f"{len(text):,}", "most": f"{MAX_CHARACTERS:,}"}) from None
        raise BadInput(_("The text is empty. Give the text that is to be summarized."), field) from None


async def events(
    user: User, text: str, wanted: Wanted, *, structure: Structure = NOTHING_KNOWN
) -> AsyncGenerator[BaseModel, None]:
    """Start, progress and deltas; the last event is SummaryDone or AnswerError. Closing it stops the work."""
    used = tokens.count(text)
    try:
        async with aclosing(_events(text, wanted, structure, str(user.pk))) as working:
            async for event in working:
                used += tokens.count(event.summary) if isinstance(event, SummaryDone) else 0
                yield event
    finally:
        await asyncio.to_thread(meter.charge, user, used)


async def _events(text: str, wanted: Wanted, structure: Structure, client: str) -> AsyncGenerator[BaseModel, None]:
    work = summarize_text(
        text, length=wanted.length, style=wanted.style, method=wanted.method, structure=structure,
        language=LANGUAGE_NAMES.get(wanted.language, ""), models=answering.model_service(), client=client,
    )
    deadline = time.monotonic() + SUMMARY_SECONDS
    try:
        async with aclosing(work):
            while True:
                async with asyncio.timeout(deadline - time.monotonic()):
                    event = await anext(work, None)
                if event is None:
                    return
                yield event
    except SummaryProblem as problem:
        yield AnswerError(code=problem.code, message=problem.message)
    except ModelsError as error:
        log.warning("no summary: %s", error.message)
        yield AnswerError(code=error.code, message=_sentence(error), retryable=error.retryable)
    except TimeoutError:
        yield AnswerError(code="deadline", retryable=True,
                          message=_("The summary took too long. Try a part of the text."))
    except Exception:
        log.exception("a summary failed")
        yield answering.failure()


def _sentence(error: ModelsError) -> str:
    if error.code == "unavailable" and error.retryable:
        return _("The model service does not answer just now. Try again in a moment.")
    if error.code == "busy":
        return _("Too much is being summarized just now. Try again in a moment.")
    return error.message
