"""The blocks of a page: what stands between its block elements, with the inline tags in it.

Nothing of the page is written anew, so all that is not words stays byte for byte. A parser that builds a tree would
lose that, and the standard library's takes time that grows with the square of a hostile page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from qa.writing.blocks import Block, paragraphs_of
from qa.writing.protected import Held

_KEPT = frozenset("script style code pre textarea svg math template noscript samp kbd var".split())
_RAW = frozenset("script style textarea".split())
_KEPT_INLINE = frozenset("code kbd samp var math svg".split())
_INLINE = frozenset(
    "a abbr acronym b bdi bdo big cite data del dfn em font i img ins label mark q s small span strike strong sub "
    "sup time tt u wbr".split()
)
VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())
_NOT_TRANSLATED = re.compile(
    r"""\stranslate\s*=\s*["']?no\b|\sclass\s*=\s*["'][^"']{0,500}\bnotranslate\b""", re.IGNORECASE
)
_TAG = re.compile(r"""<(/?)([A-Za-z][\w:-]*+)(?:[\s/](?:[^<>"']++|"[^"]*+"|'[^']*+')*+)?>""")
_LONGEST_TAG = 20_000


@dataclass(frozen=True)
class _Token:
    start: int
    end: int
    kind: Literal["open", "close", "single", "words", "border"]
    tag: str = ""


def html_blocks(text: str) -> list[Block]:
    """Their places; an element that is not to be translated is one piece of the block around it."""
    found = [block for block in _Gathering(text).gather() if text[block.start : block.end].strip()]
    return [part for block in found for part in paragraphs_of(text, block)]


def _tokens(text: str) -> Iterator[_Token]:
    at = begin = 0
    while (opening := text.find("<", at)) >= 0:
        token = _markup(text, opening)
        if token is None:
            at = opening + 1
            continue
        if opening > begin:
            yield _Token(begin, opening, "words")
        yield token
        at = begin = token.end
        if token.kind == "open" and token.tag in _RAW:
            closing = re.compile(rf"</{token.tag}\b", re.IGNORECASE).search(text, at)
            end = closing.start() if closing else len(text)
            if end > at:
                yield _Token(at, end, "words")
            at = begin = end
    if begin < len(text):
        yield _Token(begin, len(text), "words")


def _markup(text: str, at: int) -> _Token | None:
    """The tag, comment or declaration that begins here; None when this "<" is only a sign."""
    if text.startswith("<!--", at):
        end = text.find("-->", at + 4)
        return _Token(at, end + 3 if end >= 0 else len(text), "single", "!")
    if text.startswith(("<!", "<?"), at):
        end = text.find(">", at)
        return _Token(at, end + 1 if end >= 0 else len(text), "border")
    match = _TAG.match(text, at, at + _LONGEST_TAG)
    if not match:
        return None
    tag = match[2].lower()
    alone = tag in VOID or match.group().endswith("/>")
    return _Token(at, match.end(), "close" if match[1] else "single" if alone else "open", tag)


class _Gathering:
    def __init__(self, text: str) -> None:
        self._text = text
        self._found: list[Block] = []
        self._current: Block | None = None
        self._kept, self._depth = "", 0

    def gather(self) -> list[Block]:
        for token in _tokens(self._text):
            if self._kept:
                self._within_kept(token)
            elif token.kind == "open" and self._is_kept(token):
                self._kept, self._depth = token.tag, 1
                self._take(token, "code") if token.tag in _INLINE | _KEPT_INLINE else self._end()
            elif token.kind == "words":
                self._block(token.start).end = token.end
            elif token.tag in _INLINE or token.tag == "!":
                self._take(token, "tag")
            else:
                self._end()
        return self._found

    def _is_kept(self, token: _Token) -> bool:
        return token.tag in _KEPT or bool(_NOT_TRANSLATED.search(self._text, token.start, token.end))

    def _within_kept(self, token: _Token) -> None:
        if self._current:
            last = self._current.held[-1]
            self._current.held[-1] = Held(last.start, token.end, "code", self._text[last.start : token.end])
            self._current.end = token.end
        if token.tag == self._kept:
            self._depth += {"open": 1, "close": -1}.get(token.kind, 0)
            self._kept = self._kept if self._depth else ""

    def _take(self, token: _Token, kind: Literal["tag", "code"]) -> None:
        block = self._block(token.start)
        block.held.append(Held(token.start, token.end, kind, self._text[token.start : token.end]))
        block.end = token.end

    def _block(self, start: int) -> Block:
        if self._current is None:
            self._current = Block(start, start)
            self._found.append(self._current)
        return self._current

    def _end(self) -> None:
        self._current = None
