"""A whole text being translated, as a browser or a program sees it. Used through `protocol.py`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Union

from pydantic import Field, TypeAdapter

from models_service.protocol_base import Message

MAX_INTERACTIVE_CHARACTERS = 20_000
"""Of a text that is translated while it is typed, and of one text of a program; files may be longer."""
Code = Annotated[str, Field(min_length=2, max_length=16)]


class DetectedLanguage(Message):
    language: str = Field(description='ISO 639-1, "" when nothing can be told')
    confidence: float = Field(ge=0, le=1)


class TranslatedSentence(Message):
    """Characters `source` of the text became characters `target` of the translation."""

    source: tuple[int, int]
    target: tuple[int, int]
    score: float = Field(description="mean log-probability of a token, 0 is certain; of the weaker step")
    alternatives: list[str] = Field(default_factory=list)


class TranslationFlag(Message):
    """What a reader should look at: pieces of a sentence that its translation lacks, or a sentence left as it was."""

    kind: Literal["lost", "untranslated"]
    sentence: int = Field(description="index into `sentences`")
    pieces: list[str] = Field(default_factory=list)


class GlossaryHit(Message):
    source: str
    target: str
    hits: int


class TranslateTextStart(Message):
    type: Literal["start"] = "start"
    source: str
    target: str
    detected: DetectedLanguage | None = Field(None, description="when the source was to be detected")
    via: str = Field("", description='"en" when no model offers the pair and it goes through English')
    models: list[str] = Field(default_factory=list)
    sentences: int


class TranslateTextDelta(Message):
    """The next piece of the translation, to be appended; `sentences` done so far."""

    type: Literal["delta"] = "delta"
    text: str
    sentences: int


class TranslateTextDone(Message):
    """The whole translation; it equals the joined deltas."""

    type: Literal["done"] = "done"
    translation: str
    source: str
    target: str
    detected: DetectedLanguage | None = None
    via: str = ""
    models: list[str] = Field(default_factory=list)
    sentences: list[TranslatedSentence] = Field(default_factory=list)
    flags: list[TranslationFlag] = Field(default_factory=list)
    glossary_hits: list[GlossaryHit] = Field(default_factory=list)
    alternatives: list[str] = Field(default_factory=list, description="other translations of the whole text")
    timings: dict[str, float] = Field(default_factory=dict, description="milliseconds")


class TranslateTextError(Message):
    type: Literal["error"] = "error"
    code: str
    message: str
    retryable: bool = False


TranslateTextEvent = Annotated[
    Union[TranslateTextStart, TranslateTextDelta, TranslateTextDone, TranslateTextError], Field(discriminator="type")
]


class TranslateMessage(Message):
    """From a browser on /ws/translate/. The next one takes the place of the one before, which is cancelled."""

    type: Literal["translate"] = "translate"
    id: str = Field(min_length=1, max_length=64)
    text: str = Field(max_length=1_000_000, description="checked again, with a kinder error")
    source: Code = "auto"
    target: Code
    format: Literal["text", "markdown", "html"] = "text"
    alternatives: int = Field(0, ge=0, le=4)


class CancelTranslation(Message):
    type: Literal["cancel"] = "cancel"
    id: str = Field(min_length=1, max_length=64)


class KeepTranslation(Message):
    """Put the translation that was done last, of this id, into the history of a signed-in person."""

    type: Literal["keep"] = "keep"
    id: str = Field(min_length=1, max_length=64)


TranslatingMessage = Annotated[
    Union[TranslateMessage, CancelTranslation, KeepTranslation], Field(discriminator="type")
]
parse_translating_message: TypeAdapter[TranslatingMessage] = TypeAdapter(TranslatingMessage)


def json_schema() -> dict[str, Any]:
    """What goes over /ws/translate/, by direction; events carry the `id` of their message beside their own fields."""
    return {
        "translating_message": parse_translating_message.json_schema(),
        "translated_text_event": TypeAdapter(TranslateTextEvent).json_schema(),
    }
