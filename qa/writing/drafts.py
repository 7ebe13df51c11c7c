"""What is asked of a model for one sentence, and the sentence made of what it answers.

A sentence is first translated as a whole: its pieces that must be kept stand in it as names, which models copy, and
its tags are set again around the words that they were around. Where the answer has lost one of them, the parts around
the pieces are translated by themselves, so nothing can be lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from qa.scripts import CJK
from qa.writing.protected import Held
from qa.writing.units import Unit, sides

_STOP = re.compile(r"[.!?…。！？:：;；,，、]$")
_ADDED_STOP = re.compile(r"\s*[.。]$")
_EDGES = re.compile(r"^(\s*)(.*?)(\s*)$", re.S)
_INNER_STOP = re.compile(r"[\s.!?。！？,，;；:：]+$")
_CJK_CHARACTER = re.compile(f"[{CJK}]")

NAMES = (
    ("Tom", {"zh": "汤姆"}, ("Tom", "汤姆", "湯姆")),
    ("Mary", {"zh": "玛丽"}, ("Mary", "Maria", "Marie", "玛丽", "瑪麗", "玛莉")),
    ("Boston", {"zh": "波士顿"}, ("Boston", "波士顿", "波士頓")),
)
"""Stand-ins for pieces: how a text has them, and as what they may come out. Each was put into 217 sentences: in the
place of Tom into 137 of Tatoeba's dev sets (40 each from and to German, 27 to Chinese, 30 from it), and into 20 about
files and pages in each direction. With the starter translator "Tom" stood once in 207 of the translations, "Mary" in
206 and "Boston" in 188 (in one of three candidates: 214, 211 and 198); "{name}", a web address, "X", "ABC", a number,
"John" and "Berlin" in none."""


@dataclass(frozen=True)
class Stand:
    """A piece that the model sees as a name."""

    name: str
    output: str


@dataclass(frozen=True)
class Span:
    """Words with something around them, or a term with the words that it must become."""

    inner: str
    before: str
    after: str
    term: str = ""


class Whole:
    """The sentence as one text; None from `of` when its tags cross each other or there are too many pieces."""

    def __init__(self, items: Sequence[str | Stand | Span]) -> None:
        self._items = items
        self.text = " ".join("".join(map(_seen, items)).split())
        self.inner = [" ".join(item.inner.split()) for item in items if isinstance(item, Span)]

    @classmethod
    def of(cls, unit: Unit, source: str) -> Whole | None:
        said = " ".join(token for token in unit.tokens if isinstance(token, str))
        names = [own.get(source, name) for name, own, forms in NAMES if not any(form in said for form in forms)]
        items = _items(unit.tokens, names)
        return None if items is None else cls(items)

    @property
    def is_plain(self) -> bool:
        return all(isinstance(item, str) for item in self._items)

    def with_names(
        self, inner: Sequence[str], source: str, target: str, write: Callable[[str], str]
    ) -> Whole | None:
        """The same with a name for each span, whose own translation takes the name's place; None without spans, or
        when there are not enough names."""
        said = self.text
        names = [own.get(source, name) for name, own, forms in NAMES if not any(form in said for form in forms)]
        answers = iter(inner)
        items: list[str | Stand | Span] = []
        for item in self._items:
            if isinstance(item, Span):
                if not names:
                    return None
                words = item.term or as_part(item.inner, next(answers), target)
                if item.term:
                    next(answers)
                item = Stand(names.pop(0), item.before + write(words) + item.after)
            items.append(item)
        return Whole(items) if self.inner else None

    def put_together(
        self, translation: str, inner: Sequence[str], write: Callable[[str], str]
    ) -> str | None:
        """The translation with its pieces set; None when one of them has no place in it."""
        places: list[tuple[int, int, str, str]] = []  # start, end, what goes before and after, or instead
        spans = iter(inner)
        for item in self._items:
            if isinstance(item, str):
                continue
            if isinstance(item, Stand):
                found = _place_of_name(item.name, translation)
                if found is None:
                    return None
                places.append((*found, item.output, ""))
                continue
            answer = next(spans)
            found = _place(item.term, translation, places) if item.term else None
            found = found or _place(_INNER_STOP.sub("", answer), translation, places)
            if found is None:
                return None
            words = item.term or translation[found[0] : found[1]]
            places.append((*found, item.before + write(words) + item.after, ""))
        parts, at = [], 0
        for start, end, output, _ in sorted(places):
            if start < at:
                return None
            parts += [write(translation[at:start]), output]
            at = end
        return "".join([*parts, write(translation[at:])])


def _seen(item: str | Stand | Span) -> str:
    return item if isinstance(item, str) else item.name if isinstance(item, Stand) else item.inner


def _items(tokens: Sequence[str | Held], names: list[str]) -> list[str | Stand | Span] | None:
    """The tokens with tags gathered to spans."""
    stack: list[tuple[Held | None, list[str | Stand | Span]]] = [(None, [])]
    for token in tokens:
        inside = stack[-1][1]
        if isinstance(token, str):
            inside.append(token)
            continue
        opens, closes = sides(token)
        if closes and stack[-1][0] is not None and sides(stack[-1][0])[0] == closes:
            opening, within = stack.pop()
            assert opening is not None
            joined = _joined(opening, within, token, names)
            if joined is None:
                return None
            stack[-1][1].append(joined)
        elif opens:
            stack.append((token, []))
        elif closes:
            return None
        elif token.kind == "term":
            inside.append(Span(token.inner, "", "", token.output))
        elif names:
            inside.append(Stand(names.pop(0), token.output))
        else:
            return None
    return stack[0][1] if len(stack) == 1 else None


def _joined(
    opening: Held, within: Sequence[str | Stand | Span], closing: Held, names: list[str]
) -> Stand | Span | None:
    filled = [item for item in within if not isinstance(item, str) or item.strip()]
    if all(isinstance(item, str) for item in filled) and any(map(str.isalpha, "".join(filled))):  # type: ignore[arg-type]
        return Span("".join(within), opening.output, closing.output)  # type: ignore[arg-type]
    if len(filled) == 1 and isinstance(filled[0], Span) and not filled[0].term:
        span = filled[0]
        return Span(span.inner, opening.output + span.before, span.after + closing.output)
    if len(filled) == 1 and isinstance(filled[0], Stand):
        return Stand(filled[0].name, opening.output + filled[0].output + closing.output)
    if all(isinstance(item, str) for item in filled) and names:
        return Stand(names.pop(0), opening.output + "".join(within) + closing.output)  # type: ignore[arg-type]
    return None


def _place_of_name(name: str, translation: str) -> tuple[int, int] | None:
    """Where the one place of a stand-in is."""
    forms = next(forms for _, _, forms in NAMES if name in forms)
    found = [(match.start(), match.end()) for form in forms for match in re.finditer(re.escape(form), translation)]
    return found[0] if len(found) == 1 else None


def _place(words: str, translation: str, taken: Sequence[tuple[int, int, str, str]]) -> tuple[int, int] | None:
    words = words.strip()
    if not words:
        return None
    edge = "" if _CJK_CHARACTER.search(words) else r"(?![^\W_])"
    before = "" if _CJK_CHARACTER.search(words) else r"(?<![^\W_])"
    for match in re.finditer(before + re.escape(words) + edge, translation, re.IGNORECASE):
        if all(match.end() <= start or match.start() >= end for start, end, _, _ in taken):
            return match.span()
    return None


class Parts:
    """The words between the pieces, each to be translated by itself."""

    def __init__(self, unit: Unit, numbers: Sequence[str] = ()) -> None:
        """`numbers` are cut around, too."""
        self._tokens: list[str | Held] = []
        for token in unit.tokens:
            self._tokens += _around(token, numbers) if isinstance(token, str) and numbers else [token]
        self.texts = [" ".join(token.split()) for token in self._tokens if _has_words(token)]

    def put_together(self, translations: Sequence[str], target: str, write: Callable[[str], str]) -> str:
        answers = iter(translations)
        parts = []
        for number, token in enumerate(self._tokens):
            if isinstance(token, Held):
                parts.append(write(token.output) if token.kind == "term" else token.output)
            elif not _has_words(token):
                parts.append(write(token))
            else:
                before, words, after = _EDGES.match(token).groups()  # type: ignore[union-attr]
                answer = as_part(words, next(answers), target) if number else like(words, next(answers))
                parts.append(write(before + (answer or words) + after))
        return "".join(parts)


def _has_words(token: str | Held) -> bool:
    return isinstance(token, str) and any(map(str.isalpha, token))


def _around(words: str, numbers: Sequence[str]) -> list[str | Held]:
    found: list[str | Held] = []
    at = 0
    for match in re.finditer("|".join(rf"(?<![\w.,]){re.escape(number)}(?![\d])" for number in numbers), words):
        found += [words[at : match.start()], Held(match.start(), match.end(), "number", match.group())]
        at = match.end()
    return [*found, words[at:]]


def like(source: str, translation: str) -> str:
    """Without the full stop that a model adds to a heading or a part of a sentence."""
    return translation if _STOP.search(source.rstrip("\"'”’)）*_")) else _ADDED_STOP.sub("", translation)


def as_part(source: str, translation: str, target: str) -> str:
    """As it stands within a sentence: without a stop, and with a small letter where the source has one."""
    made = like(source, translation)
    return made[:1].lower() + made[1:] if source[:1].islower() and target != "de" else made
