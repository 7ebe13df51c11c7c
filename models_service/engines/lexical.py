"""How much each sentence of a text shares its words with the others: what a text keeps coming back to.

Words are told by white space and signs, Chinese and Japanese by pairs of characters; the commonest words of the
text's language, which every sentence has, do not count.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

import numpy as np
from bm25s import stopwords

from models_service.scripts import CJK

_RUN = re.compile(rf"[{CJK}]+|[^\W_{CJK}]+")
_CJK_START = re.compile(f"[{CJK}]")
_STOP_WORDS = tuple(frozenset(words) for words in (
    stopwords.STOPWORDS_EN_PLUS, stopwords.STOPWORDS_GERMAN, stopwords.STOPWORDS_FRENCH, stopwords.STOPWORDS_CHINESE,
    stopwords.STOPWORDS_SPANISH, stopwords.STOPWORDS_ITALIAN, stopwords.STOPWORDS_PORTUGUESE,
    stopwords.STOPWORDS_DUTCH, stopwords.STOPWORDS_SWEDISH, stopwords.STOPWORDS_DANISH,
    stopwords.STOPWORDS_NORWEGIAN, stopwords.STOPWORDS_RUSSIAN, stopwords.STOPWORDS_TURKISH,
    stopwords.STOPWORDS_KOREAN,
))
TOLD_BY = 5000
"""How many words of a text tell which language's common words it has."""
MAX_TERMS = 5000
"""The words that most sentences share; more of them would change nothing but the memory that a huge text takes."""
DAMPING = 0.85
STEPS = 30


def content_words(sentences: Sequence[str]) -> list[list[str]]:
    """Each sentence's words in small letters, without those that are common in the text's language."""
    words = [_words(sentence) for sentence in sentences]
    first = [word for own in words for word in own][:TOLD_BY]
    common = max(_STOP_WORDS, key=lambda stop: sum(word in stop for word in first))
    return [[word for word in own if word not in common] for own in words]


def _words(sentence: str) -> list[str]:
    found: list[str] = []
    for match in _RUN.finditer(unicodedata.normalize("NFKC", sentence).lower()):
        run = match.group()
        if len(run) > 1 and _CJK_START.match(run):
            found += [run[i : i + 2] for i in range(len(run) - 1)]
        else:
            found.append(run)
    return found


def textrank(words: Sequence[Sequence[str]]) -> np.ndarray:
    """Mihalcea and Tarau 2004: PageRank over the sentences, tied by the words they share over their lengths' logs."""
    counts = _table(words) > 0
    shared = counts.astype(np.float32) @ counts.T.astype(np.float32)
    np.fill_diagonal(shared, 0)
    logs = np.log(np.maximum([len(own) for own in words], 1))
    return _pagerank(shared / np.maximum(logs[:, None] + logs, 1))


def likeness(words: Sequence[Sequence[str]]) -> np.ndarray:
    """The sum of each sentence's cosines with all others, by how often words stand in them."""
    lengths = np.sqrt([max(sum(count * count for count in Counter(own).values()), 1) for own in words])
    table = _table(words) / lengths[:, None]
    return table @ table.sum(axis=0) - (table * table).sum(axis=1)


def _table(words: Sequence[Sequence[str]]) -> np.ndarray:
    """How often each word stands in each sentence, of the words that stand in more than one."""
    sentences_with = Counter(word for own in words for word in set(own))
    shared = [word for word, count in sentences_with.most_common(MAX_TERMS) if count > 1]
    column = {word: number for number, word in enumerate(shared)}
    table = np.zeros((len(words), len(shared)), dtype=np.float32)
    for row, own in enumerate(words):
        for word in own:
            if word in column:
                table[row, column[word]] += 1
    return table


def _pagerank(ties: np.ndarray) -> np.ndarray:
    """The mean is 1. A sentence without ties leads everywhere alike."""
    count = len(ties)
    sums = ties.sum(axis=1, keepdims=True)
    leads = np.where(sums > 0, ties / np.where(sums > 0, sums, 1), 1 / count)
    ranks = np.full(count, 1 / count)
    for _ in range(STEPS):
        ranks = (1 - DAMPING) / count + DAMPING * ranks @ leads
    return ranks * count
