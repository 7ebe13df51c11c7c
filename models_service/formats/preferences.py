"""A row of preferences: a conversation so far and two answers to it, of which people prefer one.

What was said before the answers is told in one of these ways, as trl's data sets have them:

    "prompt": "…"            a question
    "prompt": [messages]     a conversation that ends with the user's message; also called "messages"
    neither                  "chosen" and "rejected" are whole conversations, alike but for their last message

"chosen" and "rejected" are texts, or lists of messages of which the last one is the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models_service.formats.files import FormatError
from models_service.formats.labelled import read_objects
from models_service.formats.row_text import BadRow, Messages, messages_in, text_in


@dataclass(frozen=True)
class Preference:
    """`messages` end with what the user says; `chosen` is the better answer to it."""

    id: str
    messages: Messages
    chosen: str
    rejected: str

    def as_row(self) -> dict[str, Any]:
        """As `preference_of` reads it, without the id."""
        messages = [{"role": role, "content": content} for role, content in self.messages]
        return {"messages": messages, "chosen": self.chosen, "rejected": self.rejected}


def read_preferences(path: Path) -> list[Preference]:
    """Raises FormatError, which names the row and the field."""
    rows = []
    for number, values in read_objects(path):
        try:
            rows.append(preference_of(values, str(values.get("id") or number)))
        except BadRow as bad:
            raise FormatError(f"{path}, row {number}, {bad}; mend or remove the row") from None
    return rows


def preference_of(values: Mapping[str, Any], name: str = "") -> Preference:
    """A row in any of the forms. Raises BadRow."""
    before, chosen = _answer(values, "chosen")
    before_rejected, rejected = _answer(values, "rejected")
    if before != before_rejected:
        raise BadRow("rejected", "no_common_prefix")
    field = "messages" if values.get("prompt") is None and values.get("messages") is not None else "prompt"
    told = _told(values, field)
    if before and told and before[-len(told) :] != told:  # some data sets tell the question once more
        raise BadRow("chosen", "other_prompt", told[-1][1][:80])
    messages = before or told
    if not messages:
        raise BadRow(field, "missing")
    if messages[-1][0] != "user":
        raise BadRow(field if told else "chosen", "no_question", messages[-1][0])
    if chosen.strip() == rejected.strip():
        raise BadRow("rejected", "same_as_chosen", rejected[:80])
    return Preference(name, messages, chosen, rejected)


def _answer(values: Mapping[str, Any], field: str) -> tuple[Messages, str]:
    """What a list of messages says before its answer, and the answer."""
    given = values.get(field)
    if not isinstance(given, list | tuple):
        return (), text_in(values, field)
    *before, (role, answer) = messages_in(given, field)
    if role != "assistant":
        raise BadRow(f"{field}[{len(given)}].role", "no_answer", role)
    return tuple(before), answer


def _told(values: Mapping[str, Any], field: str) -> Messages:
    given = values.get(field)
    if given is None:
        return ()
    if field == "messages" or isinstance(given, list | tuple):
        return messages_in(given, field)
    return (("user", text_in(values, field)),)
