"""Cut question and passage pairs into the token windows that a span reader sees, keeping character offsets.

Shared by the reader engine and the qa training recipe, so that what is trained is what is served.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from transformers import PreTrainedTokenizerBase

MAX_QUESTION_TOKENS = 64


@dataclass(frozen=True)
class Window:
    """One encoder input.

    `input_ids` and `token_type_ids` have one entry a token. `offsets` is (tokens, 2): the character range in the
    passage of each token, (-1, -1) for tokens that are not of the passage. `pair` is the index of its pair.
    """

    pair: int
    input_ids: list[int]
    token_type_ids: list[int]
    offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.input_ids)


def cut_windows(
    tokenizer: PreTrainedTokenizerBase,
    questions: Sequence[str],
    passages: Sequence[str],
    *,
    max_length: int = 384,
    stride: int = 128,
) -> list[Window]:
    """Tokenize each (question, passage) pair into windows of at most `max_length` tokens.

    Consecutive windows of a long passage share `stride` tokens. A question is cut at 64 tokens.
    """
    if not questions:
        return []
    kept = _shorten(tokenizer, questions)
    encoded = tokenizer(
        kept,
        list(passages),
        truncation="only_second",
        max_length=max_length,
        stride=stride,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        return_token_type_ids=True,
    )
    windows = []
    for row, pair in enumerate(encoded["overflow_to_sample_mapping"]):
        in_passage = np.array([part == 1 for part in encoded.sequence_ids(row)])
        offsets = np.array(encoded["offset_mapping"][row], dtype=np.int64)
        offsets[~in_passage] = -1
        windows.append(Window(int(pair), encoded["input_ids"][row], encoded["token_type_ids"][row], offsets))
    return windows


def _shorten(tokenizer: PreTrainedTokenizerBase, questions: Sequence[str]) -> list[str]:
    """Cut over-long questions on a token border, so that the passage always has room in the window."""
    encoded = tokenizer(
        list(questions), add_special_tokens=False, truncation=True, max_length=MAX_QUESTION_TOKENS,
        return_offsets_mapping=True,
    )
    return [
        question[: offsets[-1][1]] if len(offsets) == MAX_QUESTION_TOKENS else question
        for question, offsets in zip(questions, encoded["offset_mapping"], strict=True)
    ]
