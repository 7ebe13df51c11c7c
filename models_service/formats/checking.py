"""Checks and cleans the rows of a data file, one task at a time: each row is kept, mended or listed with its reason.

Nothing is dropped in silence: every row that is not kept, and every one that was changed in meaning, is a Problem
that names the row, the field and what is wrong with it.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from models_service.formats.entities import marked_of
from models_service.formats.labelled import label_of
from models_service.formats.parallel import is_language
from models_service.formats.preferences import preference_of
from models_service.formats.raw_rows import RawRow
from models_service.formats.retrieval_pairs import NEGATIVES, POSITIVE, QUERY, field_of, negatives_of
from models_service.formats.row_text import LONGEST_TEXT, SURROGATE, BadRow, messages_in, text_in

LONGEST_QUESTION = 2_000


@dataclass(frozen=True)
class Problem:
    """`code` says what is wrong, `detail` shows it; `kept` when the row was mended and stays."""

    row: int
    field: str
    code: str
    detail: str = ""
    kept: bool = False


@dataclass
class Checked:
    """The rows of a file that are of use, and what became of the others."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    read: int = 0
    normalised: int = 0
    """Rows whose Unicode was brought to one form (NFC), which changes no text that a person sees."""

    def counts(self) -> dict[str, int]:
        return dict(Counter(problem.code for problem in self.problems))


def check(rows: Iterable[RawRow], task: str) -> Checked:
    """`task` is one of CHECKS."""
    one, out, seen, labels = CHECKS[task], Checked(), {}, {}
    for raw in rows:
        out.read += 1
        if isinstance(raw.values, Exception):
            out.problems.append(Problem(raw.number, "", "not_json", str(raw.values)[:200]))
            continue
        if not isinstance(raw.values, dict):
            out.problems.append(Problem(raw.number, "", "no_object", json.dumps(raw.values)[:80]))
            continue
        mended: list[Problem] = []
        try:
            values = one(raw.values, partial(_note, mended, raw.number))
        except BadRow as bad:
            out.problems.append(_problem(raw.number, bad.field, bad.code, bad.detail))
            continue
        same = seen.setdefault(_identity(values), raw.number)
        if same != raw.number:
            out.problems.append(Problem(raw.number, "", "duplicate", str(same)))
            continue
        if "label" in values:
            before, label = labels.setdefault(values["text"], (raw.number, values["label"]))
            if label != values["label"]:
                _note(mended, raw.number, "label", "other_label", f"{before}, {label}")
        out.normalised += _was_normalised(raw.values)
        out.problems += mended
        out.rows.append(values)
    return out


Tell = Callable[[str, str, str], None]


def _note(mended: list[Problem], row: int, field: str, code: str, detail: str) -> None:
    mended.append(_problem(row, field, code, detail, kept=True))


def _problem(row: int, field: str, code: str, detail: str, *, kept: bool = False) -> Problem:
    """With a detail that can be written down, whatever the row holds."""
    return Problem(row, field, code, SURROGATE.sub("\N{REPLACEMENT CHARACTER}", detail), kept)


def _qa(values: dict[str, Any], tell: Tell) -> dict[str, Any]:
    if not isinstance(values.get("context"), str):
        text_in(values, "context")
    given = values["context"]
    context, question = text_in(values, "context"), text_in(values, "question", LONGEST_QUESTION).strip()
    answers, gone = [], 0
    for number, (text, start) in enumerate(_answers(values), start=1):
        place = f"answers[{number}]"
        if not isinstance(text, str) or not text.strip():
            raise BadRow(place, "empty")
        found, moved = _placed(given, context, unicodedata.normalize("NFC", text), start)
        if found is None:
            gone += 1
            tell(place, "not_in_text", text[:80])
            continue
        if moved:
            tell(place, "moved", f"{start} → {found[1]}")
        answers.append({"text": found[0], "answer_start": found[1]})
    if gone and not answers:
        raise BadRow("answers", "not_in_text", str(_answers(values)[0][0])[:80])
    return {"id": _plain(values.get("id")) or _digest(context, question), "title": _plain(values.get("title")),
            "context": context, "question": question, "answers": answers}


def _plain(value: Any) -> str:
    """An id or a title as text; "" when there is none."""
    return SURROGATE.sub("", str(value or "")).strip()


def _digest(*texts: str) -> str:
    """An id made of what the row says."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def _answers(values: dict[str, Any]) -> list[tuple[Any, Any]]:
    """(text, start) pairs of the ways in which answers are written down; none when the question has no answer."""
    if values.get("is_impossible") in (True, "true", "True", "1"):
        return []
    given = values.get("answers", values.get("answer"))
    if given is None:
        raise BadRow("answers", "missing")
    if isinstance(given, str):
        return [(given, values.get("answer_start"))] if given.strip() else []
    if isinstance(given, dict) and isinstance(given.get("text"), list):  # as the `datasets` library writes them
        starts = given.get("answer_start") or [None] * len(given["text"])
        return list(zip(given["text"], starts, strict=False))
    if isinstance(given, list) and all(isinstance(one, dict) and "text" in one for one in given):
        return [(one["text"], one.get("answer_start")) for one in given]
    if isinstance(given, list) and all(isinstance(one, str) for one in given):
        return [(one, None) for one in given]
    raise BadRow("answers", "no_answers", json.dumps(given)[:80])


def _placed(given: str, context: str, text: str, start: Any) -> tuple[tuple[str, int] | None, bool]:
    """The answer as it stands in the context, and whether it was not where the file said."""
    try:
        place = int(start)
    except (TypeError, ValueError, OverflowError):
        place = None
    if place is not None and 0 <= place <= len(given):
        shifted = len(unicodedata.normalize("NFC", given[:place]))  # what normalising moved is no fault of the file
        if context.startswith(text, shifted):
            return (text, shifted), False
        place = shifted
    for wanted in (text, text.strip()):
        found = _nearest(context, wanted, place)
        if found is not None:
            return (wanted, found), place is not None
    return None, False


def _nearest(context: str, text: str, place: int | None) -> int | None:
    if place is None:
        found = context.find(text)
        return None if found < 0 else found
    place = max(0, place)
    found = [at for at in (context.rfind(text, 0, place + len(text)), context.find(text, place)) if at >= 0]
    return min(found, key=lambda at: abs(at - place)) if found else None


def _translate(values: dict[str, Any], tell: Tell) -> dict[str, Any]:
    nested = values.get("translation")
    pair = nested if isinstance(nested, dict) else values
    codes = [code for code in pair if is_language(code) and pair[code]]
    if len(codes) < 2:
        raise BadRow("", "no_languages", ", ".join(map(str, pair))[:80])
    return {code: text_in(pair, code, 10_000).strip() for code in sorted(codes)}


def _summarize(values: dict[str, Any], tell: Tell) -> dict[str, Any]:
    text = text_in(values, "text" if "text" in values else "document")
    given = values.get("summaries", values.get("summary"))
    if given is None:
        raise BadRow("summaries", "missing")
    summaries = [given] if isinstance(given, str) else given
    if not isinstance(summaries, list) or not all(isinstance(one, str) for one in summaries):
        raise BadRow("summaries", "no_text", json.dumps(given)[:80])
    kept = [text_in({"summaries": one}, "summaries").strip() for one in summaries if one.strip()]
    if not kept:
        raise BadRow("summaries", "empty")
    return {"id": _plain(values.get("id")) or _digest(text), "text": text, "summaries": kept}


def _chat(values: dict[str, Any], tell: Tell) -> dict[str, Any]:
    messages = values.get("messages")
    if messages is None and "prompt" in values:
        answer = "response" if "response" in values else "completion"
        return {"messages": [{"role": "user", "content": text_in(values, "prompt")},
                             {"role": "assistant", "content": text_in(values, answer)}]}
    if messages is None:
        raise BadRow("messages", "missing")
    kept = [{"role": role, "content": content} for role, content in messages_in(messages, "messages")]
    if not any(message["role"] == "assistant" for message in kept):
        raise BadRow("messages", "no_assistant")
    return {"messages": kept}


def _classification(values: dict[str, Any], tell: Tell) -> dict[str, Any]:
    text = text_in(values, "text")
    if values.get("label") in (None, ""):
        raise BadRow("label", "missing")
    label = label_of(values["label"])
    if label is None:
        raise BadRow("label", "no_label", str(values["label"])[:80])
    return {"id": _plain(values.get("id")) or _digest(text), "text": text,
            "label": text_in({"label": label}, "label")}


def _token_classification(values: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """Offsets are of the text as it was given, so that it is not normalised."""
    text, marked = marked_of(values)
    if len(text) > LONGEST_TEXT:
        raise BadRow("text", "too_long", str(len(text)))
    if SURROGATE.search(text + "".join(one.label for one in marked)):
        raise BadRow("text", "broken_characters")
    return {"id": _plain(values.get("id")) or _digest(text), "text": text,
            "entities": [{"start": one.start, "end": one.end, "label": one.label} for one in marked]}


def _retrieval(values: dict[str, Any], tell: Tell) -> dict[str, Any]:
    query = text_in(values, field_of(values, QUERY), LONGEST_QUESTION).strip()
    positive = text_in(values, field_of(values, POSITIVE))
    if "answers" in values and not _answers(values):
        raise BadRow("answers", "empty")  # of SQuAD: the passage does not answer the question
    name, negatives = field_of(values, NEGATIVES), []
    for number, given in enumerate(negatives_of(values), start=1):
        place = f"{name}[{number}]"
        negative = text_in({place: given}, place)
        if negative == positive:
            tell(place, "right_and_wrong", negative[:80])
        elif negative not in negatives:
            negatives.append(negative)
    return {"id": _plain(values.get("id")) or _digest(query, positive), "query": query, "positive": positive,
            "negatives": negatives}


def _preferences(values: dict[str, Any], tell: Tell) -> dict[str, Any]:
    found = preference_of(values)
    said = [content for _role, content in found.messages]
    return {"id": _plain(values.get("id")) or _digest(*said, found.chosen, found.rejected), **found.as_row()}


CHECKS: dict[str, Callable[[dict[str, Any], Tell], dict[str, Any]]] = {
    "qa": _qa, "translate": _translate, "summarize": _summarize, "chat": _chat,
    "classification": _classification, "token-classification": _token_classification, "retrieval": _retrieval,
    "preferences": _preferences,
}


def _identity(values: dict[str, Any]) -> str:
    """Two rows are the same when they say the same, whatever they are called."""
    told = {name: value for name, value in values.items() if name not in ("id", "title")}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()


def _was_normalised(values: dict[str, Any]) -> bool:
    return any(isinstance(one, str) and not unicodedata.is_normalized("NFC", one) for one in values.values())
