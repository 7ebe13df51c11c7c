"""How a classifier labelled, as an evaluation's page shows it: by label, what was taken for what, how sure it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MOST_COLUMNS = 30
"""Labels of a confusion matrix that can still be read; of more, the pairs that were confused most are listed."""
MOST_PAIRS = 30
SHADES = 4
SIDE = 100
"""Of the picture of the reliability, in its own unit."""


@dataclass(frozen=True)
class Cell:
    """`shade` is 0 to SHADES by the share of the label's texts."""

    count: int
    is_right: bool
    shade: int


@dataclass(frozen=True)
class Tables:
    labels: list[dict[str, Any]]
    matrix: list[tuple[str, list[Cell]]]
    pairs: list[tuple[str, str, int]]
    reliability: list[dict[str, Any]]
    curve: str
    """The points of a line: right answers over confidence, from the lower left."""


def tables(labelling: dict[str, Any]) -> Tables | None:
    """None when nothing was labelled."""
    if not labelling:
        return None
    names, counts = [one["label"] for one in labelling["labels"]], labelling["confusion"]
    pairs = [(names[row], names[column], count) for row, cells in enumerate(counts)
             for column, count in enumerate(cells) if count and row != column]
    is_small = len(names) <= MOST_COLUMNS
    matrix = [(names[row], _cells(row, cells)) for row, cells in enumerate(counts)] if is_small else []
    return Tables(
        labelling["labels"], matrix, sorted(pairs, key=lambda one: -one[2])[: 0 if is_small else MOST_PAIRS],
        labelling["reliability"],
        " ".join(f"{SIDE * one['confidence']:.1f},{SIDE * (1 - one['accuracy']):.1f}"
                 for one in labelling["reliability"]),
    )


def _cells(row: int, counts: list[int]) -> list[Cell]:
    total = max(sum(counts), 1)
    return [Cell(count, row == column, -(-SHADES * count // total)) for column, count in enumerate(counts)]
