"""The translation put together: what is kept is copied, and for each sentence it is known from where to where."""

from __future__ import annotations

WITHOUT_SPACES = ("zh", "ja", "th")
"""Languages that put no space between sentences."""


class Assembly:
    """Takes the translations of a text's sentences in order."""

    def __init__(self, text: str, source: str, target: str) -> None:
        self._text = text
        self._source_spaces = source not in WITHOUT_SPACES
        self._target_spaces = target not in WITHOUT_SPACES
        self._at = 0
        self._parts: list[str] = []
        self._length = 0
        self.ranges: list[tuple[tuple[int, int], tuple[int, int]]] = []
        """For each sentence its characters of the text and of the translation."""

    def add(self, start: int, end: int, translation: str) -> str:
        """What the translation grows by with this sentence: what stands before it, and it."""
        between = self._between(self._text[self._at : start], translation)
        begins = self._length + len(between)
        self.ranges.append(((start, end), (begins, begins + len(translation))))
        self._at = end
        return self._append(between + translation)

    def end(self) -> str:
        """What stands after the last sentence."""
        rest, self._at = self._text[self._at :], len(self._text)
        return self._append(rest)

    @property
    def translation(self) -> str:
        return "".join(self._parts)

    def _append(self, piece: str) -> str:
        self._parts.append(piece)
        self._length += len(piece)
        return piece

    def _between(self, between: str, following: str) -> str:
        """Space between two sentences of a paragraph as the language has it; anything else stays."""
        if not self._at or not self._parts:
            return between
        if between == " " and not self._target_spaces and self._source_spaces and self._ends_full():
            return ""
        if between == "" and self._target_spaces and not self._source_spaces and following[:1].isalnum():
            return " "
        return between

    def _ends_full(self) -> bool:
        return self._parts[-1][-1:] in tuple("。！？…”』」）")
