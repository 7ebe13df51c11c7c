"""The blocks of a Markdown text: paragraphs, items, cells; not its code, front matter or rules."""

from __future__ import annotations

import re
from collections.abc import Iterator

from qa.writing.blocks import Block
from qa.writing.protected import Held

_FRONT_MATTER = re.compile(r"---[ \t]*\n.*?\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.S)
_FENCE = re.compile(r"[ \t]*(?:>[ \t]?)*[ \t]*(?:[-*+][ \t]+)?(`{3,}|~{3,})")
_LEAD = re.compile(
    r"[ \t]*(?:>[ \t]?)*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?)*(?:\#{1,6}[ \t]+)?"
    r"(?:\[\^[^\]\n]{1,40}\]:[ \t]*)?"
)
_NO_TEXT = re.compile(
    r"[ \t]*(?:[-=*_][ \t]*){3,}$|[ \t]*\[(?!\^)[^\]\n]{1,200}\]:[ \t]*\S+"
    r"|[ \t>]*\|?[ \t]*:?-{2,}:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$"
)
_MARK = re.compile(
    r"""\\[!-/:-@\[-`{-~]
      | \[\^[^\]\n]{1,40}\]
      | !?\[(?=[^\]\n]{0,500}\][(\[])
      | \]\((?:[^()\s]|\([^()\s]{0,200}\)){0,2000}(?:[ \t]+(?:"[^"\n]{0,300}"|'[^'\n]{0,300}'))?\)
      | \]\[[^\]\n]{0,200}\]
      | <(?:https?://|mailto:)[^>\s]{1,2000}>
      | ~~ | \*{1,3}(?=[^\s*]) | (?<=[^\s*])\*{1,3}
      | (?<![\w_])_{1,3}(?=[^\s_]) | (?<=[^\s_])_{1,3}(?![\w_])""",
    re.VERBOSE,
)
_INLINE_CODE = re.compile(r"(`{1,3})[^`\n]{1,400}\1")
_PIPE = re.compile(r"(?<!\\)\|")


def markdown_blocks(text: str) -> Iterator[Block]:
    at = 0
    front = _FRONT_MATTER.match(text)
    if front:
        at = front.end()
    open_fence = ""
    paragraph: Block | None = None
    for line in re.compile(r"[^\n]*\n|[^\n]+\Z").finditer(text, at):
        start, end = line.start(), line.start() + len(line.group().rstrip("\r\n"))
        content = text[start:end]
        fence = _FENCE.match(content)
        lead = _LEAD.match(content)
        starts_block = bool(lead and lead.group().strip()) or not content.strip()
        is_row = "|" in content and not open_fence and len(_PIPE.findall(content)) > 1
        if fence or open_fence or starts_block or is_row or _NO_TEXT.match(content):
            if paragraph:
                yield _with_marks(text, paragraph)
            paragraph = None
        if fence and (not open_fence or fence[1].startswith(open_fence)):
            open_fence = "" if open_fence else fence[1]
        elif open_fence or not content.strip() or _NO_TEXT.match(content):
            continue
        elif is_row:
            yield from (_with_marks(text, cell) for cell in _cells(text, start, end))
        elif paragraph:
            paragraph.end = end
        else:
            paragraph = Block(start + (lead.end() if lead else 0), end)
    if paragraph:
        yield _with_marks(text, paragraph)


def _cells(text: str, start: int, end: int) -> Iterator[Block]:
    for pipe in [*_PIPE.finditer(text, start, end), None]:
        until = pipe.start() if pipe else end
        if until > start:
            yield Block(start, until)
        start = pipe.end() if pipe else end


def _with_marks(text: str, block: Block) -> Block:
    code = [match.span() for match in _INLINE_CODE.finditer(text, block.start, block.end)]
    for match in _MARK.finditer(text, block.start, block.end):
        if not any(start <= match.start() < end for start, end in code):
            block.held.append(Held(match.start(), match.end(), "mark", match.group()))
    return block
