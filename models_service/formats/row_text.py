"""A field of a data file's row as a text, in one form of Unicode, or as messages; or what is wrong with it."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from models_service.formats.corpus import ROLES

Messages = tuple[tuple[str, str], ...]
"""(role, content) of each."""
LONGEST_TEXT = 100_000
"""Characters of a passage, a text or a message."""
SURROGATE = re.compile("[\ud800-\udfff]")
"""Half a character, which JSON can write and UTF-8 cannot."""


class BadRow(ValueError):
    """The row cannot be kept: what is wrong with which field; `code` and `detail` as `checking.Problem` has them."""

    def __init__(self, field: str, code: str, detail: str = "") -> None:
        super().__init__(f'"{field}": {code.replace("_", " ")} {detail}'.strip())
        self.field, self.code, self.detail = field, code, detail


def text_in(values: Mapping[str, Any], name: str, most: int = LONGEST_TEXT, place: str = "") -> str:
    """Normalised (NFC), not stripped. `place` is what the field is called where it is not `name`. Raises BadRow."""
    place = place or name
    if name not in values or values[name] is None:
        raise BadRow(place, "missing")
    if not isinstance(values[name], str):
        raise BadRow(place, "no_text", json.dumps(values[name])[:80])
    text = unicodedata.normalize("NFC", values[name])
    if SURROGATE.search(text):
        raise BadRow(place, "broken_characters")
    if not text.strip():
        raise BadRow(place, "empty")
    if len(text) > most:
        raise BadRow(place, "too_long", str(len(text)))
    return text


def messages_in(given: Any, field: str) -> Messages:
    """Those that `field` holds, one at least. Raises BadRow, which names the message and its field."""
    if not isinstance(given, list | tuple) or not given:
        raise BadRow(field, "no_messages", json.dumps(given)[:80])
    found = []
    for number, message in enumerate(given, start=1):
        place = f"{field}[{number}]"
        if not isinstance(message, Mapping):
            raise BadRow(place, "no_object")
        if message.get("role") not in ROLES:
            raise BadRow(f"{place}.role", "no_role", str(message.get("role"))[:40])
        found.append((message["role"], text_in(message, "content", place=f"{place}.content")))
    return tuple(found)
