"""Which relation of a thing a question asks for: question words, a small lexicon, and the predicates' own names.

Only as much language as simple factual questions need. What is left of a question when the thing, the relation and
the words of asking are taken away says whether it was understood: "who wrote the first biography of X" is not "who
wrote X".
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from qa.graph_lexicon import PLACES, RELATIONS, Kind
from qa.scripts import is_cjk
from qa.terms import STOP_WORDS, stem, terms

_YES_NO = re.compile(
    r"(?i)\W*(?:is|are|was|were|do|does|did|has|have|had|can|could|may|will|would|should)\b|.*(?:吗|嘛)[？?]?\s*$|.*是否"
)
_AGENTS = r"company|companies|person|people|organi[sz]ation|man|woman|publisher|firm|team"
_KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("number", re.compile(r"(?i)\bhow (?:many|much|tall|high|long|wide|deep|big|large|heavy|hot)\b")),
    ("date", re.compile(r"(?i)\bwhen\b|\b(?:what|which) (?:exact )?(?:year|date|day|month|century|decade|time)\b")),
    ("place", re.compile(rf"(?i)\bwhere\b|\b(?:what|which) (?:{PLACES})\b")),
    ("agent", re.compile(rf"(?i)\bwho(?:m|se)?\b|\b(?:what|which) (?:{_AGENTS})\b")),
    ("any", re.compile(r"(?i)\b(?:what|which|name)\b")),
)
_KINDS_CJK: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("date", re.compile("什么时候|何时|哪一?年|哪一?天|几月|几号|几几年|什么年份")),
    ("place", re.compile("哪里|哪儿|何地|何处|什么地方|哪个?(?:国家|城市|国|州|省|地方)|哪座城市|在哪")),
    ("agent", re.compile("谁|哪位|哪个人|哪家公司|哪个公司")),
    ("number", re.compile("多少|几(?!乎)|多[高长大宽深重]")),
    ("any", re.compile("什么|哪个|哪种|哪些|哪|为何物")),
)
_SCAFFOLD = frozenset(
    stem(word) for word in
    f"""name named call called year date day month time exact exactly number many much total count first
    approximately about around located situated found lie lies live lives person people man woman use used uses give
    tell please know known become became title type kind {PLACES.replace("|", " ")}
    {_AGENTS.replace("|", " ")}
    """.split()
)
"""Words of asking, which narrow nothing down."""
_SCAFFOLD_CJK = re.compile(
    "什么时候|何时|哪一?年|哪一?天|哪里|哪儿|何地|何处|什么地方|哪个?国家|哪个?城市|哪座|哪个|哪家|哪位|哪些|哪种|哪|谁|多少|什么|几"
    "|请问|请|在|于|是|的|了|有|由|被|和|与|年|个|座|名|字|叫|所|位|人"
    "|城市|国家|公司|地方|[\\W_]|《|》"
)


@dataclass(frozen=True)
class Asked:
    """A question without the thing it asks about: what it wants and its words."""

    text: str
    kind: Kind
    chinese: bool

    @property
    def place_noun(self) -> str:
        """ "country" of "in which country", to choose among places that lie in each other; "" for others."""
        if self.chinese:
            found = re.search("国家|城市|哪国|州|省", self.text)
            return {"国家": "country", "哪国": "country", "城市": "city", "州": "state", "省": "province"}.get(
                found.group() if found else "", "")
        found = re.search(rf"(?i)\b(?:what|which) ({PLACES})\b", self.text)
        return found[1].lower() if found else ""


def asked(question: str) -> Asked | None:
    """None for a question that asks for no value: yes or no, why, how."""
    chinese = is_cjk(question)
    if _YES_NO.match(question):
        return None
    for kind, pattern in _KINDS_CJK if chinese else _KINDS:
        if pattern.search(question):
            return Asked(question, kind, chinese)
    return None


@dataclass(frozen=True)
class Fit:
    """How well a predicate is what is asked for.

    `cue` counts the question's characters that speak of it, `left` are the words that neither it nor the thing nor
    the words of asking account for.
    """

    cue: int
    left: tuple[str, ...]


def fit(
    question: Asked, rest: str, predicate: str, labels: Collection[str], gives: Kind, explained: Collection[str]
) -> Fit | None:
    """None when the question does not ask for this predicate.

    Args:
        rest: the question without the thing's name.
        predicate: its local name.
        labels: what else it is called.
        gives: what its values are.
        explained: words (stems) that belong to the thing or to the predicate's values, such as their kinds.
    """
    known = [each for each in RELATIONS if predicate.lower() in each.predicates]
    cues: list[tuple[int, int]] = []
    for relation in known:
        asks_so = question.kind == "place" or not relation.only_where
        if asks_so and _gives_what_is_asked(question.kind, relation.gives, gives):
            pattern = relation.chinese if question.chinese else relation.english
            cues += [match.span() for match in pattern.finditer(rest)]
    if not cues and _gives_what_is_asked(question.kind, "any", gives):
        cues = _by_own_words(question, rest, [predicate, *labels])
    if not cues:
        return None
    kept = "".join(" " if any(start <= place < end for start, end in cues) else character
                   for place, character in enumerate(rest))
    if question.chinese:
        left = tuple(_SCAFFOLD_CJK.sub("", kept))
        return Fit(sum(end - start for start, end in cues), left)
    left = tuple(
        word for word in terms(kept)
        if stem(word) not in _SCAFFOLD and stem(word) not in explained and not _of_asking(word)
    )
    return Fit(sum(end - start for start, end in cues), left)


def _gives_what_is_asked(asks: Kind, lexicon: Kind, values: Kind) -> bool:
    """What the lexicon says of a relation and what the graph's values of it are, against what is asked for."""
    if asks == "any":
        return True
    if asks in ("date", "number") or values in ("date", "number"):
        return values == asks
    return lexicon in (asks, "any")


def _of_asking(word: str) -> bool:
    return word in STOP_WORDS or word in ("s", "d", "tall", "high", "long", "wide", "deep", "big", "large", "heavy")


def _by_own_words(question: Asked, rest: str, labels: Collection[str]) -> list[tuple[int, int]]:
    """Where all words of one of the predicate's own names stand in the question."""
    for label in labels:
        if question.chinese:
            place = rest.find(label) if len(label) > 1 else -1
            if place >= 0:
                return [(place, place + len(label))]
            continue
        wanted = {stem(word) for word in terms(label)}
        if question.kind == "number":
            wanted -= {stem("number"), stem("total"), stem("count")}
        places = [(match.start(), match.end(), stem(match.group().lower())) for match in re.finditer(r"\w+", rest)]
        if wanted and wanted <= {word for *_, word in places}:
            return [(start, end) for start, end, word in places if word in wanted]
    return []
