"""An answer in a generator's own words: told the passages, streamed, its citations read, each sentence checked.

What it cites are exact ranges of stored documents: of each passage the sentence that is likest to what is said. The
generator may be wrong all the same; the sentences that no passage supports are named.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from models_service.client import Models, ModelsError
from models_service.protocol import AnswerDone, Citation, DeltaEvent, GenerateDone
from qa.citing import nearest
from qa.followup import Turn
from qa.marks import Marks
from qa.prompt import NO_ANSWER, messages
from qa.retrieve import RetrievedPassage
from qa.support import Checked, Evidence, check, claims
from qa.verify import StoredTexts, checked

MAX_TOKENS = 1024
TEMPERATURE = 0.2
"""Low: the words are to stay near the passages. Not 0, so that answering once more may say it otherwise."""

_DECORATION = " \n\t\"'`*_"
"""What may stand around the sentence which means that there is no answer."""


class NotBegun(Exception):
    """The generator failed before its first text; nothing has been sent. `problem` says why."""

    def __init__(self, problem: ModelsError) -> None:
        super().__init__(problem.message)
        self.problem = problem


async def compose(
    question: str,
    passages: Sequence[RetrievedPassage],
    *,
    history: Sequence[Turn],
    documents: StoredTexts,
    models: Models,
    client: str = "",
) -> AsyncGenerator[DeltaEvent | AnswerDone, None]:
    """The answer's text as it comes, then AnswerDone, whose `question` and `timings` are the caller's.

    Closing the iterator stops the generator.

    Raises:
        NotBegun: see there.
        ModelsError: the generator broke off in the middle.
    """
    marks, words = Marks(len(passages)), UntilNo()
    told = messages(question, [(each.passage.document.title, each.passage.text) for each in passages], history)
    said: list[str] = []
    done: GenerateDone | None = None
    try:
        writing = models.generate(told, max_tokens=MAX_TOKENS, temperature=TEMPERATURE, client=client)
        async with aclosing(writing) as pieces:
            async for piece in pieces:
                if isinstance(piece, GenerateDone):
                    done = piece
                    break
                if shown := marks.read(words.read(piece)):
                    said.append(shown)
                    yield DeltaEvent(text=shown)
                if words.said_no:
                    break
    except ModelsError as problem:
        if said:
            raise
        raise NotBegun(problem) from None
    if rest := marks.read(words.end()) + marks.end():
        said.append(rest)
        yield DeltaEvent(text=rest)
    answer = "".join(said)
    if not answer.strip():
        if words.said_no:
            yield _abstained(await asyncio.to_thread(nearest, passages, documents))
            return
        raise NotBegun(ModelsError("unavailable", "The text generator wrote nothing.", retryable=True))
    event = await _checked_answer(answer, marks, passages, documents, models, client, done)
    if words.said_no and not event.confidence:
        event = _abstained(await asyncio.to_thread(nearest, passages, documents))
    yield event


class UntilNo:
    """The text until the sentence which means that there is no answer; `said_no` when it came.

    Some generators write a few words before it, so it is looked for everywhere, and no part of it is ever shown.
    """

    def __init__(self) -> None:
        self.said_no = False
        self._held = ""
        self._begun = False

    def read(self, piece: str) -> str:
        text = self._held + piece
        place = text.find(NO_ANSWER)
        self.said_no = place >= 0
        keep = 0 if self.said_no else _overlap(text, NO_ANSWER)
        shown = text[:place] if self.said_no else text[: len(text) - keep]
        if not self._begun and not shown.strip(_DECORATION):
            self._held = "" if self.said_no else text
            return ""
        self._held = text[len(text) - keep :]
        return self._begin(shown)

    def end(self) -> str:
        held, self._held = self._held, ""
        return self._begin(held)

    def _begin(self, shown: str) -> str:
        shown = shown if self._begun else shown.lstrip()
        self._begun = self._begun or bool(shown)
        return shown


def _overlap(text: str, sign: str) -> int:
    """How many of the text's last characters may be the beginning of `sign`."""
    return next((size for size in range(min(len(sign) - 1, len(text)), 0, -1) if text.endswith(sign[:size])), 0)


def _abstained(near: list[Citation]) -> AnswerDone:
    return AnswerDone(
        answer="", abstained=True, confidence=0.0, citations=[], nearest=near,
        verification={"method": "generator", "supported": None, "unsupported": []},
    )


async def _checked_answer(
    answer: str,
    marks: Marks,
    passages: Sequence[RetrievedPassage],
    documents: StoredTexts,
    models: Models,
    client: str,
    done: GenerateDone | None,
) -> AnswerDone:
    cited = [number - 1 for number in marks.cited]
    results = await check(
        claims(answer, cited), [each.passage.text for each in passages], models, client=client
    )
    unsupported = [[each.claim.start, each.claim.end] for each in results if not each.supported]
    supported = round(1 - len(unsupported) / len(results), 4) if results else 0.0
    found = [_citation(mark, passages[place], _best(results, place)) for mark, place in enumerate(cited, start=1)]
    verification: dict[str, Any] = {
        "method": "generator", "quotes_checked": True, "supported": supported, "unsupported": unsupported,
        "uncited": sum(each.claim.cited is None for each in results),
    }
    if done is not None:
        verification |= {"model": done.model, "finish_reason": done.finish_reason}
    return AnswerDone(
        answer=answer, format="markdown", abstained=False, confidence=supported,
        citations=await asyncio.to_thread(checked, found, documents), verification=verification,
    )


def _best(results: Sequence[Checked], place: int) -> Evidence | None:
    """The sentence of this passage that is likest to one of the sentences that cite it."""
    found = [
        evidence for each in results if each.claim.cited for evidence in each.evidence if evidence.passage == place
    ]
    return max(found, key=lambda evidence: evidence.rank, default=None)


def _citation(mark: int, retrieved: RetrievedPassage, best: Evidence | None) -> Citation:
    """The whole passage when the sentence that cites it states nothing that could be looked for."""
    passage = retrieved.passage
    start, end = (best.start, best.end) if best else (0, len(passage.text))
    return Citation(
        document=passage.document.id, title=passage.document.title, passage=passage.id, mark=mark,
        start=passage.start + start, end=passage.start + end, quote=passage.text[start:end],
        span_start=passage.start + start, span_end=passage.start + start,
        score=round(best.score if best else 0.0, 4),
    )
