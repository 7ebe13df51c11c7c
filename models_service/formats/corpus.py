"""Read what a causal language model learns from or is measured on: texts and conversations, plain or gzip.

Told apart by what is in the file:

    plain text or Markdown         one text a file
    JSON Lines with "text"         one text a line
    JSON Lines with "messages"     one conversation a line: [{"role": "user", "content": "…"}, …]
    JSON Lines with a key a language, such as {"en": "Go.", "de": "Geh."}    the texts of one language
    SQuAD JSON                     its paragraphs, each once
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models_service.formats.files import FormatError, read_text
from models_service.formats.json_lines import read_json_lines
from models_service.formats.squad import read_squad

ROLES = ("system", "user", "assistant")
PLAIN_ENDINGS = (".txt", ".md")


@dataclass(frozen=True)
class Document:
    """A text, or the (role, content) pairs of a conversation."""

    text: str = ""
    messages: tuple[tuple[str, str], ...] = ()


def read_corpus(path: Path, language: str = "en") -> list[Document]:
    """The file's texts or conversations, in its order; `language` says which side of parallel text.

    Raises:
        FormatError: the file is unreadable or empty, or a line is not of these forms; the message says where.
    """
    text = read_text(path, "text")
    plain = path.name.lower().removesuffix(".gz").endswith(PLAIN_ENDINGS)
    if plain or not text.lstrip().startswith("{"):
        found = [Document(text)] if text.strip() else []
    elif _is_squad(text):
        found = [Document(context) for context in dict.fromkeys(one.context for one in read_squad(path))]
    else:
        found = [_document(path, number, line, language) for number, line in read_json_lines(path)]
    if not found:
        raise FormatError(f"{path}: no text in it")
    return found


def _is_squad(text: str) -> bool:
    """One JSON object over the whole file, with a list under "data"."""
    try:
        values = json.loads(text)
    except ValueError:
        return False
    return isinstance(values, dict) and isinstance(values.get("data"), list)


def _document(path: Path, number: int, line: dict[str, Any], language: str) -> Document:
    if "messages" in line:
        return Document(messages=_conversation(path, number, line["messages"]))
    text = line.get("text", line.get(language))
    if not isinstance(text, str) or not text.strip():
        raise FormatError(f'{path}, line {number}: expected a text under "text" or "{language}", or "messages"')
    return Document(text)


def _conversation(path: Path, number: int, messages: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(messages, list) or not all(
        isinstance(one, dict) and one.get("role") in ROLES and isinstance(one.get("content"), str) for one in messages
    ):
        raise FormatError(f'{path}, line {number}: "messages" must be a list of objects with a "content" and a '
                          f'"role" of {", ".join(ROLES)}')
    if not any(one["role"] == "assistant" for one in messages):
        raise FormatError(f"{path}, line {number}: no message of the assistant, so there is nothing to learn from it")
    return tuple((one["role"], one["content"]) for one in messages)
