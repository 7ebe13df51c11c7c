"""The words that BM25 and the sentence matcher count: English words without the commonest, Chinese bigrams.

Stemming is left to the index (SQLite's porter tokenizer), which does it to documents and queries alike.
"""

from __future__ import annotations

import re

from qa.scripts import CJK

_RUN = re.compile(rf"[{CJK}]+|[^\W_{CJK}]+")
_CJK_START = re.compile(f"[{CJK}]")

STOP_WORDS = frozenset(
    "a about above after again all also am an and any are as at be because been before being below between both but by "
    "can could did do does doing down during each few for from further had has have having he her here hers him his how "
    "i if in into is it its itself just me more most my no nor not now of off on once only or other our out over own s "
    "same she should so some such t than that the their theirs them then there these they this those through to too "
    "under until up very was we were what when where which while who whom whose why will with would you your "
    "的 了 是 在 和 与 及 有 吗 呢 啊".split()
)


def terms(text: str) -> list[str]:
    """Lower-case terms in order of appearance. A run of n Chinese characters gives n - 1 bigrams."""
    found: list[str] = []
    for match in _RUN.finditer(text.lower()):
        run = match.group()
        if _CJK_START.match(run):
            found += [run[i : i + 2] for i in range(len(run) - 1)] or [run]
        else:
            found.append(run)
    return [term for term in found if term not in STOP_WORDS]
