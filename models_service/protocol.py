"""The message contract, once, for the model service, its clients and the browser.

Every message is one JSON object. A request carries an `id` chosen by its sender; each event answers one id. Events
to a browser also carry `seq`, counted from 1 within one answer, so that a dropped socket resumes where it was.
The JSON Schema of all of it is served at `/api/v1/protocol`.
"""

from __future__ import annotations

import base64
from typing import Annotated, Any, Literal, Union

import numpy as np
from pydantic import Field, TypeAdapter

from models_service import protocol_summarized_text, protocol_translated_text
from models_service.protocol_base import Event, Message, Request, RequestId, Timings
from models_service.protocol_chat import (
    AskMessage,
    BrowserMessage,
    ChatEnvelope,
    RegenerateMessage,
    ResumeMessage,
    StopMessage,
    parse_browser_message,
)
from models_service.protocol_classification import Classified, ClassifyDone, ClassifyRequest, Entity, LabelScore
from models_service.protocol_generation import (
    MAX_PROMPT_CHARACTERS,
    ChatMessage,
    GenerateDelta,
    GenerateDone,
    GenerateRequest,
    GenerateTimings,
    TokenLogprob,
    Usage,
)
from models_service.protocol_summary import MAX_SENTENCES, ChosenSentence, SummarizeDone, SummarizeRequest
from models_service.protocol_translation import (
    LanguagePair,
    LanguagesDone,
    LanguagesRequest,
    TextNote,
    TranslateDone,
    TranslateRequest,
    Translation,
)

__all__ = [  # what is defined elsewhere and is part of the contract; all of this file's own names are too
    "MAX_PROMPT_CHARACTERS", "MAX_SENTENCES", "AskMessage", "BrowserMessage", "ChatEnvelope", "ChatMessage",
    "ChosenSentence", "Classified", "ClassifyDone", "ClassifyRequest", "Entity", "Event", "GenerateDelta",
    "GenerateDone", "GenerateRequest", "GenerateTimings", "LabelScore", "LanguagePair", "LanguagesDone",
    "LanguagesRequest", "Message", "RegenerateMessage", "Request", "ResumeMessage", "StopMessage", "SummarizeDone",
    "SummarizeRequest", "TextNote", "Timings", "TokenLogprob", "TranslateDone", "TranslateRequest", "Translation",
    "Usage", "parse_browser_message",
]

MAX_TEXTS = 512
MAX_TEXT_CHARACTERS = 20_000
MAX_QUESTION_CHARACTERS = 2_000
MAX_FRAME_BYTES = 8 * 1024 * 1024
"""The largest frame between a web or worker process and the model service."""
MAX_BROWSER_FRAME_BYTES = 64 * 1024

Text = Annotated[str, Field(max_length=MAX_TEXT_CHARACTERS)]


# --- requests to the model service -------------------------------------------------------------------------------


class EmbedRequest(Request):
    type: Literal["embed"] = "embed"
    texts: list[Text] = Field(min_length=1, max_length=MAX_TEXTS)


class ReadRequest(Request):
    type: Literal["read"] = "read"
    question: str = Field(min_length=1, max_length=MAX_QUESTION_CHARACTERS)
    passages: list[Text] = Field(min_length=1, max_length=MAX_TEXTS)
    n_best: int = Field(3, ge=1, le=20)


class RerankRequest(Request):
    """Score each passage by how well it answers the query."""

    type: Literal["rerank"] = "rerank"
    query: str = Field(min_length=1, max_length=MAX_QUESTION_CHARACTERS)
    passages: list[Text] = Field(min_length=1, max_length=MAX_TEXTS)


class CancelRequest(Message):
    """Stop the request with this id; its engine slot is free within one batch, or one decoding step. Answered by that
    id's error event."""

    type: Literal["cancel"] = "cancel"
    id: RequestId


ServiceRequest = Annotated[
    Union[
        EmbedRequest, ReadRequest, RerankRequest, SummarizeRequest, ClassifyRequest, TranslateRequest,
        LanguagesRequest, GenerateRequest, CancelRequest,
    ],
    Field(discriminator="type"),
]
parse_request: TypeAdapter[ServiceRequest] = TypeAdapter(ServiceRequest)


# --- events from the model service -------------------------------------------------------------------------------

ErrorCode = Literal[
    "bad_request", "too_large", "not_found", "forbidden", "busy", "cancelled", "deadline", "unavailable", "internal"
]


class StartEvent(Event):
    """The request left the queue and an engine works on it."""

    type: Literal["start"] = "start"


class EmbedDone(Event):
    type: Literal["done"] = "done"
    result: Literal["embed"] = "embed"
    model: str
    version: str = Field("", description="of the model; vectors of two versions cannot be compared")
    vectors: str = Field(description="base64 of little-endian float32, rows of `dimension`, each of L2 norm 1")
    dimension: int
    tokens: int = Field(0, description="that the texts have for the encoder")
    timings: Timings

    def array(self) -> np.ndarray:
        """The vectors as float32 of shape (texts, dimension)."""
        return np.frombuffer(base64.b64decode(self.vectors), dtype="<f4").reshape(-1, self.dimension)

    @staticmethod
    def pack(vectors: np.ndarray) -> str:
        return base64.b64encode(np.ascontiguousarray(vectors, dtype="<f4").tobytes()).decode("ascii")


class SpanResult(Message):
    """`start` and `end` are characters of the passage; `score` is the logit margin over "not answered here"."""

    text: str
    start: int
    end: int
    score: float


class Calibration(Message):
    """How the reader's scores become a probability: weights of a logistic regression, kept beside the weights.

    The service passes it through untouched; `qa/answer.py` knows what the names mean.
    """

    weights: dict[str, float]
    intercept: float


class ReadDone(Event):
    type: Literal["done"] = "done"
    result: Literal["read"] = "read"
    model: str
    version: str = ""
    spans: list[list[SpanResult]] = Field(description="for each passage its best spans, best first")
    timings: Timings
    calibration: Calibration | None = Field(None, description="None when the reader has none")


class RerankDone(Event):
    type: Literal["done"] = "done"
    result: Literal["rerank"] = "rerank"
    model: str
    version: str = ""
    scores: list[float] = Field(description="one a passage; higher is better, comparable for one query only")
    timings: Timings


UNKNOWN_ID = "?"
"""Answered to a frame so broken that its id cannot be read."""


class ErrorEvent(Event):
    type: Literal["error"] = "error"
    code: ErrorCode
    message: str
    retryable: bool = False
    retry_after_ms: int | None = None


DoneEvent = Annotated[
    Union[
        EmbedDone, ReadDone, RerankDone, SummarizeDone, ClassifyDone, TranslateDone, LanguagesDone, GenerateDone,
    ],
    Field(discriminator="result"),
]
ServiceEvent = Annotated[Union[StartEvent, GenerateDelta, DoneEvent, ErrorEvent], Field(discriminator="type")]
parse_event: TypeAdapter[ServiceEvent] = TypeAdapter(ServiceEvent)


# --- an answer, as a browser or a program sees it ----------------------------------------------------------------


class AlsoIn(Message):
    """Another place that says the same: a near-duplicate of a cited passage."""

    document: str = Field(description="document id")
    title: str
    start: int
    end: int
    url: str = Field("", description="opens the document there; filled in by the site")


class Citation(Message):
    """An exact character range of a stored document: document_text[start:end] == quote.

    `span_start` and `span_end` are the marked answer inside it, in characters of the document, or equal to `start`
    when nothing is marked.
    """

    document: str = Field(description="document id")
    title: str
    passage: int = Field(description="passage id within its collection")
    start: int
    end: int
    quote: str
    span_start: int
    span_end: int
    score: float = Field(description="0 to 1: how likely the reader holds this span to be the answer")
    url: str = Field("", description="opens the document at the citation; filled in by the site")
    source: str = Field("", description="the web address that the document came from, if any; filled in by the site")
    page: int | None = Field(None, description="the page it begins on, from 1, where the document has pages")
    page_kind: Literal["page", "slide"] = Field("page", description="what such a page is called in this document")
    section: str = Field("", description="the heading that it stands under, where there is one; in a spreadsheet "
                         "the sheet")
    row: int | None = Field(None, description="the row of the spreadsheet that it stands in, from 1")
    recognised: bool = Field(False, description="its text was recognised in a picture, and may have errors")
    mark: int = Field(0, description="the bracketed number that a generator's answer names it by; 0 for quoted ones")
    also_in: list[AlsoIn] = Field(default_factory=list, description="documents that hold nearly the same passage")


class SourcesEvent(Message):
    """The passages that the answer is being read from, best first."""

    type: Literal["sources"] = "sources"
    sources: list[Citation]


class DeltaEvent(Message):
    """A piece of the answer's text, to be appended. `citation` numbers the source it was taken from, from 1."""

    type: Literal["delta"] = "delta"
    text: str
    citation: int | None = None


class AnswerDone(Message):
    """The whole answer. `answer` equals the joined deltas, which count for nothing when `abstained`; it is Markdown
    when `format` says so."""

    type: Literal["done"] = "done"
    answer: str
    span: str = Field("", description="the shortest exact answer, empty when abstained")
    format: Literal["plain", "markdown"] = "plain"
    abstained: bool
    confidence: float = Field(
        description="0 to 1. Quoted: calibrated, of answers at 0.7 about 70 % are right. Written by a generator: the "
        "share of its sentences that a passage supports. From a table or the knowledge graph: 0.9, not calibrated"
    )
    citations: list[Citation]
    nearest: list[Citation] = Field(default_factory=list, description="when abstained: the nearest passages")
    question: str = Field("", description="the question as it was searched for, after a follow-up was completed")
    verification: dict[str, Any] = Field(
        default_factory=dict, description="how it was made and checked; `graph` is there where a knowledge graph was "
        "imported: its `verdict` (confirmed, contradicted, unknown; answered where the documents hold no answer and "
        "it is the graph's own) and the `facts` that it rests on, each with subject, predicate, object and source",
    )
    timings: dict[str, float] = Field(default_factory=dict, description="milliseconds")


class AnswerError(Message):
    type: Literal["error"] = "error"
    code: ErrorCode
    message: str
    retryable: bool = False


AnswerEvent = Annotated[Union[SourcesEvent, DeltaEvent, AnswerDone, AnswerError], Field(discriminator="type")]


def json_schema() -> dict[str, Any]:
    """Every message by the direction it travels in."""
    return {
        "service_request": parse_request.json_schema(),
        "service_event": parse_event.json_schema(),
        "browser_message": parse_browser_message.json_schema(),
        "answer_event": TypeAdapter(AnswerEvent).json_schema(),
        "chat_envelope": ChatEnvelope.model_json_schema(),
        **protocol_summarized_text.json_schema(),
        **protocol_translated_text.json_schema(),
    }
