"""Texts that stand on both sides: the same and nearly the same ones are counted, others are not."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models_service.formats.overlap import Overlap, overlap

PASSAGE = ("The lighthouse on the northern cape was built of grey stone in 1874 "
           "and is still lit by hand every evening.")


def rows(*texts: str) -> list[dict]:
    return [{"text": text, "summaries": ["x"]} for text in texts]


def test_the_same_and_nearly_the_same_texts_are_counted_apart() -> None:
    changed = PASSAGE.replace("grey", "white").upper().replace(".", "!")
    other = "Every evening a ship passes the northern cape, and its crew looks out for the light."
    found = overlap(rows(PASSAGE, PASSAGE, changed, other), rows(PASSAGE), "summarize")
    assert found == Overlap(exact=2, near=1) and found.rows == 3


def test_chinese_is_compared_by_its_characters() -> None:
    text = "北角的灯塔建于一八七四年，用灰色的石头砌成，至今每天傍晚仍由人工点亮。"
    assert overlap(rows(text.replace("灰色", "白色")), rows(text), "summarize") == Overlap(near=1)
    assert overlap(rows("每天傍晚都有一艘船经过北角，船员们望着那道光。"), rows(text), "summarize") == Overlap()


def test_short_sentences_that_differ_in_what_they_say_are_not_alike() -> None:
    assert overlap(rows("The train leaves at 1:45."), rows("The train leaves at 2:45."), "summarize") == Overlap()
    assert overlap(rows("Where is the train?"), rows("Where is the train."), "summarize") == Overlap(near=1)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.text(), max_size=8), st.lists(st.text(), max_size=8))
def test_no_row_is_counted_twice_whatever_it_holds(texts: list[str], others: list[str]) -> None:
    found = overlap(rows(*texts), rows(*others), "summarize")
    assert found.exact == sum(text in others for text in texts) and 0 <= found.near <= len(texts) - found.exact
