"""The messages of classifying texts and finding entities, a part of the contract. Used through `protocol.py`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from models_service.protocol_base import Event, Message, Request, Timings

MAX_CLASSIFIED_CHARACTERS = 20_000


class ClassifyRequest(Request):
    """Label each text, or what stands in it: which of the two is the model's own task."""

    type: Literal["classify"] = "classify"
    texts: list[Annotated[str, Field(max_length=MAX_CLASSIFIED_CHARACTERS)]] = Field(min_length=1, max_length=512)


class LabelScore(Message):
    label: str
    score: float = Field(description="0 to 1; of one text they add up to 1, unless the model gives several labels")


class Entity(Message):
    """text[start:end] is what the label is of; `score` is the mean over its words, 0 to 1."""

    label: str
    text: str
    start: int
    end: int
    score: float


class Classified(Message):
    """What a classifier has found, as a program is told."""

    model: str
    version: str = ""
    task: Literal["text", "tokens"] = Field(description="whether texts are labelled, or what stands in them")
    labels: list[list[LabelScore]] = Field(description="task text: for each text its labels, likeliest first")
    entities: list[list[Entity]] = Field(description="task tokens: for each text what was found, in its order")
    timings: Timings


class ClassifyDone(Classified, Event):
    type: Literal["done"] = "done"
    result: Literal["classify"] = "classify"
