"""A translation that goes in circles says each piece once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.writing.loops import without_loops


@pytest.mark.parametrize(("made", "source", "shown"), [
    ("这是一種特別別別別別的水", "It is a special water.", "这是一種特別的水"),
    ("Es ist sehr, sehr, sehr, sehr, sehr gut.", "It is good.", "Es ist sehr, sehr gut."),
    ("mal mal mal mal!", "once", "mal!"),
    ("Rome in 22222222", "In Rome.", "Rome in 2"),
    ("Ha ha ha ha ha!", "Ha ha ha ha ha!", "Ha ha ha ha ha!"),
    ("Sehr, sehr gut.", "Very, very good.", "Sehr, sehr gut."),
    ("", "Nothing.", ""),
])
def test_what_is_said_over_and_over_is_said_once(made: str, source: str, shown: str):
    assert without_loops(made, source) == shown


@given(st.text(max_size=300), st.text(max_size=50))
def test_nothing_is_added_and_something_stays(made: str, source: str):
    shown = without_loops(made, source)
    assert len(shown) <= len(made) and bool(shown.strip()) == bool(made.strip())
