"""The numbers in brackets by which a generator names its passages, read and put in order while the text comes.

The generator was given passages 1 to n and cites some: "[7] … [2] … [7]". Shown are "[1] … [2] … [1]", so that the
list of citations under the answer has no gaps. Nothing is read inside code.
"""

from __future__ import annotations

import re

_NUMBERS = r"\s*\d{1,3}(?:\s*[,，、;]\s*\d{1,3})*\s*"
_TOKEN = re.compile(rf"(?P<mark>\[{_NUMBERS}\]|【{_NUMBERS}】)|(?P<code>`+)|(?P<paragraph>\n\s*\n)")
_MAY_GROW = re.compile(r"(?:[\[【][\d\s,，、;]{0,40}|`+|\n\s*)\Z")
"""The end of a piece, where the next one may bring the rest of a mark."""
SHOWN = re.compile(r"\[(\d{1,3})\]")
"""A mark as it is shown."""
_SHOWN_AND_SPACE = re.compile(r"\s*\[\d{1,3}\]")


def without_marks(text: str) -> str:
    return _SHOWN_AND_SPACE.sub("", text)


class Marks:
    """`cited[n - 1]` is the number of the passage that mark n stands for."""

    def __init__(self, passages: int) -> None:
        self.cited: list[int] = []
        self._passages = passages
        self._rest = ""
        self._code = ""
        """The backticks that opened the code that the text is in."""

    def read(self, piece: str) -> str:
        """As much of the text so far as can be shown."""
        text = self._rest + piece
        grows = _MAY_GROW.search(text)
        ready, self._rest = (text[: grows.start()], text[grows.start() :]) if grows else (text, "")
        return _TOKEN.sub(self._shown, ready)

    def end(self) -> str:
        """What was held back."""
        rest, self._rest = self._rest, ""
        return _TOKEN.sub(self._shown, rest)

    def _shown(self, found: re.Match[str]) -> str:
        text = found.group()
        if found["code"]:
            self._code = "" if text == self._code else self._code or text
        elif found["paragraph"]:
            self._code = self._code if len(self._code) > 2 else ""  # only a fence goes past a paragraph
        elif not self._code:
            return "".join(f"[{self._number(int(number))}]" for number in re.findall(r"\d+", text))
        return text

    def _number(self, passage: int) -> int:
        """A number of no passage is left as it is: it is larger than any mark's, or 0."""
        if not 1 <= passage <= self._passages:
            return passage
        if passage not in self.cited:
            self.cited.append(passage)
        return self.cited.index(passage) + 1
