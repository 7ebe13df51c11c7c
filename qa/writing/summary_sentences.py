"""The sentences of a text that a summary may be made of, as exact ranges: no headings, table rows or code."""

from __future__ import annotations

import re
from collections.abc import Sequence

from models_service.words import count_words
from qa.scripts import goes_on_without_space
from qa.sentences import sentences
from qa.structure import Structure
from qa.writing.page_furniture import Furniture

FEWEST_WORDS = 4
"""What is shorter says nothing by itself: "See below." """
LONGEST_CHARACTERS = 1_500
"""A longer one (a text without stops) is cut at white space."""
LONGEST_LABEL, MOST_LABEL_WORDS = 80, 30
"""Of a line without a stop that is taken for a title or the like; Chinese words are characters."""
MOST_OF_LABELS = 0.4
"""A text that has a larger share of its characters in such lines is a list, and they are what it says."""

_MARKER = re.compile(r"(?:[ \t]*(?:[-*+•·]|\d{1,3}[.)、]|>)[ \t]+)+|#{1,6}[ \t]+"
                     r"|(?:\d{1,5}\n)?(?:\d\d:)?\d\d:\d\d[,.]\d{3} -->[^\n]*\n")
"""What a sentence begins with that is not of it: a bullet, a number, a quotation's mark, a subtitle's times."""
_FOOTNOTE = re.compile(r"(?<=[.,;:!?)”\"’。，、；：！？）])(?:\[\d{1,3}\])+|\[(?:edit|citation needed|编辑)\]")
_HEADING = re.compile(r"[ \t]{0,3}#{1,6}[ \t]")
_ENDS = re.compile(r"[.!?…。！？:：;；][\"'”’」』）)\]】》*_]*(?:\[\d{1,3}\])*\s*$")
_CODE = re.compile(r"```|~~~")
_LINK = re.compile(r"!?\[([^\[\]\n]+)\]\((?:#|[^()\s]*[./])[^()\s]*\)")
_BOLD = re.compile(r"\*\*(?=\S)([^*\n]+)(?<=\S)\*\*")
_LOOK = re.compile(r"</?[ibu]>")
_SPACE = re.compile(r"\s")

Range = tuple[int, int]


def telling_sentences(text: str, structure: Structure) -> list[Range]:
    """Those that can stand in a summary, in order; all sentences when the text has no such, code when it has none."""
    headings = {heading.start for heading in structure.headings}
    furniture = Furniture(text, structure)
    code: list[Range] = []
    everything: list[Range] = []
    telling: list[list[Range]] = []
    labels: list[bool] = []
    in_code = False
    for start, end in sentences(text):
        fence = _CODE.match(text, start, end)
        if fence or in_code:
            in_code ^= fence is not None and text.find(fence.group(), start + 3, end) < 0
            code += _cut(text, start, end)
            continue
        begins = _after_marker(text, start, end)
        pieces = list(_cut(text, begins, end))
        everything += pieces
        is_heading = start in headings or _HEADING.match(text, start) is not None
        is_row = text.startswith("|", start) or text.find(" | ", start, end) >= 0
        if is_heading or is_row or not _says_something(text, begins, end) or furniture.holds(begins, end):
            continue
        telling.append(pieces)
        labels.append(_is_label(text, start, end))
    return _prose(text, telling, labels) or everything or code


def _prose(text: str, telling: Sequence[list[Range]], labels: Sequence[bool]) -> list[Range]:
    """All, but for lines that are no sentences in a text that mostly is made of sentences."""
    size = [sum(end - start for start, end in pieces) for pieces in telling]
    of_labels = sum(length for length, is_label in zip(size, labels, strict=True) if is_label)
    is_prose = of_labels < MOST_OF_LABELS * sum(size)
    return [piece for pieces, is_label in zip(telling, labels, strict=True) if not (is_label and is_prose)
            for piece in pieces]


def _is_label(text: str, start: int, end: int) -> bool:
    """Whether it is a short line of its own that no stop ends: a title, a name, an entry of a list."""
    is_line = text[start - 1 : start] in ("\n", "", " ", "\t") and text[end : end + 1] in ("\n", "", " ", "\t")
    piece = text[start:end]
    return is_line and _ENDS.search(piece) is None and len(piece) <= LONGEST_LABEL and "\n" not in piece and (
        count_words(piece) <= MOST_LABEL_WORDS)


def _after_marker(text: str, start: int, end: int) -> int:
    """Where the sentence itself begins, after a bullet, a number or a quotation's mark."""
    marker = _MARKER.match(text, start, end)
    return marker.end() if marker and marker.end() < end else start


def _says_something(text: str, start: int, end: int) -> bool:
    """Long enough; and a line that no stop ends and that stands alone is a title or a label."""
    piece = text[start:end]
    words = count_words(piece)
    indent = start
    while indent and text[indent - 1] in " \t":
        indent -= 1
    alone = text[end : end + 2] in ("\n\n", "") and (start == 0 or text[indent - 1 : indent] == "\n")
    return words >= FEWEST_WORDS and (_ENDS.search(piece) is not None or words > 8 or not alone)


def _cut(text: str, start: int, end: int) -> Sequence[Range]:
    pieces = []
    while end - start > LONGEST_CHARACTERS:
        spaces = [match.start() for match in _SPACE.finditer(text, start + LONGEST_CHARACTERS // 2,
                                                             start + LONGEST_CHARACTERS)]
        cut = spaces[-1] if spaces else start + LONGEST_CHARACTERS
        pieces.append((start, cut))
        start = cut
        while start < end and text[start].isspace():
            start += 1
    return [*pieces, (start, end)] if start < end else pieces


def joined(pieces: Sequence[str]) -> str:
    """Tidy sentences one after another: with a space between them, but for Chinese and Japanese."""
    text = ""
    for piece in pieces:
        between = "" if not text or goes_on_without_space(text, piece) else " "
        text += between + piece
    return text


def tidy(piece: str) -> str:
    """On one line, without marks of footnotes, and of Markdown and subtitles that say how a word looks."""
    plain = _LINK.sub(r"\1", _FOOTNOTE.sub("", piece))
    return " ".join(_LOOK.sub("", _BOLD.sub(r"\1", plain)).split()) or piece
