"""Texts that hypothesis makes: words, Chinese, marks, white space and structure, so that every rule is met."""

from __future__ import annotations

from hypothesis import strategies as st

_PIECES = [
    "The river rises in the north.", " It flows ", "Dr. Smith", "e.g. Paris", "3.14", "U.S. Navy", "etc. Then",
    "Why?", "No!", "长城有多长？", "它建于明朝。", "是", "“引文。”", "他说:",
    "!", "?", "...", "…", ".", "。", '"', ")", "[12]",
    "*", "_",
    "\n", "\n\n", "\n\n\n", " ", "\t", "\u3000", "\u00a0", "# Heading", "## 标题", "- item", "1. first",
    "| a | b |", "> quote",
    "```\ncode", "a" * 400, "字" * 300, "e\u0301", "👩\u200d👩\u200d👧", "🇨🇳", "\U00020000", "word ", "1889",
]

texts = st.one_of(
    st.lists(st.one_of(st.sampled_from(_PIECES), st.text(max_size=20)), max_size=60).map("".join),
    st.text(max_size=400),
)


def visible(text: str) -> set[int]:
    """Where the characters are that are not white space."""
    return {i for i, character in enumerate(text) if not character.isspace()}


HARD = {
    "one line of letters": "x" * 200_000,
    "one line of words": "river stone " * 17_000,
    "one line of Chinese": "水" * 200_000,
    "newlines": "a" + "\n" * 100_000 + "b",
    "ideographic spaces on lines": "a\n" + "\u3000\n" * 50_000 + "b",
    "full stops": "." * 200_000,
    "exclamation marks": "!" * 200_000,
    "full-width stops": "。" * 200_000,
    "closing marks": "a." + '"' * 200_000,
    "stops and closing marks": '."' * 100_000,
    "headings": "# a\n\n" * 40_000,
    "list items": "- a\n" * 50_000,
    "accents": "e" + "\u0301" * 200_000,
    "short sentences": "It is so. " * 100_000,
    "brackets": "[" * 200_000,
    "spaces": "a" + " " * 1_000_000 + "b",
}
"""Up to 1 MB of what makes a careless pattern read the same characters again and again."""
