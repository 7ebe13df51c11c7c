"""What can be seen of a question and of a stretch of a sentence that may answer it, as numbers."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np

from qa.narrowing.stretches import CLOSING, OPENING, Stretches

KINDS = {
    "when": r"什么时候|什麼時候|何时|何時|哪一?[年天月日]|几[月号年时]|什么时间|[哪什][个么](?:时期|年代)|什么时期",
    "number": r"多少|几[一-龥]|多[大高长远久重深宽快]|第几|数量|幾",
    "why": r"为什么|为何|為何|什么原因|何原因|怎么会|因为什么|为甚么|為什麼",
    "how": r"怎么样|怎样|如何|怎么|怎麼",
    "who": r"哪[两几]?位|哪些人|哪个人|什么人|何人|谁|誰",
    "where": r"什么(?:地方|地区|位置)|哪里|哪儿|哪裡|何[处地]|哪[个些]地[方区]|哪[个座](?:城市|国家|省)|哪国",
    "which": r"哪一[一-龥]|哪[个些种款部条家所座支项类本首场只]|哪几[一-龥]|哪",
    "what": r"什么|甚么|什麼|何[一-龥]?",
}
_KINDS = [(kind, re.compile(pattern)) for kind, pattern in KINDS.items()]
_OTHER_SCRIPTS = re.compile("[\u3040-\u30ff\uac00-\ud7af]")
"""Japanese and Korean ask in other words."""
_CLAUSE = re.compile("[，。；！？,;]")
_NUMERALS = frozenset("0123456789０１２３４５６７８９零〇一二两三四五六七八九十百千万亿")
_SURNAMES = frozenset(
    "赵钱孙李周吴郑王冯陈卫蒋沈韩杨朱秦许何吕施张孔曹严华金魏陶姜谢邹潘葛范彭鲁韦马方俞任袁柳唐费岑薛雷贺倪汤"
    "罗毕郝邬安常乐于时傅卞齐康伍余顾孟平黄和穆萧尹姚邵汪祁毛狄贝臧计成戴宋庞熊纪舒屈项祝董梁杜阮蓝季强贾路江童"
    "颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万柯管卢莫房丁邓洪包左石崔龚程裴陆荣翁甄储段焦侯全班秋仲伊宫宁武刘"
    "詹龙叶司黎白蒲卓池乔温庄晏柴瞿阎连习艾容向古易廖耿文欧聂关曾沙司马诸葛上官欧阳"
)
_PLACE = re.compile(r"(?:[省市县区国州路山河村镇乡岛洲湾港湖海街道城堡宫寺]|大学|车站|地区|附近)$")
_BODY = re.compile(r"(?:公司|大学|学院|局|队|会|院|部|社|团|党|军|集团|俱乐部|政府|组织|电视台|银行)$")
_BRACKETS = ("（）", "()", "《》", "「」", "“”", "〈〉", "『』")
_NEAR = 12
"""Characters on each side, in which phrases of the question are counted."""


@dataclass(frozen=True)
class Question:
    """What stands before and after the words that ask, and what kind of answer those want."""

    kind: str
    before: str
    after: str
    pairs: frozenset[str]

    def features(self, sentence: str, found: Stretches) -> np.ndarray:
        """float32 (stretches, features)."""
        kinds = [float(self.kind == kind) for kind in KINDS]
        seen = _Sentence(sentence, found)
        return np.array([kinds + _of(self, seen, start, end) for start, end in found.places], np.float32)


def asked(question: str) -> Question | None:
    """None when no word that asks is found, or the question is in Japanese or Korean."""
    text = re.sub(r"[？?。\s]+$", "", question.strip())
    if _OTHER_SCRIPTS.search(text):
        return None
    for kind, pattern in _KINDS:
        places = list(pattern.finditer(text))
        if places:
            start, end = places[-1].span()
            pairs = frozenset(text[index : index + 2] for index in range(len(text) - 1))
            return Question(kind, text[:start], text[end:], pairs)
    return None


class _Sentence:
    """What is the same for all its stretches."""

    def __init__(self, text: str, found: Stretches) -> None:
        self.text = text
        self.found = found
        self.shared = np.concatenate([[0], np.cumsum(found.shared)]).tolist()
        self.ends = [mark.end() for mark in _CLAUSE.finditer(text)]

    def clause(self, start: int, end: int) -> tuple[int, int]:
        """From the mark before to the one after."""
        return (max((place for place in self.ends if place <= start), default=0),
                min((place for place in self.ends if place >= end), default=len(self.text)))


def _of(question: Question, seen: _Sentence, start: int, end: int) -> list[float]:
    text, shared, found = seen.text, seen.shared, seen.found
    own, length, all_shared = text[start:end], end - start, max(shared[-1], 1)
    before, after = text[max(0, start - 1) : start], text[end : end + 1]
    held = shared[end] - shared[start]
    first, last = seen.clause(start, end)
    around = shared[min(len(text), end + _NEAR)] - shared[end] + shared[start] - shared[max(0, start - _NEAR)]
    head = question.after[:2]
    return [
        math.log1p(length), length == 1, length <= 4, length <= 8, length > 20,
        held / length, held / all_shared, around / _NEAR,
        (shared[last] - shared[first] - held) / all_shared, (last - first - length) / 30,
        # times and numbers
        (start, end) in found.times, (start, end) in found.amounts,
        any(a <= start and end <= b and (a, b) != (start, end) for a, b in found.times),
        any(start <= a and b <= end for a, b in found.times),
        sum(character in _NUMERALS for character in own) / length, own[-1] in "年月日", own[0].isdigit(),
        start > 0 and before in _NUMERALS and own[0] in _NUMERALS,
        after != "" and after in _NUMERALS and own[-1] in _NUMERALS,
        # names
        own[0] in _SURNAMES and 2 <= length <= 4, "·" in own, after == "·" or before == "·",
        any(character.isascii() and character.isalpha() for character in own),
        bool(_PLACE.search(own)), bool(_BODY.search(own)),
        # marks around and inside
        own[0] in OPENING and own[-1] in CLOSING, before in OPENING, after in CLOSING,
        before == "" or before in "，。；：、", after == "" or after in "，。；、！？",
        start == first, end >= last - 1,
        "、" in own, "，" in own, "。" in own[:-1], before == "、", after == "、",
        any(own.count(pair[0]) != own.count(pair[1]) for pair in _BRACKETS),
        # function characters around and at its ends
        *(before == character for character in "是为于在由被称叫名的了有"), before in ("至", "到", "以"),
        *(after == character for character in "的等是为"),
        own[0] in "的了是为在于由被和与及", own[-1] in "的了是为在于由被和与及", own[-1] == "等",
        # against the question's own words
        min(_same_end(text[:start], question.before), 6) / 6, min(_same_begin(text[end:], question.after), 6) / 6,
        len(head) == 2 and own.endswith(head), bool(head) and own[-1] == head[0],
        len(head) == 2 and text.startswith(head, end), len(head) == 2 and head in own,
        question.after == "", question.before == "",
        own.startswith(("因", "由于")), text[max(0, start - 2) : start] in ("因为", "由于") or before == "因",
        start == 0 and end >= len(text) - 1, start / len(text), end / len(text),
    ]


def _same_end(one: str, other: str) -> int:
    """How many characters at their ends are the same."""
    return _same_begin(one[::-1], other[::-1])


def _same_begin(one: str, other: str) -> int:
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
