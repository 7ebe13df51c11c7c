"""Lines that were seen in a picture, in the order in which they are read: columns, rows, headings, slanting pages."""

from __future__ import annotations

from math import cos, radians, sin

from hypothesis import given
from hypothesis import strategies as st

from qa.recognised_lines import Box, columns, lines_of
from qa.recognition import Picture, Seen

HEIGHT, PITCH = 40.0, 52.0


def seen(text: str, left: float, top: float, width: float, height: float = HEIGHT, slope: float = 0.0) -> Seen:
    """A line, turned about the picture's corner by `slope` degrees."""
    corners = ((left, top), (left + width, top), (left + width, top + height), (left, top + height))
    turn = radians(slope)
    return Seen(text, 0.99, tuple((x * cos(turn) - y * sin(turn), x * sin(turn) + y * cos(turn)) for x, y in corners))


def texts(found: list[Seen]) -> list[str]:
    return [line.text for line in lines_of(Picture(tuple(found), 2000, 2000))]


rows = st.integers(3, 12)


@given(rows, rows, st.sampled_from([2, 3]), st.floats(-2, 2), st.floats(0.5, 3), st.randoms(use_true_random=False),
       st.integers(0, 30))
def test_columns_are_read_one_after_the_other_below_a_heading_that_goes_across(
    first: int, other: int, count: int, slope: float, scale: float, random, shift: int
):
    lengths = [first, *[other] * (count - 1)]
    found = [seen("Heading", 100 * scale, 0, 1500 * scale, 60 * scale, slope)]
    for column, length in enumerate(lengths):
        found += [seen(f"{column}-{row} of the text", (100 + 600 * column) * scale,
                       (100 + PITCH * row + shift * (column % 2)) * scale, 520 * scale, HEIGHT * scale, slope)
                  for row in range(length)]
    expected = ["Heading"] + [f"{column}-{row} of the text" for column, length in enumerate(lengths)
                              for row in range(length)]
    random.shuffle(found)
    assert texts(found) == expected


@given(st.lists(st.builds(Box, st.text("abc ", min_size=1, max_size=4), st.floats(0, 900), st.floats(1000, 1900),
                          st.floats(0, 2000), st.floats(5, 80)), max_size=25))
def test_no_line_is_lost_and_none_comes_twice(boxes: list[Box]):
    placed = [box for column in columns(boxes) for box in column]
    key = lambda box: (box.text, box.left, box.right, box.middle, box.height)  # noqa: E731
    assert sorted(placed, key=key) == sorted(boxes, key=key)


def test_what_stands_between_columns_is_read_between_them():
    halves = [[seen(f"{name}{side}{row}", 100 + 600 * side, top + PITCH * row, 520) for side in (0, 1)
               for row in range(3)] for name, top in (("above", 0.0), ("below", 300.0))]
    across = seen("across", 100, 200, 1100)
    names = texts([*halves[0], across, *halves[1]])
    assert names == [*(f"above{side}{row}" for side in (0, 1) for row in range(3)), "across",
                     *(f"below{side}{row}" for side in (0, 1) for row in range(3))]


def test_the_cells_of_a_table_are_read_row_by_row():
    cells = [seen(f"{name} {row}", 100 + 400 * column, 100 + PITCH * row, 120, slope=1.5)
             for row in range(4) for column, name in enumerate(("Item", "Price", "Stock"))]
    lines = lines_of(Picture(tuple(cells), 2000, 2000))
    assert [line.text for line in lines] == [f"Item {row} | Price {row} | Stock {row}" for row in range(4)]
    assert all(line.is_row for line in lines)


def test_pieces_of_one_line_are_put_together_and_no_space_comes_between_chinese():
    assert texts([seen("the lamp", 300, 100, 150), seen("Seen from", 100, 102, 180)]) == ["Seen from the lamp"]
    assert texts([seen("灯 塔建于", 100, 100, 160), seen("一八七一年 。", 270, 98, 200)]) == ["灯塔建于一八七一年。"]
    assert texts([seen("Wenda 读取", 100, 100, 160)]) == ["Wenda 读取"]


def test_lines_of_nearly_one_height_have_one_and_a_heading_keeps_its_own():
    heights = [HEIGHT, 1.25 * HEIGHT, 0.8 * HEIGHT, 2 * HEIGHT]
    lines = lines_of(Picture(tuple(seen("some words", 0, 100.0 * place, 400, height)
                                   for place, height in enumerate(heights)), 2000, 2000))
    first, second, third, heading = (round(line.height, 6) for line in lines)
    assert first == second == third and heading > 1.5 * first
    assert [line.bottom for line in lines] == sorted((line.bottom for line in lines), reverse=True)


def test_a_picture_in_which_nothing_was_seen_has_no_lines():
    assert lines_of(Picture((), 10, 10)) == []
