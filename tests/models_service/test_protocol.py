"""The message contract: what is sent arrives unchanged, and what is not a message is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import ValidationError

from models_service.protocol import (
    MAX_PROMPT_CHARACTERS,
    MAX_QUESTION_CHARACTERS,
    MAX_TEXT_CHARACTERS,
    MAX_TEXTS,
    Calibration,
    CancelRequest,
    ChatMessage,
    EmbedDone,
    EmbedRequest,
    ErrorEvent,
    GenerateDelta,
    GenerateDone,
    GenerateRequest,
    GenerateTimings,
    LanguagePair,
    LanguagesDone,
    LanguagesRequest,
    ReadDone,
    ReadRequest,
    SpanResult,
    StartEvent,
    TextNote,
    Timings,
    TranslateDone,
    TranslateRequest,
    Translation,
    Usage,
    json_schema,
    parse_event,
    parse_request,
)

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=64)
finite = st.floats(allow_nan=False, allow_infinity=False)
who = {"id": ids, "client": text, "deadline_ms": st.none() | st.integers(1, 10**9), "model": st.none() | text}
requests = st.one_of(
    st.builds(EmbedRequest, texts=st.lists(text, min_size=1, max_size=5), **who),
    st.builds(
        ReadRequest, question=text.filter(bool), passages=st.lists(text, min_size=1, max_size=5),
        n_best=st.integers(1, 20), **who,
    ),
    st.builds(
        GenerateRequest, prompt=st.none(),
        messages=st.lists(
            st.builds(ChatMessage, role=st.sampled_from(["system", "user", "assistant"]), content=text),
            min_size=1, max_size=4,
        ),
        max_tokens=st.integers(1, 16_384), temperature=st.floats(0, 2), top_p=st.floats(0.01, 1),
        top_k=st.none() | st.integers(1, 1000), stop=st.lists(text.filter(bool), max_size=4),
        seed=st.none() | st.integers(0, 2**32 - 1), **who,
    ),
    st.builds(GenerateRequest, prompt=text.filter(bool), messages=st.none(), **who),
    st.builds(
        TranslateRequest, texts=st.lists(text, min_size=1, max_size=5), source=st.sampled_from(["en", "zh"]),
        target=st.sampled_from(["de", "pt-BR"]), n_best=st.integers(1, 5), beam_size=st.none() | st.integers(1, 10),
        **who,
    ),
    st.builds(LanguagesRequest, **who),
    st.builds(CancelRequest, id=ids),
)
counts = st.none() | st.integers(0)
timings = st.builds(Timings, queue_ms=finite, compute_ms=finite, batch_size=st.integers(0, 512))
spans = st.builds(SpanResult, text=text, start=st.integers(0), end=st.integers(0), score=finite)
events = st.one_of(
    st.builds(StartEvent, id=ids),
    st.builds(GenerateDelta, id=ids, text=text),
    st.builds(
        GenerateDone, id=ids, model=text, text=text, finish_reason=st.sampled_from(["stop", "length"]),
        usage=st.builds(Usage, prompt_tokens=counts, completion_tokens=counts),
        timings=st.builds(GenerateTimings, queue_ms=finite, first_token_ms=st.none() | finite, compute_ms=finite),
    ),
    st.builds(
        ReadDone, id=ids, model=text, spans=st.lists(st.lists(spans, max_size=3), max_size=3), timings=timings,
        calibration=st.none() | st.builds(Calibration, weights=st.dictionaries(text, finite), intercept=finite),
    ),
    st.builds(
        TranslateDone, id=ids, model=text, timings=timings,
        translations=st.lists(st.lists(st.builds(Translation, text=text, score=finite), max_size=3), max_size=3),
        notes=st.lists(st.builds(
            TextNote, index=st.integers(0, 511), kind=st.sampled_from(["pieces", "cut", "unknown"]), what=text,
        ), max_size=3),
    ),
    st.builds(
        LanguagesDone, id=ids,
        pairs=st.lists(st.builds(
            LanguagePair, source=text, target=text, model=text,
            figures=st.dictionaries(text, finite | st.integers(0, 10**6) | text, max_size=3),
        ), max_size=3),
    ),
    st.builds(
        ErrorEvent, id=ids, code=st.sampled_from(["bad_request", "busy", "cancelled", "internal"]), message=text,
        retryable=st.booleans(), retry_after_ms=st.none() | st.integers(),
    ),
)


@given(requests)
@settings(deadline=None)
def test_a_request_arrives_as_it_was_sent(request) -> None:
    assert parse_request.validate_json(request.model_dump_json(exclude_none=True)) == request


@given(events)
@settings(deadline=None)
def test_an_event_arrives_as_it_was_sent(event) -> None:
    assert parse_event.validate_json(event.model_dump_json(exclude_none=True)) == event


@given(arrays(np.float32, st.tuples(st.integers(1, 4), st.integers(1, 8)), elements=st.floats(-1, 1, width=32)))
@settings(deadline=None)
def test_vectors_arrive_bit_for_bit(vectors: np.ndarray) -> None:
    done = EmbedDone(
        id="1", model="m", vectors=EmbedDone.pack(vectors), dimension=vectors.shape[1],
        timings=Timings(queue_ms=0, compute_ms=0, batch_size=1),
    )
    received = parse_event.validate_json(done.model_dump_json()).array()
    assert received.tobytes() == vectors.tobytes() and received.shape == vectors.shape


@pytest.mark.parametrize(
    "frame",
    [
        "", "null", "[]", "7", '"embed"', "{", "\x00", "{}", '{"type": "embed"}', '{"type": "sing", "id": "1"}',
        '{"type": "embed", "id": "1", "texts": []}',
        '{"type": "embed", "id": "1", "texts": ["a"], "text": "a misspelt field"}',
        '{"type": "embed", "id": "", "texts": ["a"]}',
        '{"type": "embed", "id": 1, "texts": ["a"]}',
        '{"type": "embed", "id": "1", "texts": "a"}',
        '{"type": "embed", "id": "1", "texts": ["a"], "deadline_ms": 0}',
        '{"type": "read", "id": "1", "question": "", "passages": ["a"]}',
        '{"type": "read", "id": "1", "question": "q", "passages": ["a"], "n_best": 21}',
        '{"type": "cancel"}',
        '{"type": "generate", "id": "1"}',
        '{"type": "generate", "id": "1", "messages": []}',
        '{"type": "generate", "id": "1", "prompt": ""}',
        '{"type": "generate", "id": "1", "prompt": "a", "messages": [{"role": "user", "content": "a"}]}',
        '{"type": "generate", "id": "1", "messages": [{"role": "tool", "content": "a"}]}',
        '{"type": "generate", "id": "1", "prompt": "a", "temperature": 2.1}',
        '{"type": "generate", "id": "1", "prompt": "a", "top_p": 0}',
        '{"type": "generate", "id": "1", "prompt": "a", "stop": [""]}',
        '{"type": "generate", "id": "1", "prompt": "a", "max_tokens": 0}',
        "[" * 100_000,
    ],
)
def test_what_is_not_a_request_is_refused(frame: str) -> None:
    with pytest.raises(ValidationError):
        parse_request.validate_json(frame)


@pytest.mark.parametrize(
    "values",
    [
        {"type": "embed", "id": "x" * 65, "texts": ["a"]},
        {"type": "embed", "id": "1", "texts": ["a"] * (MAX_TEXTS + 1)},
        {"type": "embed", "id": "1", "texts": ["a" * (MAX_TEXT_CHARACTERS + 1)]},
        {"type": "read", "id": "1", "question": "q" * (MAX_QUESTION_CHARACTERS + 1), "passages": ["a"]},
        {"type": "generate", "id": "1", "prompt": "p" * (MAX_PROMPT_CHARACTERS + 1)},
        {"type": "generate", "id": "1", "messages": [{"role": "user", "content": "p" * 250_000}] * 2},
    ],
)
def test_a_request_above_a_limit_is_refused(values: dict) -> None:
    with pytest.raises(ValidationError):
        parse_request.validate_python(values)


def test_the_schema_names_every_direction() -> None:
    assert json_schema().keys() >= {"service_request", "service_event", "browser_message", "answer_event"}
