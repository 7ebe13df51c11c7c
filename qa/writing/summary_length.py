"""How long a summary is to be: short, medium, long, or a number of words."""

from __future__ import annotations

from models_service.protocol_summarized_text import Length
from models_service.scripts import is_cjk

WORDS = {"short": 60, "medium": 150, "long": 400}
CJK_CHARACTERS_A_WORD = 1.6
"""What a Chinese text says in so many characters an English one says in a word."""
LARGEST_SHARES = {"short": 0.25, "medium": 0.4, "long": 0.6}
"""Of the text: a summary of a short text is shorter than its name says."""
TERMS = {"short": 8, "medium": 15, "long": 30}
MOST_TERMS = 100


def words_wanted(length: Length, text: str, words: int) -> int:
    """About how many words the summary of a text of so many `words` is to have; a number is taken at its word."""
    if isinstance(length, int):
        return length
    named = WORDS[length] * (CJK_CHARACTERS_A_WORD if is_cjk(text[:20_000]) else 1)
    return max(1, round(min(named, LARGEST_SHARES[length] * words)))


def terms_wanted(length: Length) -> int:
    return min(length, MOST_TERMS) if isinstance(length, int) else TERMS[length]
