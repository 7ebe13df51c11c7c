"""In which language a text is, and how sure that is."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from qa.writing.protected import find

SAMPLE_CHARACTERS = 3_000
COMMON = ("en", "zh", "de", "fr", "es", "it", "pt", "nl", "pl", "ru", "ar", "ja", "ko", "tr")
"""What a text may be in besides the languages that can be translated, so that it is not taken for one of those."""
_SURE = 0.6
_lock = threading.Lock()


@dataclass(frozen=True)
class Detected:
    """`language` is an ISO 639-1 code, "" when nothing can be told; `confidence` is 0 to 1."""

    language: str
    confidence: float


def detect(text: str, offered: Sequence[str] = ()) -> Detected:
    """The most likely language of `text`.

    Args:
        offered: codes that the caller can use: where a short text leaves doubt, one of them is taken.
    """
    ranked = ranking(text, offered)
    if not ranked:
        return Detected("", 0.0)
    best = ranked[0]
    if offered and best.language not in offered and best.confidence < _SURE:
        among = [one for one in ranked if one.language in offered]
        total = sum(one.confidence for one in among)
        if total > 0:
            return Detected(among[0].language, round(among[0].confidence / total * min(1.0, total * 2), 4))
    return best


def has_words(text: str) -> bool:
    """Whether the text has letters besides those in addresses and the like."""
    return any(map(str.isalpha, _words(text)))


def ranking(text: str, offered: Sequence[str] = ()) -> list[Detected]:
    """The languages that the text may be in, the most likely first; none without words, or in a script of none."""
    if not has_words(text):
        return []
    words = _words(text)
    with _lock:  # it loads a language's model at its first use
        values = _detector(tuple(sorted({*COMMON, *offered}))).compute_language_confidence_values(words)
    found = [Detected(one.language.iso_code_639_1.name.lower(), round(one.value, 4)) for one in values]
    return [one for one in found if one.confidence > 0]


def _words(text: str) -> str:
    """The beginning of the text, without what says nothing about its language."""
    sample = text[:SAMPLE_CHARACTERS]
    parts, at = [], 0
    for held in find(sample):
        parts += [sample[at : held.start], " "]
        at = held.end
    return "".join([*parts, sample[at:]])


@lru_cache(maxsize=2)
def _detector(codes: tuple[str, ...]) -> Any:
    """Its small models: 13 MB of memory for twelve languages, where the large ones take 190."""
    from lingua import IsoCode639_1, LanguageDetectorBuilder

    known = [IsoCode639_1.from_str(code) for code in codes if hasattr(IsoCode639_1, code.upper())]
    return LanguageDetectorBuilder.from_iso_codes_639_1(*known).with_low_accuracy_mode().build()
