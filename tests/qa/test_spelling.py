"""A question's slips are put right by what the documents hold, and nothing else is touched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.index import CollectionIndex, IndexedDocument
from qa.passages import split
from qa.spelling import corrected, distance

TEXT = "Employees get 25 days of annual leave. The Corran Bridge was designed by Thomas Arrol in Leeds."


@pytest.fixture
def index(tmp_path: Path) -> CollectionIndex:
    index = CollectionIndex.create(tmp_path / "index")
    passages = split(TEXT)
    vectors = np.ones((len(passages), 4), np.float32) / 2
    index.publish(IndexedDocument("d", "d", "text/plain"), TEXT, passages, vectors)
    return index


@pytest.mark.parametrize(
    ("typed", "right"),
    [
        ("how mny days of anual leave", "how many days of annual leave"),
        ("Who desgined the Coran Bridge?", "Who designed the Corran Bridge?"),
        ("What is the capital of France?", "What is the capital of France?"),
        ("Who designed the Corran Bridge?", "Who designed the Corran Bridge?"),
        ("谁设计了桥？", "谁设计了桥？"),
    ],
)
def test_slips_are_put_right(index, typed, right):
    assert corrected(typed, [("c", index)]) == right


def test_a_collection_that_is_gone_is_left_out(index):
    index.remove()
    assert corrected("Who desgined it?", [("c", index)]) == "Who desgined it?"


def test_slips_are_counted():
    assert distance("bridge", "bridge", 2) == 0
    assert distance("brigde", "bridge", 2) == 1
    assert distance("bride", "bridge", 2) == 1
    assert distance("cat", "bridge", 2) == 3


@given(st.text(max_size=8), st.text(max_size=8))
def test_the_distance_is_the_same_both_ways(one, other):
    assert distance(one, other, 3) == distance(other, one, 3)
