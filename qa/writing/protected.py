"""What must come through a translation as it is: addresses, placeholders, code, tags, numbers.

`find` says where such pieces are in a text, `lost` which of them a translation has not.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["tag", "mark", "url", "email", "placeholder", "code", "symbol", "number", "term"]

_PATTERN = re.compile(
    r"""
    (?P<code>(?P<ticks>`{1,3})[^`\n]{1,400}(?P=ticks))
  | (?P<url>(?:https?://|ftp://|www\.)[\w\-.~:/?\#\[\]@!$&()*+,;=%]+)
  | (?P<email>[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,6})
  | (?P<tag><!--[^>]{0,400}-->|</?[A-Za-z][\w:-]{0,40}(?:\s[^<>]{0,2000})?/?>)
  | (?P<placeholder>\{\{[^{}\n]{0,80}\}\} | \$\{[^{}\n]{1,80}\} | \{[\w.:!\-\[\]\\]{0,60}\}
      | %\([\w.]{1,60}\)[\#0+-]?\d{0,3}(?:\.\d{1,3})?[a-zA-Z] | %\d{1,2}\$[a-z@]
      | %(?:\d{0,3}\.\d{1,3}f|0?\d{0,3}[sdifgxXu@])(?![A-Za-z]))
  | (?P<symbol>[\u2190-\u21ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]
      [\u200d\ufe0f\u2640\u2642\U0001f000-\U0001faff]*)
  | (?P<number>\d+(?:[.,:]\d+)*)
    """,
    re.VERBOSE | re.ASCII,
)
_CLOSING = {")": "(", "]": "["}
_SEPARATORS = re.compile(r"[.,:\s\u00a0\u202f'’]")
_NUMBER = re.compile(r"\d+(?:[.,:'’\u00a0\u202f ]\d+)*")


@dataclass(frozen=True)
class Held:
    """Characters `start` to `end`, in whose place the translation has `output`."""

    start: int
    end: int
    kind: Kind
    output: str
    inner: str = ""
    """How the text has a term of a glossary."""

    @property
    def is_hard(self) -> bool:
        """Whether the translation must have it letter for letter; a number may be written in another way."""
        return self.kind != "number"

    def moved(self, by: int) -> Held:
        return replace(self, start=self.start + by, end=self.end + by)


def find(text: str, own: Sequence[Held] = ()) -> list[Held]:
    """The pieces in order, none overlapping; `own` are those that a format knows of, which go first."""
    found: list[Held] = []
    known = sorted(own, key=lambda held: held.start)
    at = 0
    for held in [*known, None]:
        until = held.start if held else len(text)
        found += _in_plain(text, at, until)
        if held:
            found.append(held)
            at = held.end
    return found


def _in_plain(text: str, start: int, end: int) -> list[Held]:
    found = []
    for match in _PATTERN.finditer(text, start, end):
        kind: Kind = match.lastgroup if match.lastgroup != "ticks" else "code"  # type: ignore[assignment]
        piece = _without_full_stop(match.group()) if kind in ("url", "email") else match.group()
        found.append(Held(match.start(), match.start() + len(piece), kind, piece))
    return found


def _without_full_stop(address: str) -> str:
    """An address without what belongs to the sentence around it: its stop, its closing bracket."""
    while address:
        last = address[-1]
        opening = _CLOSING.get(last)
        if last in ".,;:!?*~" or (opening and address.count(last) > address.count(opening)):
            address = address[:-1]
        else:
            break
    return address


def lost(held: Sequence[Held], translation: str) -> list[Held]:
    """Those of the pieces that `translation` has less often than it should."""
    missing = []
    seen: Counter[str] = Counter()
    numbers = Counter(_SEPARATORS.sub("", match) for match in _NUMBER.findall(translation))
    joined = _SEPARATORS.sub("", translation)
    for piece in held:
        key = piece.output if piece.is_hard else _SEPARATORS.sub("", piece.output)
        seen[key] += 1
        there = translation.count(key) if piece.is_hard else max(numbers[key], joined.count(key))
        if there < seen[key]:
            missing.append(piece)
    return missing
