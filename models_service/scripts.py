"""Which writing system a text is in. Chinese and Japanese need their own words, sentences and matching."""

from __future__ import annotations

import re

CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7af\U00020000-\U0003ffff"
"""A regular expression's character class body: Han, kana and Hangul."""

_CJK_CHARACTER = re.compile(f"[{CJK}]")
_LETTER_RUN = re.compile(rf"[^\W\d_{CJK}]+")


def count_cjk(text: str) -> int:
    """How many Han, kana and Hangul characters the text has."""
    return len(_CJK_CHARACTER.findall(text))


def is_cjk(text: str) -> bool:
    """Whether the text is Chinese, Japanese or Korean: as many such characters as other words, or more."""
    count = count_cjk(text)
    return count > 0 and count >= len(_LETTER_RUN.findall(text))
