"""Token sequences of like length as one batch that a model of the BERT family reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch


class Typed(Protocol):
    """One sequence, an entry a token; a type tells a pair's first text from its second."""

    @property
    def input_ids(self) -> list[int]: ...

    @property
    def token_type_ids(self) -> list[int]: ...


STEP = 16
"""Tokens. Lengths go up by so many: the math libraries keep what they make for every shape that they meet, so that
with any length whatever a service's memory would grow for hours."""


def padded(
    pieces: Sequence[Typed], pad_id: int | None, where: torch.device, most: int, *, types: bool
) -> dict[str, torch.Tensor]:
    """Padded on the right: ids, attention mask and, where the model takes them, `types`; each piece has a row.

    Args:
        most: how many tokens the model reads at once.
    """
    longest = max(len(piece.input_ids) for piece in pieces)
    length = max(longest, min(STEP * -(-longest // STEP), most))
    ids = np.full((len(pieces), length), pad_id or 0, dtype=np.int64)
    inputs = {"input_ids": ids, "attention_mask": np.zeros_like(ids)}
    if types:
        inputs["token_type_ids"] = np.zeros_like(ids)
    for row, piece in enumerate(pieces):
        length = len(piece.input_ids)
        ids[row, :length] = piece.input_ids
        inputs["attention_mask"][row, :length] = 1
        if types:
            inputs["token_type_ids"][row, :length] = piece.token_type_ids
    return {name: torch.from_numpy(values).to(where) for name, values in inputs.items()}
