"""Marks of citations: put in order while the text comes, however it is cut, and left alone in code."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.marks import Marks, without_marks


def shown(*pieces: str, passages: int = 9) -> tuple[str, list[int]]:
    marks = Marks(passages)
    return "".join(marks.read(piece) for piece in pieces) + marks.end(), marks.cited


@pytest.mark.parametrize(
    ("text", "expected", "cited"),
    [
        ("A. [7] B. [2] C. [7]", "A. [1] B. [2] C. [1]", [7, 2]),
        ("both [3, 5] and [5][3]", "both [1][2] and [2][1]", [3, 5]),
        ("建于1889年。【4】", "建于1889年。[1]", [4]),
        ("none [12] of these [0]", "none [12] of these [0]", []),
        ("a year [2019], a link [here](x), a list []", "a year [2019], a link [here](x), a list []", []),
        ("code `a[3]` and [3]", "code `a[3]` and [1]", [3]),
        ("```\na[3]\n\nb[4]\n```\n[4]", "```\na[3]\n\nb[4]\n```\n[1]", [4]),
        ("a stray ` mark\n\nthen [3]", "a stray ` mark\n\nthen [1]", [3]),
        ("an end [", "an end [", []),
    ],
)
def test_marks_are_numbered_in_the_order_in_which_they_come(text, expected, cited) -> None:
    assert shown(text) == (expected, cited)


@given(st.text(alphabet="a [1]2,3【】`\n.", max_size=60), st.lists(st.integers(0, 60), max_size=10))
def test_the_text_is_the_same_however_it_is_cut(text, cuts) -> None:
    borders = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[start:end] for start, end in zip(borders, borders[1:], strict=False)]
    assert shown(*pieces, passages=2) == shown(text, passages=2)


def test_text_is_shown_as_soon_as_it_can_be_no_mark() -> None:
    marks = Marks(3)
    assert marks.read("built in [") == "built in "
    assert marks.read("2") == ""
    assert marks.read("] by a company") == "[1] by a company"


def test_marks_are_taken_out_with_the_space_before_them() -> None:
    assert without_marks("Finished in 1889 [1]. Tall [2][3].") == "Finished in 1889. Tall."
