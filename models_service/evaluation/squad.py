"""Exact match and F1 as the SQuAD v1.1 evaluation script defines them (Rajpurkar et al. 2016).

For text without spaces between words (Chinese, Japanese) F1 counts characters, as the CMRC 2018 script does.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence

_ARTICLES = re.compile(r"\b(a|an|the)\b", re.UNICODE)
_PUNCTUATION = set(string.punctuation)
_CJK = re.compile(r"([\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f])")


def normalize_answer(text: str) -> str:
    """Lower-case, drop ASCII punctuation and English articles, and squeeze white space."""
    text = "".join(c for c in text.lower() if c not in _PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", text).split())


def _tokens(text: str) -> list[str]:
    return _CJK.sub(r" \1 ", normalize_answer(text)).split()


def exact_match(prediction: str, golds: Sequence[str]) -> float:
    """1.0 if the prediction equals any gold answer after normalisation. No golds: 1.0 for an empty prediction."""
    if not golds:
        return float(not prediction)
    return float(any(normalize_answer(prediction) == normalize_answer(gold) for gold in golds))


def f1(prediction: str, golds: Sequence[str]) -> float:
    """The best token-overlap F1 (0 to 1) with any gold answer. No golds: 1.0 for an empty prediction."""
    if not golds:
        return float(not prediction)
    return max(_f1(_tokens(prediction), _tokens(gold)) for gold in golds)


def _f1(prediction: list[str], gold: list[str]) -> float:
    same = sum((Counter(prediction) & Counter(gold)).values())
    if not same:
        return 0.0
    precision, recall = same / len(prediction), same / len(gold)
    return 2 * precision * recall / (precision + recall)
