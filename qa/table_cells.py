"""Answers that are one cell of a Markdown table: "How much is the full day allowance in France?".

The reader has learnt from prose: in a row of bars and values it takes one column's cell for another's. Rules, as
careful as those of `table_answers`: the question names one row and fits one column best, and the table's heading
accounts for every other word that says something. Otherwise the reader's answer stands.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from qa.scripts import is_cjk
from qa.support import stem
from qa.table_answers import SAY_NOTHING, is_near, without_e
from qa.tables import Row, Table, tables
from qa.terms import terms

T = TypeVar("T")

_ASKS = re.compile(r"(?i)^\W*(?:what|which|who|whom|whose|how|when|where|in what|in which|on what|at what)\b")
_ASKS_IN_CHINESE = re.compile("多少|多久|多长|多長|什么|什麼|几|幾|谁|誰|哪|何")
_WORKS_OUT_IN_CHINESE = re.compile("最|除|比|总共|總共|合计|合計|平均|相差|以外|之外|不")
_IN_BRACKETS = re.compile(r"[(（\[][^)）\]]*[)）\]]")
_EMPTY = re.compile(r"[-–—?\s]*|n/?a", re.IGNORECASE)

_MEANT = (
    (r"how (?:much|expensive)", "price cost fee rate amount allowance"), (r"how long", "length long duration time"),
    (r"how (?:tall|high)", "height"), (r"how heavy", "weight mass"), (r"how old", "age"), (r"how deep", "depth"),
    (r"how wide", "width"), (r"how fast", "speed"), (r"how far", "distance"), (r"how (?:large|big)", "size area"),
    (r"when", "year date opened built founded born"), (r"where", "city country place location town"),
)
"""Which columns are meant by questions that do not name one."""
_ADJECTIVES = frozenset(without_e(stem(word)) for word in (
    "expensive long tall high heavy old deep wide fast far large big".split()
))
_ONE_VALUE = frozenset(without_e(stem(word)) for word in (
    "value amount default figure number limit description meaning price cost rate fee".split()
))
"""Names of a second column of two that need not be named."""
_WEAK = frozenset(without_e(word) for word in SAY_NOTHING) | frozenset(without_e(stem(word)) for word in (
    "much pay paid pays get gets receive received receives apply applies allowed value amount per cost costs".split()
))


@dataclass(frozen=True)
class Cell:
    """Characters `start` to `end` of the document, in one row of it."""

    document: str
    row: Row
    start: int
    end: int


def asks_for_a_cell(question: str) -> bool:
    """Whether the question is of a form that a cell may answer; cheap, before any document is read."""
    if is_cjk(question):
        return bool(_ASKS_IN_CHINESE.search(question)) and not _WORKS_OUT_IN_CHINESE.search(question)
    return bool(_ASKS.match(question))


def cell_asked_for(question: str, texts: Sequence[tuple[str, str, str]]) -> Cell | None:
    """The cell that the question asks for, in the first table of the documents, given as (id, title, text), that has
    it; None when none does."""
    if not asks_for_a_cell(question):
        return None
    find = _find_chinese if is_cjk(question) else _find
    for document, title, text in texts:
        for table in tables(text):
            if "|" not in text[table.rows[0].start : table.rows[0].end]:
                continue  # where each value follows its column's name, the reader tells them apart
            row, column = find(question, table, title)
            if row is not None and column in row.places and not _EMPTY.fullmatch(row.cells[column]):
                return Cell(document, row, *row.places[column])
    return None


def _words(text: str) -> frozenset[str]:
    return frozenset(without_e(stem(word)) for word in terms(_IN_BRACKETS.sub(" ", text)))


def _find(question: str, table: Table, title: str) -> tuple[Row | None, str]:
    asked = _words(question)
    named = [(words, row) for row in table.rows
             if (words := _words(row.cells.get(table.columns[0], ""))) and words <= asked]
    longest = max((len(words) for words, _ in named), default=0)
    fitting = [(words, row) for words, row in named if len(words) == longest]
    if len(fitting) != 1 or any(not words <= fitting[0][0] for words, _ in named):
        return None, ""
    words, row = fitting[0]
    left = asked - words
    column, explained = _column(question, left, table)
    heading = _words(f"{table.above} {title} {table.columns[0]}")
    return (row, column) if not left - explained - heading - _WEAK - _ADJECTIVES else (None, "")


def _column(question: str, left: frozenset[str], table: Table) -> tuple[str, frozenset[str]]:
    """The column that the question's words fit best, and those of the words that do; "" when none or several do."""
    fits = {
        name: frozenset(word for word in left if is_near(word, _words(name))) for name in table.columns[1:]
    }
    most = max((len(words) for words in fits.values()), default=0)
    best = [name for name, words in fits.items() if most and len(words) == most]
    if len(best) > 1:  # "Day" and "Half day": what is named whole
        best = [name for name in best if _words(name) <= left] or best
    if not best:
        meant = next((words for asks, words in _MEANT if re.match(rf"(?i)\W*{asks}\b", question)), "")
        best = [name for name in table.columns[1:] if any(is_near(word, _words(name)) for word in _words(meant))]
    if not best and len(table.columns) == 2 and _words(table.columns[1]) & _ONE_VALUE:
        best = [table.columns[1]]
    return (best[0], fits[best[0]]) if len(best) == 1 else ("", frozenset())


def _find_chinese(question: str, table: Table, _title: str) -> tuple[Row | None, str]:
    """Chinese has no spaces: the row's and the column's names stand in the question, letter for letter."""
    row = _longest([(each.cells.get(table.columns[0], ""), each) for each in table.rows], question)
    column = _longest([(_IN_BRACKETS.sub("", name).strip(), name) for name in table.columns[1:]], question)
    return (row, column) if row is not None and column is not None else (None, "")


def _longest(named: Sequence[tuple[str, T]], question: str) -> T | None:
    """What has the longest name that stands in the question; None when another's stands there beside it."""
    found = [(name, each) for name, each in named if len(name) > 1 and name in question]
    if not found:
        return None
    best, what = max(found, key=lambda pair: len(pair[0]))
    others = [name for name, each in found if each is not what]
    return what if all(name in best and name != best for name in others) else None
