"""Texts and conversations as one long row of tokens, cut into blocks of equal length: no token of a batch is padding.

Each text ends with the end token, and sees nothing of its neighbours in the block: its positions count from 0, which
is how transformers tells packed texts apart. Of a conversation only what the assistant says is learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from transformers import PreTrainedTokenizerBase

from models_service.formats.corpus import Document
from models_service.formats.tokens import tokens_of

NOT_LEARNED = -100
"""The label that the loss passes over."""


@dataclass(frozen=True)
class Packed:
    """One row of `ids`; `labels` are the ids to learn; `begins` marks each text's first token."""

    ids: np.ndarray
    labels: np.ndarray
    begins: np.ndarray

    def blocks(self, length: int) -> int:
        """How many blocks of this length there are; the last may be shorter, and one of a single token is none."""
        return max(-(-(len(self.ids) - 1) // length), 0)

    def block(self, number: int, length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The ids, the labels and the positions of one block, padded at its end when it is the last one."""
        cut = slice(number * length, (number + 1) * length)
        ids, labels, begins = self.ids[cut], self.labels[cut].copy(), self.begins[cut].copy()
        begins[0] = True
        labels[begins] = NOT_LEARNED  # nothing that stands before it belongs to it
        places = np.arange(len(ids))
        positions = places - np.maximum.accumulate(np.where(begins, places, 0))
        missing = length - len(ids)
        return (
            np.pad(ids, (0, missing)), np.pad(labels, (0, missing), constant_values=NOT_LEARNED),
            np.pad(positions, (0, missing), mode="constant"),
        )


def pack(documents: Sequence[Document], tokenizer: PreTrainedTokenizerBase) -> Packed:
    """Raises FormatError when a conversation cannot be put into the tokenizer's chat template."""
    ids: list[int] = []
    labels: list[int] = []
    begins: list[int] = []
    for document in documents:
        own, learned = tokens_of(document, tokenizer)
        if not own:
            continue
        begins.append(len(ids))
        ids += own
        labels += [token if wanted else NOT_LEARNED for token, wanted in zip(own, learned, strict=True)]
    marked = np.zeros(len(ids), dtype=bool)
    marked[begins] = True
    return Packed(np.array(ids, dtype=np.int64), np.array(labels, dtype=np.int64), marked)
