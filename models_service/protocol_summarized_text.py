"""The messages of summarizing a whole text, as a browser or a program sees them. Used through `protocol.py`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Union

from pydantic import Field, TypeAdapter

from models_service.protocol_base import Message

MOST_WORDS = 5_000
Length = Literal["short", "medium", "long"] | Annotated[int, Field(ge=1, le=MOST_WORDS)]
Style = Literal["paragraph", "bullets", "sentence", "key_terms"]
Method = Literal["quoted", "written"]


class SourceRange(Message):
    """Characters `start` to `end` of the text that was summarized."""

    start: int
    end: int
    score: float


class SummarySentence(Message):
    """A sentence of the summary, or a key term. Of a quoted one `text` is, to the character, the source's range.

    Of a written one `start` and `end` are the place that supports it best, None when none does.
    """

    text: str
    shown: str = Field("", description="as the summary has it: on one line, without footnotes and Markdown's marks")
    start: int | None
    end: int | None
    score: float = Field(description="0 to 1: how telling it is; of a written one, how like its source is")
    section: int | None = Field(None, description="counts `sections` from 0")
    page: int | None = Field(None, description="from 1, where the source has pages")
    supported: bool = Field(True, description="False for a written sentence that no part of the source supports")
    sources: list[SourceRange] = Field(default_factory=list, description="of a written one: what supports it")


class SummarySection(Message):
    """A part of a long text; `title` is its heading, "" where it has none."""

    title: str
    start: int
    end: int
    first_page: int | None = None
    last_page: int | None = None
    summary: str
    sentences: list[SummarySentence]


class SummaryStart(Message):
    type: Literal["start"] = "start"
    method: Method
    characters: int
    words: int = Field(description="of the text; Chinese, Japanese and Korean are counted by characters")
    sections: int = Field(description="0 for a text that is read as a whole")


class SummaryProgress(Message):
    """`section` is there each time that one has been summarized."""

    type: Literal["progress"] = "progress"
    stage: Literal["reading", "choosing", "writing", "checking"]
    done: int
    total: int
    section: SummarySection | None = None


class SummaryDelta(Message):
    """A piece of the summary, to be appended."""

    type: Literal["delta"] = "delta"
    text: str


class SummaryDone(Message):
    """`summary` equals the joined deltas."""

    type: Literal["done"] = "done"
    summary: str
    style: Style
    method: Method
    sentences: list[SummarySentence]
    sections: list[SummarySection] = Field(default_factory=list)
    words: int
    source_words: int
    model: str = Field(description="what chose the sentences, or wrote them; a key term's method")
    supported: float | None = Field(None, description="of a written one: the share of its sentences with a source")
    fallback: str = Field("", description="why it is quoted although it was to be written")
    timings: dict[str, float] = Field(default_factory=dict, description="milliseconds")


SummaryEvent = Annotated[
    Union[SummaryStart, SummaryProgress, SummaryDelta, SummaryDone], Field(discriminator="type")
]
summary_event: TypeAdapter[SummaryEvent] = TypeAdapter(SummaryEvent)


# --- from a browser on /ws/summarize/ -----------------------------------------------------------------------------


class StartSummary(Message):
    """Summarize a text that was handed in. `key` is made by the page: a repeat of it does not start another."""

    type: Literal["start"] = "start"
    key: str = Field(min_length=8, max_length=64)
    source: str = Field(max_length=64, description="the id of the text, from POST /api/v1/summaries/")
    length: Length = "medium"
    style: Style = "paragraph"
    method: Method | None = Field(None, description="None: written when there is a text generator, quoted otherwise")
    language: str | None = Field(None, pattern="^[a-z]{2}$", description="of a written summary; the text's if None")


class ResumeSummary(Message):
    """Send the events of this summary after `after` (0: all), then follow it to its end."""

    type: Literal["resume"] = "resume"
    summary: int
    after: int = Field(0, ge=0)


class CancelSummary(Message):
    type: Literal["cancel"] = "cancel"
    summary: int


SummarizeMessage = Annotated[Union[StartSummary, ResumeSummary, CancelSummary], Field(discriminator="type")]
parse_summarize_message: TypeAdapter[SummarizeMessage] = TypeAdapter(SummarizeMessage)


class SummaryEnvelope(Message):
    """What the browser receives: one event of one summary; `seq` counts from 1."""

    summary: int
    source: str
    seq: int
    event: dict[str, Any] = Field(description='a summary event, or the "error" that it ends with')


def json_schema() -> dict[str, Any]:
    return {
        "summarize_message": parse_summarize_message.json_schema(),
        "summary_event": summary_event.json_schema(),
        "summary_envelope": SummaryEnvelope.model_json_schema(),
    }
