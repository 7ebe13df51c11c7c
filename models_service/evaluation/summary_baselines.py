"""What a summarizer must beat: the first sentences, sentences drawn at random, and TextRank; and the oracle, which
has seen the reference, for how far choosing whole sentences can come at all.

All take sentences until the next one would take the sum of words away from what is wanted, like the summarizer.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterable, Sequence

from models_service.evaluation import rouge
from models_service.words import count_words

SEED = 13
_GREEDY_BY = ("rouge1", "rouge2")


def lead(sentences: Sequence[str], words: int) -> list[str]:
    return _filled(range(len(sentences)), sentences, words)


def drawn(sentences: Sequence[str], words: int) -> list[str]:
    order = list(range(len(sentences)))
    random.Random(SEED + zlib.crc32("".join(sentences).encode())).shuffle(order)
    return _filled(order, sentences, words)


def textrank(sentences: Sequence[str], words: int) -> list[str]:
    """sumy's, with its English stemmer and stop words."""
    from sumy.models.dom import ObjectDocumentModel, Paragraph, Sentence
    from sumy.nlp.stemmers import Stemmer
    from sumy.summarizers.text_rank import TextRankSummarizer
    from sumy.utils import get_stop_words

    summarizer = TextRankSummarizer(Stemmer("english"))
    summarizer.stop_words = get_stop_words("english")
    made = [Sentence(sentence, _Words()) for sentence in sentences]
    if len(made) < 2:
        return list(sentences)
    ratings = summarizer.rate_sentences(ObjectDocumentModel([Paragraph(made)]))
    order = sorted(range(len(made)), key=lambda index: -ratings[made[index]])
    return _filled(order, sentences, words)


class _Words:
    """sumy's tokenizer wants a data file that is not in its package."""

    def to_words(self, sentence: str) -> tuple[str, ...]:
        return tuple(word for part in sentence.split() if (word := part.strip("\"'“”‘’.,;:!?()[]")))


def oracle(sentences: Sequence[str], references: Sequence[str]) -> list[str]:
    """Greedy: the sentence that raises ROUGE-1 + ROUGE-2 most, as long as one does (Nallapati et al. 2017)."""
    chosen: list[int] = []
    best = 0.0
    while True:
        found = None
        for index in range(len(sentences)):
            if index not in chosen:
                value = _gain([sentences[i] for i in sorted([*chosen, index])], references)
                if value > best:
                    best, found = value, index
        if found is None:
            return [sentences[index] for index in sorted(chosen)]
        chosen.append(found)


def _gain(summary: Sequence[str], references: Sequence[str]) -> float:
    found = rouge.quick_scores(summary, references)
    return sum(found[name] for name in _GREEDY_BY)


def _filled(order: Iterable[int], sentences: Sequence[str], words: int) -> list[str]:
    """In the text's order: those that come first in `order` until the next one leads away from `words`."""
    chosen: list[int] = []
    used = 0
    for index in order:
        length = count_words(sentences[index])
        if chosen and length >= 2 * (words - used):
            break
        chosen.append(index)
        used += length
    return [sentences[index] for index in sorted(chosen)]
