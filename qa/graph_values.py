"""Dates and quantities as texts and the knowledge graph write them, compared by what they mean.

"Same" allows for what an answer leaves open: a year for a date, a rounded number, another unit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from qa.graph_reading import Term

Comparison = Literal["same", "different", "unclear"]
"""`unclear`: so near, or so unlike in kind, that neither can be said."""

NEAR = 0.05
"""Two numbers that differ by less may be two roundings or two measurements of one thing."""
NEAR_CHANGING = 0.3
"""Of what grows or shrinks from year to year."""
EXACT_BELOW = 1_000
GROUPED_FROM = 10_000
"""Thousands are set off in larger numbers."""
_CHANGING = re.compile(r"(?i)population|employee|student|member|budget|revenue|gdp|visitor|passenger|circulation")
_XSD = "http://www.w3.org/2001/XMLSchema#"
_DATES = {f"{_XSD}{name}" for name in ("date", "dateTime", "gYear", "gYearMonth")}
_NUMERIC = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_ISO = re.compile(r"(?P<year>-?\d{1,4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d))?)?")
_MONTHS = ("january february march april may june july august september october november december").split()
_MONTH = "|".join(f"{month[:3]}(?:{month[3:]})?\\.?" if len(month) > 3 else month for month in _MONTHS)
_ERA = r"(?:\s*(?P<era>BCE?|B\.C\.(?:E\.)?))?"
_DATE_PATTERNS = tuple(re.compile(pattern, re.IGNORECASE) for pattern in (
    rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<name>{_MONTH}),? (?P<year>\d{{3,4}}){_ERA}\b",
    rf"\b(?P<name>{_MONTH}) (?P<day>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<year>\d{{3,4}}){_ERA}\b",
    rf"\b(?P<name>{_MONTH}),? (?P<year>\d{{3,4}}){_ERA}\b",
    r"(?<![\d-])(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})(?!\d)",
    r"(?P<year>\d{3,4})年(?:(?P<month>\d{1,2})月(?:(?P<day>\d{1,2})[日号])?)?",
    rf"(?<![\d.,])(?P<year>\d{{3,4}})(?![\d.,]?\d)(?!s\b){_ERA}",
))
_CENTURY = re.compile(r"(?i)(\d{1,2})(?:st|nd|rd|th) century|(\d{1,2})世纪")
_DECADE = re.compile(r"(?<!\d)(\d{3}0)s\b|(\d{3}0)年代")
_ONES = {word: number for number, word in enumerate(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen".split())}
_TENS = {word: 10 * number for number, word in enumerate(
    "twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)}
_CHINESE = {character: number for number, character in enumerate("零一二三四五六七八九十")} | {"两": 2}
_TIMES = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "万": 1e4, "百万": 1e6, "亿": 1e8}
_UNITS: tuple[tuple[str, str, float], ...] = (
    # pattern; dimension; its size in square metres, metres, kilograms, ones, degrees
    (r"square kilomet(?:re|er)s?|km²|km2|sq\.? ?km|squareKilometre|平方公里|平方千米", "area", 1e6),
    (r"square miles?|sq\.? ?mi|mi²|squareMile", "area", 2_589_988.11),
    (r"square met(?:re|er)s?|m²|m2|squareMetre|平方米", "area", 1.0),
    (r"hectares?|ha|公顷", "area", 1e4),
    (r"acres?", "area", 4_046.856),
    (r"kilomet(?:re|er)s?|km|公里|千米", "length", 1e3),
    (r"miles?|mi|英里", "length", 1_609.344),
    (r"centimet(?:re|er)s?|cm|厘米", "length", 0.01),
    (r"millimet(?:re|er)s?|mm|毫米", "length", 0.001),
    (r"met(?:re|er)s?|m|米", "length", 1.0),
    (r"feet|foot|ft|英尺", "length", 0.3048),
    (r"inch(?:es)?", "length", 0.0254),
    (r"kilograms?|kilogrammes?|kg|公斤|千克", "mass", 1.0),
    (r"tonnes?|tons?|t|吨", "mass", 1e3),
    (r"pounds?|lbs?", "mass", 0.45359237),
    (r"grams?|g|克", "mass", 1e-3),
    (r"%|percent|per cent|percentage", "share", 0.01),
    (r"°C|degrees? celsius|degreeCelsius|摄氏度", "celsius", 1.0),
    (r"°F|degrees? fahrenheit|degreeFahrenheit", "fahrenheit", 1.0),
    (r"kelvin|K", "kelvin", 1.0),
)
_SYMBOLS = {
    "metre": "m", "kilometre": "km", "centimetre": "cm", "millimetre": "mm", "squareKilometre": "km²",
    "squareMetre": "m²", "kilogram": "kg", "gram": "g", "degreeCelsius": "°C",
    "degreeFahrenheit": "°F", "kelvin": "K",
}
"""Of DBpedia's units."""
_UNIT = re.compile("|".join(f"(?P<u{place}>{pattern})" for place, (pattern, *_) in enumerate(_UNITS)))
_NUMBER = re.compile(
    r"(?<![\w.,-])(?P<number>\d{1,3}(?:[,\u00a0\u202f]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"\s*(?P<times>thousand|million|billion|百万|万|亿)?"
    rf"|\b(?P<word>(?:{'|'.join(_TENS)})(?:[- ](?:{'|'.join(_ONES)}))?|{'|'.join(_ONES)})\b"
    r"(?:\s+(?P<wtimes>thousand|million|billion))?"
    r"|(?P<cjk>[一二两三四五六七八九十百]+)(?=[个座家名颗条年位本只])", re.IGNORECASE,
)
_ABOUT = re.compile(
    r"(?i)(?:about|around|approximately|approx\.?|some|roughly|nearly|almost|over|under|more than|less than|circa"
    r"|约|大约|近|超过)\s*$"
)


@dataclass(frozen=True)
class When:
    """Somewhere in these years, before Christ negative; the month and day where they are known."""

    first: int
    last: int
    month: int | None = None
    day: int | None = None


@dataclass(frozen=True)
class Amount:
    """A number; `slack` is how much it may be off for being rounded; `unit` is a dimension and its size, or None."""

    number: float
    slack: float
    unit: tuple[str, float] | None


# --- what texts say ---

def dates(text: str) -> list[When]:
    """In the order in which they stand."""
    found: list[tuple[int, int, When]] = []
    for pattern, years in ((_CENTURY, 100), (_DECADE, 10)):
        for match in pattern.finditer(text):
            number = int(match[1] or match[2])
            first = (number - 1) * 100 + 1 if years == 100 else number
            found.append((*match.span(), When(first, first + years - 1)))
    for pattern in _DATE_PATTERNS:
        for match in pattern.finditer(text):
            if not any(match.start() < end and start < match.end() for start, end, _ in found):
                found.append((*match.span(), _when(match)))
    return [when for *_, when in sorted(found, key=lambda each: each[0])]


def _when(match: re.Match[str]) -> When:
    parts = match.groupdict()
    year = -int(parts["year"]) if parts.get("era") else int(parts["year"])
    name = parts.get("name")
    month = parts.get("month")
    if name:
        month = next(number for number, each in enumerate(_MONTHS, 1) if each.startswith(name[:3].lower()))
    return When(year, year, int(month) if month else None, int(parts["day"]) if parts.get("day") else None)


def amounts(text: str) -> list[Amount]:
    """Numbers with their units, in the order in which they stand; "about 8 million" may be off by half a million."""
    found = []
    for match in _NUMBER.finditer(text):
        about = bool(_ABOUT.search(text[: match.start()]))
        unit = _UNIT.match(text, match.end() + len(text[match.end() :]) - len(text[match.end() :].lstrip()))
        if unit and unit.group().isascii() and text[unit.end() : unit.end() + 1].isalpha():
            unit = None  # "3 months" are no metres
        if match["cjk"]:
            number, digits, times = _chinese(match["cjk"]), "", 1.0
        elif match["word"]:
            words = re.split(r"[- ]", match["word"].lower())
            number, digits = float(sum(_TENS.get(word, 0) or _ONES.get(word, 0) for word in words)), ""
            times = _TIMES.get((match["wtimes"] or "").lower(), 1.0)
        else:
            digits = re.sub(r"[^\d.]", "", match["number"])
            number, times = float(digits), _TIMES.get((match["times"] or "").lower(), 1.0)
        slack = _slack(digits, number, times, about)
        measured = unit is not None and "." not in digits
        found.append(Amount(number * times, max(slack, 0.5 * times) if measured else slack, _unit(unit)))
    return found


def _slack(digits: str, number: float, times: float, about: bool) -> float:
    """Half of what the last digit counts; zeros at the end are rounding in large numbers and after "about" only."""
    if "." in digits:
        return 0.5 * 10.0 ** -len(digits.split(".")[1]) * times
    zeros = len(digits) - len(digits.rstrip("0"))
    if times > 1:
        return 0.5 * times * (10.0**zeros if about else 1.0)
    slack = 0.5 * 10.0**zeros if zeros else 0.5
    return slack if about else min(slack, 0.01 * number) if zeros and number >= EXACT_BELOW else 0.0


def _chinese(text: str) -> float:
    if "百" in text:
        return float(_CHINESE.get(text[0], 1) * 100)
    before, ten, after = text.partition("十")
    if not ten:
        return float(_CHINESE.get(text[0], 0))
    return float((_CHINESE.get(before, 1) if before else 1) * 10 + (_CHINESE.get(after, 0) if after else 0))


def _unit(match: re.Match[str] | None) -> tuple[str, float] | None:
    if match is None:
        return None
    place = next(place for place in range(len(_UNITS)) if match[f"u{place}"] is not None)
    return _UNITS[place][1:]


# --- what the graph says ---

def date_of(value: Term, predicate: str) -> When | None:
    """None when the value is no date; a plain number is a year where the predicate's name says so."""
    is_year = re.search(r"(?i)year", predicate) and re.fullmatch(r"-?\d{3,4}", value.value)
    if value.kind != "literal" or not (value.datatype in _DATES or is_year):
        return None
    match = _ISO.match(value.value)
    if not match:
        return None
    year = int(match["year"])
    return When(year, year, *(int(match[part]) if match[part] else None for part in ("month", "day")))


def amount_of(value: Term) -> Amount | None:
    """None when the value is no number; its unit is the name of its datatype, or unknown."""
    if value.kind != "literal" or not _NUMERIC.fullmatch(value.value.strip()):
        return None
    unit = _UNIT.fullmatch(value.datatype.rsplit("/", 1)[-1].rsplit("#", 1)[-1])
    return Amount(float(value.value), 0.0, _unit(unit))


def shown(value: Term, language: str = "en") -> str:
    """A value as people write it: a thing's name, a number with its unit, a date."""
    when = date_of(value, "")
    if when is not None:
        return _shown_date(when, language)
    amount = amount_of(value)
    if amount is None:
        return value.label
    unit = value.datatype.rsplit("/", 1)[-1] if amount.unit else ""
    large = amount.number.is_integer() and amount.number >= GROUPED_FROM
    number = f"{int(amount.number):,}" if large else value.value
    return f"{number} {_SYMBOLS.get(unit, unit)}".strip()


def _shown_date(when: When, language: str) -> str:
    if language == "zh":
        year = f"公元前{-when.first}年" if when.first < 0 else f"{when.first}年"
        return year + (f"{when.month}月" if when.month else "") + (f"{when.day}日" if when.day else "")
    month = _MONTHS[when.month - 1].capitalize() if when.month else ""
    year = f"{-when.first} BC" if when.first < 0 else str(when.first)
    return " ".join(str(part) for part in (when.day, month, year) if part)


# --- compared ---

def compare_dates(said: When, known: When) -> Comparison:
    """Only as exactly as both are known."""
    if said.last < known.first or known.last < said.first:
        return "different"
    for one, other in ((said.month, known.month), (said.day, known.day)):
        if one is None or other is None:
            return "same"
        if one != other:
            return "different"
    return "same"


def compare_amounts(said: Amount, known: Amount, predicate: str) -> Comparison:
    """Numbers of one dimension in its unit; a number whose unit is not known may be in any that was said."""
    if said.unit and known.unit and said.unit[0] != known.unit[0]:
        return "unclear"
    if said.unit and said.unit[0] == "share" and not known.unit and known.number > 1:
        return "unclear"  # a part of it, not how many there are
    if said.unit and known.unit:
        scales = [(said.unit[1], known.unit[1])]
    else:
        known_scale, said_scale = known.unit[1] if known.unit else 1.0, said.unit[1] if said.unit else 1.0
        scales = [(1.0, 1.0), (said_scale, known_scale)]
    near = NEAR_CHANGING if _CHANGING.search(predicate) else NEAR
    results = [_compare(said.number * one, said.slack * one, known.number * other, near) for one, other in scales]
    return next((wanted for wanted in ("same", "unclear") if wanted in results), "different")


def _compare(said: float, slack: float, known: float, near: float) -> Comparison:
    if abs(said - known) <= max(slack, 1e-9 * abs(known)):
        return "same"
    exact = float(said).is_integer() and float(known).is_integer() and slack == 0 and max(said, known) < EXACT_BELOW
    return "different" if exact or abs(said - known) > near * max(abs(said), abs(known)) else "unclear"


