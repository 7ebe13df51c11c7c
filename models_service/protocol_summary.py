"""The messages of summarizing by chosen sentences, a part of the contract. Used through `protocol.py`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from models_service.protocol_base import Event, Message, Request, Timings

MAX_SENTENCES = 2000
MAX_SENTENCE_CHARACTERS = 20_000


class SummarizeRequest(Request):
    """Choose the sentences that say most of a text. With neither `words` nor `sentences_wanted`: three of them."""

    type: Literal["summarize"] = "summarize"
    sentences: list[Annotated[str, Field(max_length=MAX_SENTENCE_CHARACTERS)]] = Field(
        min_length=1, max_length=MAX_SENTENCES, description="of one text, in its order, its headings among them"
    )
    words: int | None = Field(
        None, ge=1, le=1_000_000,
        description="about how long the summary is to be: as near as whole sentences come. Chinese, Japanese and "
        "Korean are counted by characters",
    )
    sentences_wanted: int | None = Field(None, ge=1, le=MAX_SENTENCES, description="the most sentences to choose")


class ChosenSentence(Message):
    """`index` counts the request's sentences from 0."""

    index: int
    score: float


class SummarizeDone(Event):
    type: Literal["done"] = "done"
    result: Literal["summarize"] = "summarize"
    model: str
    version: str = ""
    chosen: list[ChosenSentence] = Field(description="in the text's order; one at least")
    scores: list[float] = Field(
        description="one a sentence, 0 to 1: what it is worth beside the others of its text, 0.5 being the mean"
    )
    timings: Timings
