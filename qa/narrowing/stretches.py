"""The stretches of a sentence that could be an answer: between places where a phrase may begin or end."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

import numpy as np

LONGEST = 60
"""Characters of an answer."""
NUMBER = r"(?:[0-9０-９]+(?:[.,．][0-9０-９]+)*|[零〇一二两三四五六七八九十百千万亿]+)"
_POINT = (
    rf"(?:(?:公元|西元)前?)?{NUMBER}(?:年代?|世纪)(?:{NUMBER}月份?)?(?:{NUMBER}[日号])?[初中末底]?"
    rf"|{NUMBER}月(?:{NUMBER}[日号])?|{NUMBER}(?:[日号点时]|小时|分钟)"
)
TIME = re.compile(rf"(?:{_POINT})(?:\s?[到至－—~-]\s?(?:{_POINT}))?")
AMOUNT = re.compile(rf"(?:约|大约|近|超过|至少|最多)?{NUMBER}[多余]?(?:[%％]|[一-龥]{{1,3}})?")
_FOREIGN = re.compile(r"[A-Za-z0-9.\-·]+(?: [A-Za-z0-9.\-·]+)*")
_NUMBERS = re.compile(NUMBER)
FUNCTION_CHARACTERS = frozenset("的是为于在由被与和及以从到至了称叫名对向把将有等任当指其并且则就都也即")
_WORDS = re.compile(
    "所有|没有|具有|拥有|有限|有名|由于|关于|对于|终于|至于|等于|称为|成为|作为|认为|因为|以为|行为|为止|为主|以及|及其|以上|以下|以前"
    "|以后|以来|以外|可以|为了|其中|其他|其它|其余|尤其|任何|任务|主任|担任|目的|名称|著名|姓名|地名|人名|当时|当地|相当|和平|从事|自从"
    "|到达|得到|达到|受到|即使|立即|并且|而且|就是|成就|都市|首都|将军|将来|即将|了解|除了|等级|平等|名称|称号|简称|俗称|又称|对外|反对"
    "|对象|向来|方向|指挥|与会|参与|在线|现在|存在|正在|自由|理由|由来|至今|甚至|的确|是否|但是|还是|或是|于是"
)
"""A phrase neither begins nor ends inside one, though it holds a function character."""
OPENING, CLOSING = frozenset("《「“『〈（("), frozenset("》」”』〉）)")
MARKS = frozenset("，。；：、！？,;:!?\"'〉〈【】[] \n") | OPENING | CLOSING


class Asked(Protocol):
    pairs: frozenset[str]
    """Each two characters of the question that stand beside each other."""


@dataclass(frozen=True)
class Stretches:
    """`places` are (start, end) in the sentence; `shared` says of each character whether it belongs to a phrase of
    two characters or more that the question has too."""

    places: list[tuple[int, int]]
    shared: np.ndarray
    times: list[tuple[int, int]]
    amounts: frozenset[tuple[int, int]]


def stretches(question: Asked, sentence: str) -> Stretches:
    """All between two borders: marks, function characters, times and numbers, names in Latin letters, and where what
    the question says too begins and ends."""
    shared = _shared(question.pairs, sentence)
    borders = {0, len(sentence), *(np.flatnonzero(np.diff(shared.astype(np.int8))) + 1).tolist()}
    for index, character in enumerate(sentence):
        if character in MARKS or character in FUNCTION_CHARACTERS:
            borders |= {index, index + 1}
    borders -= {found.start() + 1 for found in _WORDS.finditer(sentence)}
    times, amounts = ([found.span() for found in pattern.finditer(sentence)] for pattern in (TIME, AMOUNT))
    for pattern in (_FOREIGN, _NUMBERS):
        borders.update(place for found in pattern.finditer(sentence) for place in found.span())
    borders.update(place for span in (*times, *amounts) for place in span)
    ordered, places = sorted(borders), set()
    for number, start in enumerate(ordered):
        for end in ordered[number + 1 :]:
            if end - start > LONGEST:
                break
            places.add(_without_marks(sentence, start, end))
    return Stretches(sorted(place for place in places if place[0] < place[1]), shared, times, frozenset(amounts))


def _without_marks(sentence: str, start: int, end: int) -> tuple[int, int]:
    while start < end and sentence[start] in MARKS and sentence[start] not in OPENING:
        start += 1
    while end > start and sentence[end - 1] in MARKS and sentence[end - 1] not in CLOSING:
        end -= 1
    return start, end


def _shared(pairs: frozenset[str], sentence: str) -> np.ndarray:
    found = np.zeros(len(sentence), bool)
    for index in range(len(sentence) - 1):
        pair = sentence[index : index + 2]
        if pair in pairs and not MARKS & set(pair):
            found[index : index + 2] = True
    return found
