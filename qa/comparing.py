"""Questions that compare two things: which of them, asked how, and of which value of each.

"Which is older, the Corran Bridge or the Glen Viaduct?" needs two passages. It is taken apart into the same question
of each thing; the answers' numbers or dates are compared by `decide`. Rules, not a model. Asking is the caller's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from qa.scripts import is_cjk

_OLDER = "When was {0} built, founded, opened or born?"
_QUESTIONS: Mapping[str, tuple[bool, str]] = {
    "older": (False, _OLDER), "younger": (True, _OLDER), "newer": (True, _OLDER), "earlier": (False, "When was {0}?"),
    "first": (False, "When was {0}?"), "later": (True, "When was {0}?"),
    "longer": (True, "How long is {0}?"), "shorter": (False, "How long is {0}?"),
    "taller": (True, "How tall is {0}?"), "higher": (True, "How high is {0}?"), "lower": (False, "How high is {0}?"),
    "larger": (True, "How large is {0}?"), "bigger": (True, "How large is {0}?"),
    "smaller": (False, "How large is {0}?"), "heavier": (True, "How heavy is {0}?"),
    "lighter": (False, "How heavy is {0}?"), "cheaper": (False, "How much does {0} cost?"),
    "deeper": (True, "How deep is {0}?"), "wider": (True, "How wide is {0}?"), "faster": (True, "How fast is {0}?"),
    "slower": (False, "How fast is {0}?"),
}
"""By comparative: whether the greater value wins, and what is asked of each."""
_WORD = "|".join(_QUESTIONS)
_TWO = re.compile(
    r"(?i)(?:,|:|\bbetween\b|\bof\b|^\W*(?:is|was|are|were)\b)\s*(?P<one>[^,:?]+?)\s*,?\s+(?:or|and)\s+"
    r"(?P<other>[^,?]+?)\s*\?*\s*$"
)
_ASKS_WHICH = re.compile(r"(?i)^\W*(?:which|who|what|is|was|are|were)\b")
_HOW = re.compile(
    rf"(?i)\b(?:(?P<word>{_WORD})|(?P<more>more|most|greater|fewer|less|least)\s+(?P<what>[a-z]+))\b"
)
_HAPPENED = re.compile(
    r"(?i)\b(?P<verb>opened|built|founded|born|published|released|completed|established|invented|discovered"
    r"|signed|created|launched|introduced)\b"
)
_THAN = re.compile(
    rf"(?i)^\W*(?:is|was|are|were)\s+(?P<one>.+?)\s+(?P<how>{_WORD}|more expensive)\s+than"
    r"\s+(?P<other>.+?)\s*\?*\s*$"
)
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_BC = re.compile(r"(?i)\bBCE?\b")
_SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)
_UNITS: Mapping[str, tuple[str, float]] = {
    "mm": ("length", 0.001), "cm": ("length", 0.01), "m": ("length", 1), "metre": ("length", 1),
    "meter": ("length", 1), "km": ("length", 1000), "kilometre": ("length", 1000), "kilometer": ("length", 1000),
    "mile": ("length", 1609.344),
    "ft": ("length", 0.3048), "foot": ("length", 0.3048), "feet": ("length", 0.3048), "in": ("length", 0.0254),
    "g": ("mass", 0.001), "gram": ("mass", 0.001), "kg": ("mass", 1), "kilogram": ("mass", 1), "t": ("mass", 1000),
    "tonne": ("mass", 1000), "ton": ("mass", 1000), "lb": ("mass", 0.4536), "pound": ("mass", 0.4536),
    "second": ("time", 1), "minute": ("time", 60), "hour": ("time", 3600), "day": ("time", 86400),
    "week": ("time", 604800), "month": ("time", 2629800), "year": ("time", 31557600),
}
_UNIT = re.compile(r"\s*-?\s*([A-Za-z]+)")


@dataclass(frozen=True)
class Comparison:
    """Two things, the question that each is asked, and whether the greater value is the answer.

    `word` is the comparative: "older"; "" for "more inhabitants".
    """

    one: str
    other: str
    question: str
    greater: bool
    dates: bool
    word: str = ""

    def asked_of(self, thing: str) -> str:
        return self.question.format(thing)


def comparison(question: str) -> Comparison | None:
    """The question taken apart; None when it compares nothing that is known here."""
    if is_cjk(question):
        return None
    than = _THAN.match(question)
    if than:
        return _of(_HAPPENED.sub("", than["one"]), than["other"], than["how"], question)
    two, how = _TWO.search(question), _HOW.search(question)
    if not two or not how or not _ASKS_WHICH.match(question):
        return None
    return _of(two["one"], two["other"], how.group(), question[: two.start()])


def _of(one: str, other: str, how: str, asked: str) -> Comparison | None:
    one, other = _thing(one), _thing(other)
    if not one or not other or one.lower() == other.lower():
        return None
    found = _HOW.search(how)
    if found is None:
        return None
    if found["word"]:
        greater, question = _QUESTIONS[found["word"].lower()]
        happened = _HAPPENED.search(asked)
        if happened and question.startswith("When"):
            question = f"When was {{0}} {happened['verb'].lower()}?"
        return Comparison(one, other, question, greater, question.startswith("When"), found["word"].lower())
    greater = found["more"].lower() in ("more", "most", "greater")
    what = found["what"].lower()
    if what == "expensive":
        return Comparison(one, other, "How much does {0} cost?", greater, False)
    return Comparison(one, other, f"How many {what} does {{0}} have?", greater, False)


def _thing(text: str) -> str:
    return re.sub(r"(?i)^(?:is|was|are|were|the two|of)\s+", "", text.strip(" \t.,?!\"'“”")).strip()


def decide(asked: Comparison, one: str, other: str) -> str | None:
    """Which thing it is, by the values found for each; None when they cannot be compared or are equal."""
    values = (date(one), date(other)) if asked.dates else quantities(one, other)
    first, second = values
    if first is None or second is None or first == second:
        return None
    return asked.one if (first > second) == asked.greater else asked.other


def date(text: str) -> float | None:
    """A year, with the month as a fraction where one is named; before Christ counts below 0."""
    years = [match for match in _NUMBER.finditer(text) if "," not in match.group() and "." not in match.group()]
    full = [match for match in years if len(match.group()) in (3, 4)]
    if not full:
        century = re.search(r"(?i)\b(\d{1,2})(?:st|nd|rd|th)\s+century", text)
        return (int(century[1]) - 1) * 100 + 50.0 if century else None
    year = float(full[0].group())
    month = next((number for number, name in enumerate(_MONTHS) if name in text.lower()), 0)
    return -year if _BC.search(text) else year + month / 12


def quantities(one: str, other: str) -> tuple[float | None, float | None]:
    """Both numbers in one unit; (None, None) where they are of different kinds."""
    first, second = _quantity(one), _quantity(other)
    if first is None or second is None:
        return None, None
    if first[0] and second[0] and first[0] != second[0]:
        return None, None
    if bool(first[0]) != bool(second[0]):  # one unit was not said: it is the same one, or nobody can tell
        return first[1] / first[2], second[1] / second[2]
    return first[1], second[1]


def _quantity(text: str) -> tuple[str, float, float] | None:
    """(kind of unit, value in its base unit, how many base units the unit has)."""
    found = _NUMBER.search(text)
    if not found:
        return None
    value = float(found.group().replace(",", ""))
    after = text[found.end() :]
    scale = next((by for word, by in _SCALES.items() if re.match(rf"\s*{word}", after, re.IGNORECASE)), 1.0)
    unit = _UNIT.match(after)
    word = unit[1].lower() if unit else ""
    kind, size = _UNITS.get(word) or _UNITS.get(word.rstrip("s")) or ("", 1.0)
    return kind, value * scale * size, size
