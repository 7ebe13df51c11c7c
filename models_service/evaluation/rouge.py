"""ROUGE (Lin 2004) as the rouge-score package computes it: F1, with the Porter stemmer.

Of several references the one that gives the highest value counts, for each measure, as in the SciTLDR paper
(Cachola et al. 2020). rouge-score knows ASCII letters and digits only; for a reference in another script words are
Unicode's, and each Chinese, Japanese or Korean character is one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from nltk.stem.porter import PorterStemmer
from rouge_score.rouge_scorer import RougeScorer
from rouge_score.tokenize import tokenize
from rouge_score.tokenizers import Tokenizer

from models_service.scripts import CJK
from models_service.sentences import sentences

NAMES = ("rouge1", "rouge2", "rougeL", "rougeLsum")
SIGNATURE = "rouge-score 0.1.2, F1, Porter stemmer; of several references the best; rougeLsum by sentences"
_TOKEN = re.compile(rf"[{CJK}]|[^\W_{CJK}]+")
_LETTER = re.compile(r"[^\W\d_]")
_ASCII_LETTER = re.compile("[A-Za-z]")


class _AnyScript(Tokenizer):
    def tokenize(self, text: str) -> list[str]:
        return _TOKEN.findall(text.lower())


class _Stemmer:
    """nltk's, which the package uses too, and which takes longer than all the rest where words are not kept."""

    stem = staticmethod(lru_cache(maxsize=100_000)(PorterStemmer().stem))


class _English(Tokenizer):
    """The package's own with `use_stemmer`."""

    def tokenize(self, text: str) -> list[str]:
        return tokenize(text, _Stemmer)


_ENGLISH = RougeScorer(NAMES, tokenizer=_English())
_ENGLISH_QUICK = RougeScorer(NAMES[:2], tokenizer=_English())
_ANY_SCRIPT = RougeScorer(NAMES, tokenizer=_AnyScript())
_ANY_SCRIPT_QUICK = RougeScorer(NAMES[:2], tokenizer=_AnyScript())
_ENGLISH_SENTENCE = RougeScorer(NAMES[:3], tokenizer=_English())
_ANY_SCRIPT_SENTENCE = RougeScorer(NAMES[:3], tokenizer=_AnyScript())


def scores(summary: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """Each measure, 0 to 1, of a summary given as its sentences."""
    best = dict.fromkeys(NAMES, 0.0)
    predicted = "\n".join(summary)
    for reference in references:
        lines = "\n".join(reference[start:end] for start, end in sentences(reference))
        scorer = _ENGLISH if _is_ascii(reference) else _ANY_SCRIPT
        for name, found in scorer.score(lines, predicted).items():
            best[name] = max(best[name], found.fmeasure)
    return best


def of_sentence(sentence: str, references: Sequence[str]) -> dict[str, float]:
    """rouge1, rouge2 and rougeL alone; of a single sentence rougeLsum says nothing more."""
    return _best(sentence, references, _ENGLISH_SENTENCE, _ANY_SCRIPT_SENTENCE)


def quick_scores(summary: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """rouge1 and rouge2 alone, which take no search for the longest common subsequence."""
    return _best(" ".join(summary), references, _ENGLISH_QUICK, _ANY_SCRIPT_QUICK)


def _best(text: str, references: Sequence[str], english: RougeScorer, any_script: RougeScorer) -> dict[str, float]:
    best = dict.fromkeys(english.rouge_types, 0.0)
    for reference in references:
        scorer = english if _is_ascii(reference) else any_script
        for name, found in scorer.score(reference, text).items():
            best[name] = max(best[name], found.fmeasure)
    return best


def _is_ascii(text: str) -> bool:
    """Whether most of its letters are, so that the package's own tokens say enough."""
    return 2 * len(_ASCII_LETTER.findall(text)) >= len(_LETTER.findall(text))
