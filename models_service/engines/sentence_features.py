"""What is looked at in a sentence: how central it is, by words and by vectors, where it stands, how long it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models_service.engines import lexical

NAMES = (
    "textrank", "likeness", "centroid", "degree", "near_centre", "whole", "words", "words_here", "place", "first",
    "second", "third", "last", "last_but_one", "early", "sentences", "like_previous", "like_next", "like_first",
    "digits", "content",
)
"""The columns of `Looked.features`; textrank to degree and words_here are standardised within the text."""
_ENDS = re.compile(r"[.!?…。！？:：;；][\"'”’」』）)\]】》*_]*(?:\[\d{1,3}\])*\s*$")


@dataclass(frozen=True)
class Looked:
    """`centrality` is of mean 0 in a text; `whole` says which are sentences and not headings or the like."""

    features: np.ndarray
    centrality: np.ndarray
    whole: np.ndarray


def look(sentences: Sequence[str], vectors: np.ndarray, lengths: Sequence[int]) -> Looked:
    """
    Args:
        vectors: one row a sentence, of L2 norm 1.
        lengths: words of each sentence.
    """
    count = len(sentences)
    place = np.arange(count)
    words = lexical.content_words(sentences)
    textrank, likeness = standard(lexical.textrank(words)), standard(lexical.likeness(words))
    centre = vectors.mean(axis=0)
    near = vectors @ (centre / max(float(np.linalg.norm(centre)), 1e-6))
    like = np.maximum(vectors @ vectors.T, 0)
    np.fill_diagonal(like, 0)
    log = np.log(np.maximum(lengths, 1))
    whole = np.array([_ENDS.search(sentence) is not None for sentence in sentences])
    neighbours = like[place[1:], place[:-1]]
    columns = [
        textrank, likeness, standard(near), standard(like.sum(axis=1)), near, whole, log - 3, standard(log),
        place / max(count - 1, 1), place == 0, place == 1, place == 2, place == count - 1, place == count - 2,
        1 / (1 + place), np.full(count, np.log(count) - 2), np.append(0, neighbours), np.append(neighbours, 0),
        like[0], [min(sum(map(str.isdigit, sentence)), 50) / 10 for sentence in sentences],
        [len(own) / max(length, 1) for own, length in zip(words, lengths, strict=True)],
    ]
    centrality = standard(textrank + likeness) + 0.1 * standard(near)
    return Looked(np.stack([np.asarray(column, dtype=np.float32) for column in columns], axis=1), centrality, whole)


def standard(values: np.ndarray) -> np.ndarray:
    """With mean 0 and standard deviation 1; all 0 when they are all the same."""
    deviation = float(values.std())
    return (values - values.mean()) / (deviation if deviation > 1e-6 else 1)
