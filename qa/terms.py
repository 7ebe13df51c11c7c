"""The words that BM25 and the sentence matcher count: English words without the commonest, Chinese bigrams.

Stemming is left to the index (SQLite's porter tokenizer), which does it to documents and queries alike.
"""

from __future__ import annotations

import re
import unicodedata

from qa.scripts import CJK

_RUN = re.compile(rf"[{CJK}]+|[^\W_{CJK}]+")
_CJK_START = re.compile(f"[{CJK}]")
_ENDINGS = re.compile(r"(?:ing|ed|es|s|ly)$")

STOP_WORDS = frozenset(
    """
    a about above after again all also am an and any are as at be because been before being below between both but by
    can could did do does doing down during each few for from further had has have having he her here hers him his how
    i if in into is it its itself just me more most my no nor not now of off on once only or other our out over own s
    same she should so some such t than that the their theirs them then there these they this those through to too
    under until up very was we were what when where which while who whom whose why will with would you your
    """.split()
)

_CHINESE_BREAKS = re.compile(
    "为什么|為什麼|什么时候|什麼時候|什么样|怎么样|什么|什麼|甚么|哪里|哪裡|哪儿|哪个|哪些|哪|谁|誰|怎么|怎麼|怎样|如何|多少|为何|何时|何地"
    "|是否|请问|請問|几个|吗|嗎|呢|的|了|是"
)
"""Question and function words. Chinese has no spaces, and the bigrams that such a word makes with its neighbours are
rare, so they would outweigh what is asked about. A run of characters is therefore cut at them, but not at characters
that stand in many content words (在 和 有)."""


def terms(text: str) -> list[str]:
    """Lower-case terms in order of appearance. A run of n Chinese characters gives n - 1 bigrams."""
    found: list[str] = []
    for match in _RUN.finditer(unicodedata.normalize("NFKC", text).lower()):
        run = match.group()
        if not _CJK_START.match(run):
            if run not in STOP_WORDS:
                found.append(run)
            continue
        for piece in _CHINESE_BREAKS.split(run):
            found += [piece[i : i + 2] for i in range(len(piece) - 1)] or [piece] * bool(piece)
    return found


def stem(word: str) -> str:
    """A term without the commonest English endings: "opened" and "opens" meet, for comparisons outside the index."""
    return _ENDINGS.sub("", word) if len(word) > 4 and word.isalpha() else word
