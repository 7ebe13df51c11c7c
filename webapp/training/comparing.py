"""Evaluations put beside each other: leaderboards, and one or two models' results row by row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from webapp.training import subjects
from webapp.training.models import Evaluation

QUESTION_WORDS = ("who", "when", "where", "which", "what", "why", "how")


@dataclass
class Board:
    """Models on one data set, the best first."""

    data_label: str
    condition: str
    n: int
    main: str
    names: list[str]
    rows: list[Evaluation] = field(default_factory=list)


def leaderboards(evaluations: Iterable[Evaluation], task: str) -> list[Board]:
    """One board for each data set, condition and number of rows; the newest evaluation of each version counts."""
    boards: dict[tuple[Any, ...], Board] = {}
    main = subjects.SUBJECTS[task].main
    for one in evaluations:
        if one.task != task:
            continue
        board = boards.setdefault(one.is_of, Board(one.data_label, one.condition, one.n, main, list(one.metrics)))
        if (one.model, one.version) not in [(row.model, row.version) for row in board.rows]:
            board.rows.append(one)
    for board in boards.values():
        board.rows.sort(key=lambda one: one.metrics.get(main, 0.0), reverse=main not in subjects.LOWER_IS_BETTER)
    return list(boards.values())


@dataclass
class Row:
    """One example's results. `before` is the other model's."""

    number: int
    after: dict[str, Any]
    before: dict[str, Any] | None
    main: str

    @property
    def asked(self) -> str:
        """What the model was given, by whichever name the task has for it."""
        return str(next((self.after[name] for name in ("asked", "source", "text") if self.after.get(name)), ""))

    @property
    def value(self) -> float:
        return self.after.get(self.main) or 0.0

    @property
    def other_value(self) -> float | None:
        return None if self.before is None else self.before.get(self.main) or 0.0


def table(after: Sequence[dict[str, Any]], before: Sequence[dict[str, Any]] | None, main: str) -> list[Row]:
    """`before` counts only when it is of the same rows."""
    if before is not None and [one["id"] for one in before] != [one["id"] for one in after]:
        before = None
    return [Row(number, one, before[number - 1] if before else None, main)
            for number, one in enumerate(after, start=1)]


def filters(with_other: bool) -> list[tuple[str, str]]:
    own = [("", _("All rows")), ("wrong", _("Wrong")), ("right", _("Right"))]
    return [*own, ("better", _("Better than the other")), ("worse", _("Worse than the other"))] if with_other else own


def is_shown(row: Row, show: str) -> bool:
    if show == "wrong":
        return row.value < 0.5
    if show == "right":
        return row.value >= 0.5
    if show in ("better", "worse"):
        other = row.other_value
        return other is not None and (row.value > other if show == "better" else row.value < other)
    return True


def groups(rows: Sequence[Row]) -> list[tuple[str, int, float]]:
    """Rows by the word that their question begins with, where they are questions: (word, count, mean)."""
    found: dict[str, list[float]] = {}
    for row in rows:
        words = str(row.after.get("asked", "")).lower().split()
        if words:
            word = next((one for one in words[:3] if one in QUESTION_WORDS), "…")
            found.setdefault(word, []).append(row.value)
    if len(found) < 2:
        return []
    means = [(word, len(own), 100 * sum(own) / len(own)) for word, own in found.items()]
    return sorted(means, key=lambda one: -one[1])
