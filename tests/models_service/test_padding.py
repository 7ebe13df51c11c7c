"""Token sequences as one batch: what is padded, and how few shapes there are."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from models_service.engines.padding import STEP, padded


@given(st.lists(st.integers(1, 100), min_size=1, max_size=8))
def test_every_token_is_in_its_row_and_lengths_go_up_in_steps_to_what_the_model_reads(lengths: list[int]) -> None:
    ids = [list(range(1, length + 1)) for length in lengths]
    types = [[place % 2 for place in own] for own in ids]
    inputs = padded(ids, types, most=100, pad_id=0, where=torch.device("cpu"))
    rows, length = inputs["input_ids"].shape
    assert rows == len(ids) and (length % STEP == 0 or length == 100) and length - max(lengths) < STEP
    for row, own in enumerate(lengths):
        assert inputs["input_ids"][row].tolist() == ids[row] + [0] * (length - own)
        assert inputs["token_type_ids"][row].tolist() == types[row] + [0] * (length - own)
        assert inputs["attention_mask"][row].tolist() == [1] * own + [0] * (length - own)
