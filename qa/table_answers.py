"""Counts, lists and extremes from tables: "How many bridges opened after 1900?", "Which one is the longest?".

Rules, not a model, and careful ones: a table answers only where every word of the question that says something is
accounted for by the table: its columns, its cells, its caption or title. Otherwise the reader's answer stands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from qa.scripts import is_cjk
from qa.support import stem
from qa.tables import Row, Table, tables
from qa.terms import terms

MOST_LISTED = 12

_COUNT = re.compile(r"(?i)^\W*(?:how many|what is the (?:total )?number of)\s")
_LIST = re.compile(r"(?i)^\W*(?:list|name|show|which|what|who)\s")
_ASKS_FOR_ALL = re.compile(r"(?i)^\W*(?:list|name|show)\s")
_AGES = "opened built founded born completed established released published introduced"
_YEARS = f"{_AGES} started hired joined since year date"
_SUPERLATIVES: Mapping[str, tuple[bool, str]] = {
    "longest": (True, "length long duration"), "shortest": (False, "length long height duration"),
    "tallest": (True, "height tall"), "oldest": (False, _AGES), "earliest": (False, _YEARS), "first": (False, _YEARS),
    "newest": (True, _AGES), "youngest": (True, _AGES), "latest": (True, _YEARS), "last": (True, _YEARS),
    "heaviest": (True, "weight mass"), "lightest": (False, "weight mass"), "cheapest": (False, "price cost"),
    "dearest": (True, "price cost"), "fastest": (True, "speed"), "slowest": (False, "speed"),
    "deepest": (True, "depth"), "widest": (True, "width"),
}
_SUPERLATIVE = re.compile(
    r"(?i)\b(?:(?P<most>most|highest|largest|biggest|greatest|maximum)|(?P<least>least|fewest|lowest|smallest|minimum)"
    rf"|(?P<word>{'|'.join(_SUPERLATIVES)}))\b"
)
_BOUND = re.compile(
    r"(?i)\b(?:(?P<over>after|over|above|more than|greater than|longer than|higher than|older than|since)"
    r"|(?P<under>before|under|below|less than|fewer than|shorter than|lower than))\s+(?P<value>[$€£]?\d[\d,.]*)"
)
_NUMBER = re.compile(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?|-?\d+(?:\.\d+)?")
SAY_NOTHING = frozenset(stem(word) for word in (
    "list listed name named table row rows entry entries show shown total altogether many different number exist "
    "there given mentioned all every each made use used one ones called item items according document work works "
    "working belong belongs located live lives place situated people person"
).split())


@dataclass(frozen=True)
class TableAnswer:
    """`answer` in words; `rows` are what it was worked out from, `of` how many the table has."""

    kind: Literal["count", "list", "extreme", "comparison"]
    answer: str
    document: str
    rows: tuple[Row, ...]
    of: int


@dataclass(frozen=True)
class _Asked:
    kind: Literal["count", "list", "extreme"]
    text: str
    words: tuple[str, ...]
    """Stems of what it says, in their order; without the bound and the superlative."""
    superlative: re.Match[str] | None
    bound: re.Match[str] | None

    @property
    def stems(self) -> frozenset[str]:
        return frozenset(self.words)


def may_ask_a_table(question: str) -> bool:
    """Whether the question is of a form that a table may answer; cheap, before any document is read."""
    return _asked(question) is not None


def from_tables(question: str, texts: Sequence[tuple[str, str, str]]) -> TableAnswer | None:
    """The first table of the documents, given as (id, title, text), that answers; None when none does."""
    asked = _asked(question)
    if asked is None:
        return None
    for document, title, text in texts:
        for table in tables(text):
            found = _answer(asked, table, title, document)
            if found is not None:
                return found
    return None


def compared(
    one: str, other: str, comparative: str, texts: Sequence[tuple[str, str, str]]
) -> tuple[TableAnswer, tuple[str, str]] | None:
    """The row of the thing that is "longer", then the other's, with their values; from a table that has both."""
    superlative = {"newer": "newest", "later": "latest", "earlier": "earliest", "first": "first"}.get(
        comparative, comparative.removesuffix("r") + "st")
    if superlative not in _SUPERLATIVES:
        return None
    rising, hints = _SUPERLATIVES[superlative]
    wanted = {stem(word) for word in hints.split()}
    names = [_bare(one), _bare(other)]
    for document, _, text in texts:
        for table in tables(text):
            rows = [next((row for row in table.rows if _bare(_name(table, row)) == name), None) for name in names]
            column = next((column for column in table.columns[1:] if any(
                is_near(word, {stem(term) for term in terms(column)}) for word in wanted)), "")
            if None in rows or not column:
                continue
            valued = [
                (value, row) for row in rows if row and (value := number(row.cells.get(column, ""))) is not None
            ]
            if len(valued) < 2 or valued[0][0] == valued[1][0]:
                continue
            valued.sort(key=lambda pair: pair[0], reverse=rising)
            best, worse = (row for _, row in valued)
            answer = TableAnswer("comparison", _name(table, best), document, (best, worse), len(table.rows))
            return answer, (best.cells[column], worse.cells[column])
    return None


def _bare(name: str) -> str:
    return re.sub(r"(?i)^(?:the|an?)\s+", "", name.strip()).lower()


def _asked(question: str) -> _Asked | None:
    if is_cjk(question):
        return None
    bound = _BOUND.search(question)
    superlative = _SUPERLATIVE.search(question)
    counted, listed = _COUNT.match(question), _LIST.match(question)
    if counted:
        kind: Literal["count", "list", "extreme"] = "count"
        superlative = None
    elif superlative and listed:
        kind = "extreme"
    elif listed:
        kind = "list"
    else:
        return None
    said = question
    for match in (bound, superlative):
        if match:
            said = said.replace(match.group(), " ")
    words = tuple(word for word in map(stem, terms(said)) if word not in SAY_NOTHING)
    return _Asked(kind, question, words, superlative, bound)


def _answer(asked: _Asked, table: Table, title: str, document: str) -> TableAnswer | None:
    kept, explained = _filtered(asked, table)
    chosen_by_cells = bool(explained)
    column, rising = None, True
    if asked.superlative:
        column, rising, said = _measured(asked, table)
        explained = explained | said
        if column is None:
            return None
    if asked.bound:
        bounding = _bounding(asked, table)
        if bounding is None:
            return None
        kept = [row for row in kept if _within(asked.bound, row.cells.get(bounding, ""))]
    headers = {stem(word) for name in table.columns for word in terms(name)}
    caption = {stem(word) for word in terms(f"{table.above} {title}")}
    captioned = {without_e(word) for word in caption}
    left = {word for word in asked.stems - explained if without_e(word) not in captioned}
    if any(not is_near(word, headers) for word in left):
        return None
    about_rows = chosen_by_cells or any(is_near(word, headers | caption) for word in asked.stems)
    if not about_rows or not kept:
        return None
    named = _asked_for(asked, table, explained)
    if named != table.columns[0] and (asked.kind == "extreme" or _mostly_numbers(table, named)):
        return None  # "how many employees has Acme" asks for a cell, which is the reader's to find
    wants_all = asked.bound or _ASKS_FOR_ALL.match(asked.text)
    if asked.kind == "list" and len(kept) in (1, len(table.rows)) and not wants_all:
        return None  # one row is the reader's to find, and all of them are no answer to "which"
    return _said(asked, table, kept, column, rising, document, named)


def _said(
    asked: _Asked, table: Table, kept: list[Row], column: str | None, rising: bool, document: str, named: str
) -> TableAnswer | None:
    if asked.kind == "extreme":
        valued = [(value, row) for row in kept if (value := number(row.cells.get(column or "", ""))) is not None]
        if len(valued) < 2:
            return None
        best = (max if rising else min)(value for value, _ in valued)
        kept = [row for value, row in valued if value == best]
        answer = ", ".join(_name(table, row) for row in kept)
        return TableAnswer("extreme", answer, document, tuple(kept), len(valued))
    names = list(dict.fromkeys(row.cells.get(named, "") for row in kept))
    if asked.kind == "count":
        count = len(kept) if named == table.columns[0] else len([name for name in names if name])
        return TableAnswer("count", str(count), document, tuple(kept), len(table.rows))
    if not all(names) or len(names) > MOST_LISTED:
        return None
    return TableAnswer("list", ", ".join(names), document, tuple(kept), len(table.rows))


def _name(table: Table, row: Row) -> str:
    return row.cells.get(table.columns[0], "")


def _asked_for(asked: _Asked, table: Table, explained: frozenset[str]) -> str:
    """The column of what is counted or listed: the first word that nothing else accounts for names it."""
    spoken_for = explained
    if asked.superlative:  # "founded first": what is measured is not what is asked for
        _, hints = _SUPERLATIVES.get(asked.superlative.group().lower(), (True, ""))
        spoken_for = frozenset(stem(word) for word in hints.split())
    first = next((word for word in asked.words if word not in spoken_for), "")
    own = (column for column in table.columns if first and is_near(first, {stem(word) for word in terms(column)}))
    return next(own, table.columns[0])


def _mostly_numbers(table: Table, column: str) -> bool:
    return sum(number(row.cells.get(column, "")) is not None for row in table.rows) * 2 > len(table.rows)


def _filtered(asked: _Asked, table: Table) -> tuple[list[Row], frozenset[str]]:
    """The rows that have the values which the question names; and the words which name them."""
    wanted: dict[str, set[str]] = {}
    explained: set[str] = set()
    for column in table.columns:
        for value in {row.cells.get(column, "") for row in table.rows}:
            words = {stem(word) for word in terms(value)}
            if words and words <= asked.stems and not value.replace(".", "").isdigit():
                wanted.setdefault(column, set()).add(value)
                explained |= words
    kept = [row for row in table.rows if all(row.cells.get(name, "") in values for name, values in wanted.items())]
    return kept, frozenset(explained)


def _measured(asked: _Asked, table: Table) -> tuple[str | None, bool, frozenset[str]]:
    """The column that the superlative is about, whether the most of it is asked for, and the words that say so."""
    found = asked.superlative
    assert found is not None
    if found["word"]:
        rising, hints = _SUPERLATIVES[found["word"].lower()]
        wanted = {stem(word) for word in hints.split()}
    else:
        rising, wanted = found["most"] is not None, set(asked.stems)
    for column in table.columns[1:]:
        own = {stem(word) for word in terms(column)}
        named = frozenset(word for word in wanted if is_near(word, own))
        if named and sum(number(row.cells.get(column, "")) is not None for row in table.rows) >= 2:
            return column, rising, named
    return None, rising, frozenset()


def _bounding(asked: _Asked, table: Table) -> str | None:
    """The column of numbers that "after 1900" is about: the one the question names, or the only one that can be."""
    bound = asked.bound
    assert bound is not None
    limit = number(bound["value"]) or 0
    numeric = [name for name in table.columns[1:] if _mostly_numbers(table, name)]
    named = [name for name in numeric if any(is_near(stem(word), asked.stems) for word in terms(name))]
    if len(named) == 1:
        return named[0]
    is_year = 1000 <= limit <= 2100 and "," not in bound["value"]
    years = [name for name in numeric if is_year and all(
        1000 <= (number(row.cells.get(name, "")) or 1500) <= 2100 for row in table.rows)]
    return years[0] if len(years) == 1 else None


def _within(bound: re.Match[str], cell: str) -> bool:
    value, limit = number(cell), number(bound["value"])
    if value is None or limit is None:
        return False
    if bound["under"]:
        return value < limit
    return value >= limit if (bound["over"] or "").lower() == "since" else value > limit


def number(text: str) -> float | None:
    """The first number of a cell: 1120 of "1,120 m", 2015 of "2015-03-02"."""
    found = _NUMBER.search(text)
    return float(found.group().replace(",", "")) if found else None


def without_e(word: str) -> str:
    """A stem by which "price" and "prices" meet."""
    return word.removesuffix("e") if len(word) > 3 else word


def is_near(word: str, others: frozenset[str] | set[str]) -> bool:
    """Whether it is one of them, or begins as one of them does: "design" and "designer"."""
    return word in others or any(
        len(other) >= 4 and len(word) >= 4 and (word.startswith(other) or other.startswith(word)) for other in others
    )
