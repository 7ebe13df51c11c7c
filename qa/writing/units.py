"""Cut a block into units: sentences, none too long for a model, with the tags that belong to them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from qa.sentences import sentences
from qa.writing.blocks import CODECS, Block, Format
from qa.writing.formats import blocks
from qa.writing.glossary import Glossary
from qa.writing.html_blocks import VOID
from qa.writing.protected import Held, find

MAX_UNIT_CHARACTERS = 400
"""A small model loses the thread in longer ones."""
_BREAK = re.compile(r"[;:,、，；：)）\]]\s*|\s+[-–—]\s+")
_NAME = re.compile(r"</?\s*([A-Za-z][\w:-]*)")
_EDGE = ("tag", "mark", "symbol", "url", "email")
"""Pieces that a sentence says as much without, when they stand at its end."""


@dataclass(frozen=True)
class Unit:
    """Characters `start` to `end` of the text, as words to translate and pieces to keep."""

    start: int
    end: int
    tokens: tuple[str | Held, ...]


def units(text: str, format: Format, glossary: Glossary) -> list[Unit]:
    """In order; what lies between them is kept as it is. One without a letter is none."""
    return [unit for block in blocks(text, format) for unit in _of_block(text, block, format, glossary)]


def _of_block(text: str, block: Block, format: Format, glossary: Glossary) -> Iterator[Unit]:
    own = [held.moved(-block.start) for held in block.held]
    source = text[block.start : block.end]
    held = find(source, own)
    starts = [piece.start for piece in held]
    shadow = _shadow(source, held)
    partners = _partners(held)
    for start, end in sentences(shadow):
        for left, right in _short_enough(shadow, start, end):
            near = range(max(0, bisect_left(starts, left) - 1), bisect_left(starts, right))
            left, right = _trimmed(source, left, right, [held[number] for number in near])
            left, right = _with_partners(shadow, left, right, held, near, partners)
            inside = [held[number] for number in range(bisect_left(starts, left), bisect_left(starts, right))]
            tokens = tuple(_tokens(source, left, right, inside, format, glossary))
            if any(map(_is_said, tokens)):
                yield Unit(block.start + left, block.start + right, tokens)


def _is_said(token: str | Held) -> bool:
    return any(map(str.isalpha, token)) if isinstance(token, str) else token.kind == "term"


def _shadow(source: str, held: Sequence[Held]) -> str:
    """The text with its tags as space and its other pieces as letters, so that no stop in them ends a sentence."""
    parts, at = [], 0
    for piece in held:
        if piece.kind == "number":
            continue
        blank = " " if piece.kind in ("tag", "mark") else "X"
        parts += [source[at : piece.start], blank * (piece.end - piece.start)]
        at = piece.end
    return "".join([*parts, source[at:]])


def _short_enough(shadow: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while end - start > MAX_UNIT_CHARACTERS:
        window = shadow[start : start + MAX_UNIT_CHARACTERS]
        breaks = [match.end() for match in _BREAK.finditer(window) if match.end() > MAX_UNIT_CHARACTERS // 4]
        spaces = window.rfind(" ", MAX_UNIT_CHARACTERS // 4)
        cut = breaks[-1] if breaks else spaces if spaces > 0 else MAX_UNIT_CHARACTERS
        while 0 < cut < len(window) and shadow[start + cut - 1] == shadow[start + cut] == "X":
            cut -= 1  # never through a piece
        cut = cut or len(window)
        yield start, start + len(window[:cut].rstrip())
        start += cut
        while start < end and shadow[start].isspace():
            start += 1
    if end > start:
        yield start, end


def _trimmed(source: str, start: int, end: int, held: Sequence[Held]) -> tuple[int, int]:
    for piece in held:
        if piece.kind in _EDGE and piece.start <= start < piece.end <= end:
            start = piece.end
            while start < end and source[start].isspace():
                start += 1
    for piece in reversed(held):
        if piece.kind in _EDGE and start <= piece.start < end <= piece.end:
            end = piece.start
            while end > start and source[end - 1].isspace():
                end -= 1
    return start, end


def _partners(held: Sequence[Held]) -> dict[int, int]:
    """Which tags and marks open and close the same part, as numbers of `held`, both ways."""
    found: dict[int, int] = {}
    stack: list[tuple[int, str]] = []
    for number, piece in enumerate(held):
        opens, closes = sides(piece)
        if closes and stack and stack[-1][1] == closes:
            first = stack.pop()[0]
            found |= {first: number, number: first}
        elif opens:
            stack.append((number, opens))
    return found


def sides(piece: Held) -> tuple[str, str]:
    """What a piece opens and what it closes, by names that fit each other; ("", "") for one that stands alone."""
    if piece.kind == "mark":
        if piece.output in ("[", "!["):
            return "]", ""
        if piece.output.startswith("]"):
            return "", "]"
        return ("", "") if piece.output[0] in "\\<[" else (piece.output, piece.output)
    name = _NAME.match(piece.output) if piece.kind == "tag" else None
    if not name or name[1].lower() in VOID or piece.output.endswith("/>"):
        return "", ""
    return ("", name[1].lower()) if piece.output.startswith("</") else (name[1].lower(), "")


def _with_partners(
    shadow: str, start: int, end: int, held: Sequence[Held], near: Sequence[int], partners: dict[int, int]
) -> tuple[int, int]:
    """The range with those tags just outside it whose partner is inside."""
    for number in near:
        piece, other = held[number], held[partners[number]] if number in partners else None
        if other is None or not (start <= piece.start and piece.end <= end):
            continue
        if other.end <= start and start - other.start < MAX_UNIT_CHARACTERS and not shadow[other.end : start].strip():
            start = other.start
        if other.start >= end and other.end - end < MAX_UNIT_CHARACTERS and not shadow[end : other.start].strip():
            end = other.end
    return start, end


def _tokens(
    source: str, start: int, end: int, held: Sequence[Held], format: Format, glossary: Glossary
) -> Iterator[str | Held]:
    """Words and pieces by turns. Words are read from the format: "&amp;" is "&"."""
    read, write = CODECS[format]
    at = start
    inside = [piece for piece in held if piece.is_hard and piece.kind in ("tag", "mark", "code")
              and start <= piece.start and piece.end <= end]
    for piece in [*inside, None]:
        yield from _in_words(read(source[at : piece.start if piece else end]), glossary, write)
        if piece:
            yield piece
            at = piece.end


def _in_words(words: str, glossary: Glossary, write: Callable[[str], str]) -> Iterator[str | Held]:
    found = [piece for piece in find(words) if piece.is_hard]
    found += glossary.find(words, found)
    at = 0
    for piece in sorted(found, key=lambda held: held.start):
        if piece.start > at:
            yield words[at : piece.start]
        yield piece if piece.kind == "term" else replace(piece, output=write(piece.output))
        at = piece.end
    if at < len(words):
        yield words[at:]
