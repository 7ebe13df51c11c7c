"""A request of OpenAI's interface answered from the collections: the site's answer as one message, with citations."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from models_service.engines.stopping import UntilStop
from models_service.protocol import AnswerDone, AnswerError, ChatMessage, DeltaEvent
from qa.answer import Turn
from webapp.accounts.models import User
from webapp.api.openai.errors import WritingFailed
from webapp.api.openai.pieces import Ended
from webapp.chat import answering
from webapp.errors import BadInput
from webapp.limits.tokens import TOKEN, count


def question_and_history(messages: Sequence[ChatMessage]) -> tuple[str, list[Turn]]:
    """The last message, which must be the user's, and the questions and answers before it.

    What the system is told stays out: the rules for an answer from documents are the site's own.
    """
    if messages[-1].role != "user":
        raise BadInput(_("The last message must be the user's: it is what is answered from the documents."),
                       "messages")
    turns: list[Turn] = []
    asked = ""
    for said in messages[:-1]:
        if said.role == "user":
            asked = said.content
        elif said.role == "assistant" and asked:
            turns.append(Turn(asked, said.content))
            asked = ""
    return answering.check_question(messages[-1].content), turns


async def answer(
    user: User, question: str, collections: Sequence[str], history: Sequence[Turn], *, generate: bool | None,
    stop: Sequence[str], most: int | None, absolute: Callable[[str], str],
) -> AsyncGenerator[str | Ended, None]:
    """The answer's text in pieces, then its end with the citations. Raises WritingFailed.

    Args:
        generate: whether a generator writes it; None: where there is one.
        most: words after which it is cut off.
        absolute: gives a page's whole address.
    """
    until, said = UntilStop(stop), ""
    events = answering.events(user, question, collections, history, generate=generate)
    async with aclosing(events):
        async for event in events:
            if isinstance(event, AnswerError):
                raise WritingFailed.of(event)
            if isinstance(event, DeltaEvent) and not until.stopped and not _full(said, most):
                piece = _cut(said, until.add(event.text), most)
                said += piece
                if piece:
                    yield piece
            elif isinstance(event, AnswerDone):
                rest = "" if until.stopped else until.end()
                if event.abstained and not said:
                    rest = _("The documents do not hold an answer to this.")
                rest = _cut(said, rest, most)
                said += rest
                if rest:
                    yield rest
                yield _ended(event, question, said, most, absolute)
                return
    raise WritingFailed.of(answering.failure())


def _full(said: str, most: int | None) -> bool:
    return most is not None and count(said) >= most


def _cut(said: str, piece: str, most: int | None) -> str:
    if most is None or count(said + piece) <= most:
        return piece
    ends = [found.end() for found in TOKEN.finditer(said + piece)]
    return (said + piece)[len(said) : max(ends[most - 1], len(said))]


def _ended(
    done: AnswerDone, question: str, said: str, most: int | None, absolute: Callable[[str], str]
) -> Ended:
    citations = [{**one.model_dump(), "url": absolute(one.url)} for one in done.citations]
    nearest = [{**one.model_dump(), "url": absolute(one.url)} for one in done.nearest]
    more: dict[str, Any] = {
        "citations": citations,
        "wenda": {
            "abstained": done.abstained, "confidence": done.confidence, "format": done.format, "span": done.span,
            "question": done.question, "nearest": nearest, "verification": done.verification,
            "timings": done.timings,
        },
    }
    ended = Ended("length" if _full(said, most) and len(said) < len(done.answer) else "stop", count(question),
                  count(said), more=more)
    return replace(ended, annotations=tuple(_annotations(citations, said)))


def _annotations(citations: Sequence[dict[str, Any]], said: str) -> list[dict[str, Any]]:
    """Where in the message each source is: the quoted sentence, or the mark that names it."""
    found = []
    for one in citations:
        sign = f"[{one['mark']}]" if one["mark"] else one["quote"]
        start = said.find(sign)
        if start >= 0:
            found.append({"type": "url_citation", "url_citation": {
                "start_index": start, "end_index": start + len(sign), "title": one["title"], "url": one["url"],
            }})
    return found
