"""How long a text is in words; Chinese, Japanese and Korean are counted by their characters, as their readers do."""

from __future__ import annotations

import re

from models_service.scripts import CJK

_WORD = re.compile(rf"[{CJK}]|(?:(?![{CJK}])\w)(?:(?![{CJK}])\S)*")
"""One such character; or a letter or digit and what follows it up to white space."""


def count_words(text: str) -> int:
    """White space parts words, as `len(text.split())`, but a run of signs alone is none."""
    return sum(1 for _ in _WORD.finditer(text))
