"""Find the sentences of a text, English or Chinese, plain or Markdown, as character ranges."""

from __future__ import annotations

import re
from collections.abc import Iterator

from models_service.scripts import CJK

_CLOSERS = r"[\"'”’」』）)\]】》*_]*"
_BORDER = re.compile(rf"(?P<stop>[.!?…。！？]+{_CLOSERS}(?:\[\d{{1,3}}\])*)|(?P<line>\n[ \t]*)")
"""A run of stops is matched whole, whatever follows: looking ahead here would read a long run again and again."""
_STRUCTURE = re.compile(r"[ \t]*(?:[-*+•]\s|\d{1,3}[.)、]\s|#{1,6}\s|\||>|```|~~~|\n|$)")
_FULL_WIDTH_STOP = re.compile("[。！？]")
_CJK_CHARACTER = re.compile(f"[{CJK}]")
_HEADING = re.compile(r"[ \t]{0,3}#{1,6}[ \t]")
_TERMINATED = re.compile(rf"[.!?…。！？:：;；]{_CLOSERS}[ \t]*$")
_STARTS_SENTENCE = re.compile(rf"\s{{0,40}}[\"'“‘「『（(\[*_]*(?:[A-Z0-9{CJK}]|[^\W\d_a-z])")
_STARTS_UNCASED = re.compile(r"\s{0,40}[\"'“‘「『（(\[*_£$€]*\w")
"""Where the text is written without capitals."""
_LAST_WORD = re.compile(r"[^\s(\[\"'“‘。！？，、（「《]*$")
_INITIAL = re.compile(r"(?:[A-Z]\.)+|[A-Za-z]\.(?:[A-Za-z]\.)+")
_TITLES = frozenset(
    "mr. mrs. ms. dr. prof. st. mt. gen. col. lt. sgt. capt. rev. hon. gov. sen. rep. messrs. fr.".split()
)
_ABBREVIATIONS = frozenset(
    "vs. e.g. i.e. cf. etc. al. approx. ca. c. no. nos. vol. pp. p. fig. figs. eq. sec. ch. ed. eds. est. inc. ltd. "
    "co. corp. dept. univ. jan. feb. mar. apr. jun. jul. aug. sep. sept. oct. nov. dec. jr. sr.".split()
)
_ABBREVIATIONS_THAT_END = frozenset("etc. al. inc. ltd. co. corp. jr. sr.".split())
_SHORT_LINE = 45
_SMALL = re.compile("[a-z]")
_CAPITAL = re.compile("[A-Z]")
_ENOUGH_LETTERS = 200
_FEWEST_CAPITALS = 1 / 300
"""Of a text's letters. English prose has 1 in 30; below this share the text is written without them."""


def sentences(text: str) -> list[tuple[int, int]]:
    """Character ranges of the sentences in order, without the white space around them.

    Every character that is not white space lies in exactly one. Headings, list items and table rows are sentences
    of their own; a line that is only wrapped is not. Linear in the text's length.
    """
    found = []
    start = 0
    starts = _STARTS_UNCASED if _is_without_capitals(text) else _STARTS_SENTENCE
    for border in _borders(text, starts):
        _append_stripped(found, text, start, border)
        start = border
    _append_stripped(found, text, start, len(text))
    return found


def _append_stripped(found: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    inner = piece.strip()
    if inner:
        start += len(piece) - len(piece.lstrip())
        found.append((start, start + len(inner)))


def _is_without_capitals(text: str) -> bool:
    """Whether so much of it is in small letters that a sentence cannot be told by its first one."""
    small = len(_SMALL.findall(text))
    return small >= _ENOUGH_LETTERS and len(_CAPITAL.findall(text)) < _FEWEST_CAPITALS * small


def _borders(text: str, starts: re.Pattern[str]) -> Iterator[int]:
    line_start = 0
    for match in _BORDER.finditer(text):
        if match.lastgroup == "line":
            if _line_ends_sentence(text, line_start, match.start(), match.end(), starts):
                yield match.start()
            line_start = match.start() + 1
        elif _ends_sentence(text, match.start(), match.end(), starts):
            yield match.end()


def _ends_sentence(text: str, at: int, end: int, starts: re.Pattern[str]) -> bool:
    """Whether the run of stops and closing marks from `at` to `end` does."""
    if _FULL_WIDTH_STOP.search(text, at, end):
        return True
    if text[end : end + 1].isspace():
        return _followed_by_space_ends(text, at, end, starts)
    # "!" and "?" between characters are stops in Chinese, not in "a!b"
    beside = (text[at - 1 : at], text[end : end + 1])
    return text[at] in "!?" and all(_CJK_CHARACTER.match(character) for character in beside)


def _followed_by_space_ends(text: str, at: int, end: int, starts: re.Pattern[str]) -> bool:
    """Latin stops with white space after them: a sentence's end, or an abbreviation's."""
    following = text[end : end + 40]
    if text[at] in "!?":
        return starts.match(following) is not None or "\n\n" in following[:3]
    if not starts.match(following):
        return False
    if text.startswith(("..", "…"), at):
        return True
    word = _LAST_WORD.search(text, max(0, at - 30), at)
    last = (word.group() if word else "") + "."
    lowered = last.lower()
    if lowered in _TITLES:
        return False
    if _INITIAL.fullmatch(last):
        # "J. Smith" and "U.S. Navy" go on; so most often does "e.g. Paris"
        return False
    if lowered in _ABBREVIATIONS:
        return lowered in _ABBREVIATIONS_THAT_END
    number_of_list_item = last[:-1].isdigit() and len(last) <= 4 and _opens_line(text, at - len(last))
    return not number_of_list_item


def _opens_line(text: str, at: int) -> bool:
    """Whether the character at `at` (or the text's start) is what a line begins after."""
    return at < 0 or text[at] == "\n"


def _line_ends_sentence(text: str, line_start: int, at: int, after: int, starts: re.Pattern[str]) -> bool:
    """Whether a newline is a border or just wraps a line."""
    if _STRUCTURE.match(text, at + 1) or _HEADING.match(text, line_start):
        return True
    head = text[line_start : line_start + 2].lstrip()
    if head.startswith("|") or text.startswith(("```", "~~~"), line_start):
        return True
    if _TERMINATED.search(text, max(line_start, at - 12), at):
        return True
    return at - line_start < _SHORT_LINE and starts.match(text, after) is not None
