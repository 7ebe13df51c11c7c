"""Complete a follow-up question with what the conversation is about: "and when was it built?" names no tower.

Rules, not a model: a follow-up is told by its pronouns or by how little it says; its subject is taken from the last
question (or its answer) and put before it, so that the search and the reader both see it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from qa.scripts import CJK, is_cjk
from qa.terms import terms


@dataclass(frozen=True)
class Turn:
    """An earlier question, as it was searched for, and its answer; `span` is the exact answer, "" without one."""

    question: str
    answer: str
    span: str = ""


_OPENERS = re.compile(r"(?i)\s*(?:and|but|so|then|what about|how about|also)\b[\s,]*")
_OPENERS_CJK = re.compile(r"\s*(?:那么|那|然后|还有|另外|而且|以及)[，,\s]*")
_ANOTHER = re.compile(
    r"(?i)\W*(?:and|what about|how about|and what about|and how about)\s+"
    r"(?P<thing>(?!(?:when|where|why|who|how|what|which|if|is|are|was|were|do|does|did|can)\b)[\w'’.-]+(?:\s+[\w'’.-]+){0,5}?)\s*\?*\s*"
)
_ANOTHER_CJK = re.compile(rf"\s*(?:那么|那)?(?P<thing>[{CJK}\w·]{{2,20}}?)呢[？?]?\s*")
_ARTICLE = re.compile(r"(?i)(?:\bthe|\ban?)\s*$|^(?:the|an?)\s")
_AMOUNT_WORD = re.compile(r"(?i)\b(?:many|much|long|old|far|often|tall|high|large|big)\b")
_THING = re.compile(r"(?i)\b(?:it|its|itself|this|that|these|those|they|them|their|theirs|one|ones)\b")
_PERSON = re.compile(r"(?i)\b(?:he|him|his|she|her|hers|they|them|their|theirs)\b")
_PLACE = re.compile(r"(?i)\bthere\b(?!\s+(?:is|are|was|were|be|been|will|has|have|any|a|an)\b)")
_EXISTENTIAL = re.compile(r"(?i)\b(?:is|are|was|were|will|has|have|can|does|do|did)\s+there\b")
_THAT_CLAUSE = re.compile(r"(?i)\b\w+\s+(?:that|this|these|those)\s+\w+")
_PRONOUN_CJK = re.compile("它们|他们|她们|它|他|她|这个|那个|这里|那里|此|其")
_ASKS_PERSON = re.compile(r"(?i)\b(?:who|whom|whose)\b|谁|哪位")
_ASKS_PLACE = re.compile(r"(?i)\b(?:where|which (?:city|country|town|place|state|region))\b|哪里|哪儿|何处|什么地方")
_ASKS_THING = re.compile(r"(?i)^\W*(?:which|what)\b")
_NAME = re.compile(
    r"(?:[A-Z][\w'’.-]*|\d[\w.-]*)(?:\s+(?:of|the|de|von|van|and|la|le|du)\s+(?=[A-Z])|\s+(?=[A-Z0-9]))?"
)
_QUESTION_WORDS_CJK = re.compile(
    "什么时候|什么|为什么|怎么样|怎么|怎样|如何|哪里|哪儿|哪些|哪个|哪年|哪一|多少|几个|几|是否|谁|吗|呢|请问|有没有|能不能|可以|[？?。，,！!]"
)
_TOPIC_CJK = re.compile(rf"[{CJK}\\w·]{{2,}}?(?=是|的|在|有|由|为什么|怎么|如何|什么|哪)")
"""What a Chinese question opens with is most often what it is about."""
_ONLY_WORD = re.compile(r"(?i)\W*(?:why|how|when|where|who|what|which one|how so|how come|why not|really)\W*")
MAX_SUBJECT_CHARACTERS = 200


def complete(question: str, history: Sequence[Turn]) -> str:
    """The question with its subject named, or as it is when it stands by itself or nothing was asked before."""
    if not history or not _is_follow_up(question):
        return question
    last = history[-1]
    asked = _strip_opener(question)
    if instead := _same_of_another(question, last):
        return instead
    if _ONLY_WORD.fullmatch(question):
        return f"{asked} {last.question}".strip()
    subject = _subject(asked, last)
    if not subject or subject.lower() in asked.lower():
        return question
    return f"{subject}{'，' if is_cjk(asked) else ': '}{asked}"


def _same_of_another(question: str, last: Turn) -> str:
    """ "And the Glen Viaduct?" asks of it what was asked before: the last question, of this thing instead."""
    found = (_ANOTHER_CJK if is_cjk(question) else _ANOTHER).fullmatch(question)
    if not found or is_cjk(question) != is_cjk(last.question):
        return ""
    thing = found["thing"].strip()
    if is_cjk(question):
        topic = _TOPIC_CJK.match(last.question)
        asks = _QUESTION_WORDS_CJK.search(thing) or not topic or thing == topic.group()
        return "" if asks else thing + last.question[topic.end() :]
    if not _names(f"x {thing}"):
        return ""
    subject, colon, rest = last.question.partition(": ")
    if colon:
        return f"{thing}: {rest}"
    names = _names(last.question)
    if len(names) != 1 or names[0].lower() in thing.lower():
        return ""
    before, _, after = last.question.partition(names[0])
    without = _ARTICLE.sub("", before) if _ARTICLE.match(thing) or not _ARTICLE.search(before) else before
    return f"{without}{thing}{after}"


def _is_follow_up(question: str) -> bool:
    if is_cjk(question):
        stripped = _QUESTION_WORDS_CJK.sub("", _OPENERS_CJK.sub("", question, count=1))
        return bool(_PRONOUN_CJK.search(question) or _OPENERS_CJK.match(question) or len(stripped) <= 2)
    if _OPENERS.match(question) or _ONLY_WORD.fullmatch(question):
        return True
    names_something = bool(_names(question))
    if _PERSON.search(question) or (_PLACE.search(question) and not _EXISTENTIAL.search(question)):
        return not names_something
    refers = _THING.search(question) is not None and _THAT_CLAUSE.search(question) is None
    return (refers and not names_something) or not terms(question)


def _strip_opener(question: str) -> str:
    opener = _OPENERS_CJK if is_cjk(question) else _OPENERS
    stripped = opener.sub("", question, count=1)
    return stripped if terms(stripped) or _ONLY_WORD.fullmatch(stripped) else question


def _subject(asked: str, last: Turn) -> str:
    """What the pronoun most likely stands for: the last answer if it is of that kind, else the last subject."""
    answered = last.span.strip()
    person = _PERSON.search(asked) and _ASKS_PERSON.search(last.question)
    place = (_PLACE.search(asked) or "那里" in asked) and _ASKS_PLACE.search(last.question)
    if answered and len(answered) <= MAX_SUBJECT_CHARACTERS and (person or place):
        return answered
    completed_before, colon, _rest = last.question.partition(": ")
    if colon and len(completed_before) <= MAX_SUBJECT_CHARACTERS:
        return completed_before
    names = _names(last.question)
    if is_cjk(last.question):
        topic = _TOPIC_CJK.match(last.question)
        subject = topic.group() if topic else _QUESTION_WORDS_CJK.sub("", last.question)
        return subject.strip()[:MAX_SUBJECT_CHARACTERS]
    if names:
        return names[-1] if len(names) == 1 else " ".join(names)[:MAX_SUBJECT_CHARACTERS]
    if answered and _ASKS_THING.match(last.question) and _names(f"x {answered}"):
        return answered[:MAX_SUBJECT_CHARACTERS]
    return " ".join(terms(_AMOUNT_WORD.sub(" ", last.question)))[:MAX_SUBJECT_CHARACTERS]


def _names(text: str) -> list[str]:
    """Runs of capitalised words and numbers that do not open the sentence, longest names kept whole."""
    runs: list[str] = []
    position = 0
    for match in _NAME.finditer(text):
        if match.start() == len(text) - len(text.lstrip()) and not _opens_with_name(text):
            position = match.end()
            continue
        if runs and match.start() == position:
            runs[-1] += match.group()
        else:
            runs.append(match.group())
        position = match.end()
    plain = (run.strip(" .?!,") for run in runs)
    return [name for name in plain if re.search("[A-Z]", name) and name not in ("I", "I'm", "I’m")]


def _opens_with_name(text: str) -> bool:
    """Whether the first word is capitalised for what it is, not for opening the sentence: `FAISS`, `McDonald`."""
    first = text.split()[0] if text.split() else ""
    return sum(character.isupper() for character in first) > 1
