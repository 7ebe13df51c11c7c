"""Token sequences as one batch: what is padded, and how few shapes there are."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from hypothesis import given
from hypothesis import strategies as st

from models_service.engines.padding import STEP, padded


@dataclass
class Piece:
    input_ids: list[int]
    token_type_ids: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.token_type_ids = [place % 2 for place in range(len(self.input_ids))]


@given(st.lists(st.integers(1, 100), min_size=1, max_size=8))
def test_every_token_is_in_its_row_and_lengths_go_up_in_steps_to_what_the_model_reads(lengths: list[int]) -> None:
    pieces = [Piece(list(range(1, length + 1))) for length in lengths]
    inputs = padded(pieces, 0, torch.device("cpu"), 100, types=True)
    rows, length = inputs["input_ids"].shape
    assert rows == len(pieces) and (length % STEP == 0 or length == 100) and length - max(lengths) < STEP
    for row, piece in enumerate(pieces):
        own = len(piece.input_ids)
        assert inputs["input_ids"][row].tolist() == piece.input_ids + [0] * (length - own)
        assert inputs["token_type_ids"][row].tolist() == piece.token_type_ids + [0] * (length - own)
        assert inputs["attention_mask"][row].tolist() == [1] * own + [0] * (length - own)
