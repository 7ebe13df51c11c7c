"""SRT subtitles: the words of each cue are a block; numbers and times stay."""

from __future__ import annotations

import re

from qa.scripts import CJK
from qa.writing.blocks import Block

_CUE = re.compile(r"^[ \t]*\d+[ \t]*\r?\n[ \t]*\d+:\d\d:\d\d[,.]\d{1,3}[ \t]*-->[^\n]*\n", re.M)
_LINE_CHARACTERS = 42
"""What fits into one line of a subtitle; half as many in Chinese."""
_CJK_CHARACTER = re.compile(f"[{CJK}]")


def cue_blocks(text: str) -> list[Block]:
    heads = list(_CUE.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    found = []
    for head, end in zip(heads, ends, strict=True):
        said = text[head.end() : end].rstrip()
        if said:
            found.append(Block(head.end(), head.end() + len(said)))
    return found


def wrapped(text: str) -> str:
    """The subtitles with lines that are too long for a screen cut in two."""
    parts, at = [], 0
    for block in cue_blocks(text):
        lines = text[block.start : block.end].split("\n")
        parts += [text[at : block.start], "\n".join(map(_in_two, lines))]
        at = block.end
    return "".join([*parts, text[at:]])


def _in_two(line: str) -> str:
    is_chinese = bool(_CJK_CHARACTER.search(line))
    if len(line) <= (_LINE_CHARACTERS // 2 if is_chinese else _LINE_CHARACTERS):
        return line
    middle = len(line) // 2
    if is_chinese:
        return line[:middle] + "\n" + line[middle:]
    spaces = [match.start() for match in re.finditer(" ", line)]
    if not spaces:
        return line
    nearest = min(spaces, key=lambda place: abs(place - middle))
    return line[:nearest] + "\n" + line[nearest + 1 :]
