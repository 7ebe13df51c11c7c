"""The messages of translation, a part of the contract. Used through `protocol.py`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from models_service.protocol_base import Event, Message, Request, Timings

MAX_TRANSLATED_TEXTS = 512
MAX_SENTENCE_CHARACTERS = 2_000
MOST_ALTERNATIVES = 5
WIDEST_BEAM = 10

LanguageCode = Annotated[str, Field(min_length=2, max_length=12, pattern=r"^[a-z]{2,3}([-_][A-Za-z]{2,4})?$")]
"""ISO 639-1 where there is one: en, de, fr, zh."""
Sentence = Annotated[str, Field(max_length=MAX_SENTENCE_CHARACTERS)]


class TranslateRequest(Request):
    """Translate each of `texts`, a sentence each: a model of sentences knows nothing of the text around one."""

    type: Literal["translate"] = "translate"
    texts: list[Sentence] = Field(min_length=1, max_length=MAX_TRANSLATED_TEXTS)
    source: LanguageCode
    target: LanguageCode
    n_best: int = Field(1, ge=1, le=MOST_ALTERNATIVES)
    beam_size: int | None = Field(None, ge=1, le=WIDEST_BEAM, description="the model's own by default")


class LanguagesRequest(Request):
    """Which languages can be translated into which, by which model."""

    type: Literal["languages"] = "languages"


class Translation(Message):
    text: str
    score: float = Field(description="mean log-probability a token; nearer to 0 is surer")


class TextNote(Message):
    """What whoever reads the translation of `texts[index]` should know of it.

    pieces: the text is longer than the model reads at once, and was translated in pieces.
    cut: the translation reached the length limit before its end.
    unknown: `what` are characters that the model does not know.
    """

    index: int
    kind: Literal["pieces", "cut", "unknown"]
    what: str = ""


class TranslateDone(Event):
    type: Literal["done"] = "done"
    result: Literal["translate"] = "translate"
    model: str
    version: str = ""
    translations: list[list[Translation]] = Field(description="for each text its best translations, best first")
    notes: list[TextNote] = Field(default_factory=list)
    timings: Timings


class LanguagePair(Message):
    """A direction that a served model translates in, and how well: bleu and chrf on `data`, of `n` sentences."""

    source: str
    target: str
    model: str
    figures: dict[str, float | int | str] = Field(default_factory=dict)


class LanguagesDone(Event):
    type: Literal["done"] = "done"
    result: Literal["languages"] = "languages"
    pairs: list[LanguagePair] = Field(description="of two models for one pair, the first is used unless one is named")
