"""A block of running text; what lies between the blocks of a text is kept as it is (`formats.py` finds them).

A block knows the tags and marks in it, so that whoever translates it can set them again.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from qa.writing.protected import Held

Format = Literal["text", "markdown", "html", "srt"]


@dataclass
class Block:
    """Characters `start` to `end` of the text; `held` are its tags and marks, at places of the whole text."""

    start: int
    end: int
    held: list[Held] = field(default_factory=list)


def plain(text: str) -> str:
    return text


def escaped(text: str) -> str:
    return html.escape(text, quote=False)


CODECS: dict[Format, tuple[Callable[[str], str], Callable[[str], str]]] = {
    "text": (plain, plain), "markdown": (plain, plain), "html": (html.unescape, escaped),
    "srt": (plain, plain),
}
"""How text is read from its format, and written in it."""


_GAP = re.compile(r"\n[ \t\r\f\v]*\n\s*")


def paragraphs_of(text: str, block: Block) -> list[Block]:
    """The block cut at empty lines."""
    found, start, held = [], block.start, list(reversed(block.held))
    for gap in [*_GAP.finditer(text, block.start, block.end), None]:
        end = gap.start() if gap else block.end
        if held and gap and any(piece.start < gap.end() and gap.start() < piece.end for piece in block.held):
            continue  # within a piece
        own = []
        while held and held[-1].end <= end:
            own.append(held.pop())
        if end > start:
            found.append(Block(start, end, own))
        start = gap.end() if gap else end
    return found
