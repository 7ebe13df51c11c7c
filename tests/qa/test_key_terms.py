"""Key terms: what a text is about, in languages with and without spaces, each where it is met first."""

from __future__ import annotations

from hypothesis import given, settings

from qa.structure import NOTHING_KNOWN
from qa.writing.key_terms import key_terms
from qa.writing.summary_sentences import telling_sentences
from tests.qa.texts import texts


def terms_of(text: str, count: int = 6) -> list[str]:
    found = key_terms(text, telling_sentences(text, NOTHING_KNOWN), count)
    assert all(0 <= each.score <= 1 for each in found)
    return [text[each.start : each.end] for each in found]


ENGLISH = ("The lighthouse of Marrow Point was built by Ingrid Halloran. The lighthouse stands on a granite reef. "
           "Ingrid Halloran measured the granite reef for three summers. The lamp of the lighthouse burns colza oil, "
           "and colza oil was brought by boat. Nobody who saw the lamp forgot it. When the lamp failed, Ingrid "
           "Halloran climbed the lighthouse herself, and she brought colza oil.")
CHINESE = ("长城是古代的防御工程。秦始皇修缮长城，防御工程由此相连。明朝的长城最长，城墙多用砖石。"
           "砖石的城墙更加坚固，防御工程更完整。长城的城墙高大。")
GERMAN = ("Die Mündung des Flusses ist breit. An der Mündung liegt die alte Hafenstadt, und die Hafenstadt ist "
          "reich. Die Schiffe der Hafenstadt fahren über die Mündung in das Meer. Das ist der Grund, dass die "
          "Hafenstadt so bekannt ist, und das weiß jeder. Die Schiffe sind groß.")


def test_the_terms_of_an_english_text_are_what_it_is_about():
    found = [term.lower() for term in terms_of(ENGLISH)]
    assert "ingrid halloran" in found and "colza oil" in found
    assert any("lighthouse" in term for term in found)
    assert not {"the", "and", "who", "brought", "it"} & set(found)


def test_the_terms_of_a_chinese_text_are_whole_words():
    found = terms_of(CHINESE)
    assert {"长城", "防御工程"} <= set(found)
    assert not any(character in term[0] + term[-1] for term in found for character in "的是了")


def test_function_words_of_another_language_are_no_terms():
    found = [term.lower() for term in terms_of(GERMAN)]
    assert any("hafenstadt" in term for term in found) and any("mündung" in term for term in found)
    assert not {"die", "der", "das", "und", "ist"} & set(found)


def test_a_term_within_another_is_said_once():
    found = [term.lower() for term in terms_of(ENGLISH, 20)]
    assert not any(one != other and one in other for one in found for other in found)


@settings(max_examples=80)
@given(texts)
def test_any_text_gives_terms_that_stand_where_they_are_said_to(text: str):
    sentences = telling_sentences(text, NOTHING_KNOWN)
    found = key_terms(text, sentences, 10)
    assert len(found) <= 10
    for term in found:
        assert text[term.start : term.end].strip() and any(a <= term.start < term.end <= b for a, b in sentences)
