"""Whole texts through a model: what is kept, what is put back, what is said."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_service.protocol_translated_text import TranslateTextDelta, TranslateTextDone, TranslateTextStart
from qa.writing.glossary import Term
from qa.writing.protected import find
from qa.writing.routes import TranslationError
from qa.writing.translate import translate_text
from tests.writing.small_models import Capitals, Forgetful


def events(text: str, models: Any = None, **options: Any) -> list[Any]:
    async def gather() -> list[Any]:
        options.setdefault("source", "en")
        options.setdefault("target", "de")
        return [event async for event in translate_text(text, models=models or Capitals(), **options)]

    return asyncio.run(gather())


def translated(text: str, models: Any = None, **options: Any) -> TranslateTextDone:
    return events(text, models, **options)[-1]


def test_the_events_are_a_start_deltas_in_order_and_the_whole_at_the_end():
    first, *deltas, done = events("One cat. Two cats.\n\nThree cats.")
    assert isinstance(first, TranslateTextStart) and isinstance(done, TranslateTextDone)
    assert first.sentences == 3
    assert [delta.sentences for delta in deltas if isinstance(delta, TranslateTextDelta)] == [1, 2, 3]
    assert "".join(delta.text for delta in deltas) == done.translation == "ONE CAT. TWO CATS.\n\nTHREE CATS."


def test_each_sentence_is_known_by_its_place_in_both_texts():
    text = "  A first one.  And a <b>second</b> one!\nA heading\n\nThe last."
    done = translated(text)
    pairs = [(text[s.source[0]:s.source[1]], done.translation[s.target[0]:s.target[1]]) for s in done.sentences]
    assert pairs == [
        ("A first one.", "A FIRST ONE."), ("And a <b>second</b> one!", "AND A <b>SECOND</b> ONE!"),
        ("A heading", "A HEADING"), ("The last.", "THE LAST."),
    ]


@pytest.mark.parametrize("piece", [
    "{name}", "%s", "%(count)d", "${total}", "{{ user.name }}", "https://example.org/a_(b)?x=1", "me@example.org",
    "`rm -rf`", "<br>", "<a href='x.html'>", "👍🏽",
])
def test_a_piece_that_must_be_kept_comes_through_a_model_that_knows_and_one_that_loses_it(piece: str):
    text = f"The first part {piece} and the second part of 1,250 pieces."
    for models in (Capitals(), Forgetful()):
        assert piece in translated(text, models).translation


def test_a_model_sees_a_name_in_the_place_of_a_placeholder():
    models = Capitals()
    translated("Hello {name}, welcome.", models)
    assert models.asked == ["Hello Tom, welcome."]


def test_a_tag_is_set_again_around_the_words_it_was_around():
    assert translated("A <b>very old</b> house.", format="html").translation == "A <b>VERY OLD</b> HOUSE."


def test_html_keeps_its_tags_scripts_and_comments_and_what_a_model_says_becomes_text():
    page = ("<!doctype html>\n<p class='x'>Ben &amp; Ann <i>run</i>.</p><script>let a = '<p>no</p>';</script>"
            "<!-- a note --><pre>as it is</pre><span translate=no>Brand</span><br><td>Cell</td>")
    done = translated(page, format="html")
    assert done.translation == (
        "<!doctype html>\n<p class='x'>BEN &amp; ANN <i>RUN</i>.</p><script>let a = '<p>no</p>';</script>"
        "<!-- a note --><pre>as it is</pre><span translate=no>Brand</span><br><td>CELL</td>")
    said = translated("<p>one two three four five six seven eight</p>", Forgetful(), format="html").translation
    assert "&lt;b&gt; &amp;" in said and "<b>" not in said


def test_markdown_keeps_its_marks_code_tables_and_addresses():
    text = ("---\ntitle: x\n---\n# A *big* head\n\n- [ ] an item\n1. a [link](http://x.y/z_(q) \"t\") here\n\n"
            "```py\nprint(1)\n```\n| one | two |\n|:--|--:|\n| a cell | b |\n\n> quoted text\n")
    assert translated(text, format="markdown").translation == (
        "---\ntitle: x\n---\n# A *BIG* HEAD\n\n- [ ] AN ITEM\n1. A [LINK](http://x.y/z_(q) \"t\") HERE\n\n"
        "```py\nprint(1)\n```\n| ONE | TWO |\n|:--|--:|\n| A CELL | B |\n\n> QUOTED TEXT\n")


def test_a_number_that_a_model_loses_is_put_back_and_a_short_one_is_flagged():
    class Numberless(Capitals):
        def written(self, text: str, n_best: int) -> list[str]:
            return [re.sub(r"\d", "", text)] * n_best

    for text in ("There are 1,250 cats here.", "There are 1,250 cats {where} you are."):
        assert "1,250" in translated(text, Numberless()).translation
    (flag,) = translated("There are 3 cats here.", Numberless()).flags
    assert (flag.kind, flag.sentence, flag.pieces) == ("lost", 0, ["3"])


def test_glossary_terms_are_enforced_and_counted():
    terms = [Term("steam engine", "Dampfmaschine"), Term("engine", "Motor"), Term("US", "USA", case_sensitive=True)]
    for models in (Capitals(), Forgetful()):
        done = translated("The steam\nengine and an engine. Give us the US Engine.", models, glossary=terms)
        assert done.translation.count("Dampfmaschine") == 1 and done.translation.count("Motor") == 2
        hits = {(hit.target, hit.hits) for hit in done.glossary_hits}
        assert hits == {("Dampfmaschine", 1), ("Motor", 2), ("USA", 1)}


def test_a_pair_that_no_model_offers_goes_through_english_and_says_so():
    models = Capitals(("de", "en"), ("en", "fr"))
    done = translated("ein haus", models, source="de", target="fr")
    assert (done.via, done.translation) == ("en", "EIN HAUS")


def test_a_pair_that_nothing_leads_to_says_what_is_offered():
    with pytest.raises(TranslationError, match="de-en, en-de") as raised:
        translated("ein haus", source="de", target="fr")
    assert raised.value.code == "pair_not_offered"


def test_without_a_model_the_error_says_that_none_is_installed():
    models = Capitals()
    models.pairs = []
    with pytest.raises(TranslationError, match="No translation model is installed"):
        translated("a house", models)


def test_the_language_is_detected_with_its_confidence():
    done = translated("Wo ist der Bahnhof, bitte? Ich habe keine Ahnung.", source="auto", target="en")
    assert done.source == done.detected.language == "de" and done.detected.confidence > 0.8


@pytest.mark.parametrize("text", ["Καλημέρα κόσμε", "สวัสดีชาวโลก", "שלום עולם"])
def test_a_text_whose_language_cannot_be_told_is_refused_and_not_taken_for_translated(text):
    with pytest.raises(TranslationError) as raised:
        translated(text, source="auto", target="en")
    assert raised.value.code == "language_unknown" and "de" in raised.value.offered


def test_a_text_without_words_stays_as_it_is():
    assert translated("12 34 https://example.org/x", source="auto", target="en").translation == (
        "12 34 https://example.org/x")


def test_a_text_already_in_the_target_language_stays_as_it_is():
    text = "  A house.\n\nAnother."
    assert translated(text, source="en", target="en").translation == text


def test_what_is_remembered_is_not_asked_again():
    class Kept(dict):
        def recall(self, key):
            return self.get(key)

        def keep(self, key, candidates):
            self[key] = candidates

    models, memory = Capitals(), Kept()
    translated("One cat. Two dogs.", models, memory=memory)
    translated("One cat. Three dogs.", models, memory=memory)
    assert models.asked.count("One cat.") == 1


def test_alternatives_are_of_each_sentence_and_of_the_whole():
    done = translated("A cat. A dog.", alternatives=2)
    assert done.sentences[0].alternatives == ["A CAT. !", "A CAT. !!"]
    assert done.alternatives == ["A CAT. ! A DOG. !", "A CAT. !! A DOG. !!"]


def test_spaces_between_sentences_are_as_the_language_has_them():
    class Chinese(Capitals):
        def written(self, text: str, n_best: int) -> list[str]:
            return ["你好。"] * n_best

    assert translated("Hello. Hello again.", Chinese(("en", "zh")), target="zh").translation == "你好。你好。"
    models = Capitals(("zh", "en"))
    assert translated("tā好。wo好。", models, source="zh", target="en").translation == "TĀ好。 WO好。"


words = st.sampled_from([
    "house", "The", "Tom", "river.", "3",
    "1,250.5", "{name}", "%s", "%(n)d", "${x}", "{{ y }}", "https://a.bc/d?e=f",
    "a@b.cd", "`x y`", "<b>", "</b>", "<br/>", "<", "👍🏽", "🏳️‍🌈", "שלום", "مرحبا",
    "你好。", "世界", "**", "_", "[a](b)",
    "&amp;", "!", "...", "-", "#", "|", "\u200f",
])
gaps = st.sampled_from([" ", "  ", "\n", "\n\n", "\n \n", "\t", "", "\r\n\r\n"])
texts = st.lists(st.tuples(words, gaps), min_size=1, max_size=40).map(lambda pairs: "".join(map("".join, pairs)))


@settings(max_examples=80, deadline=None)
@given(text=texts, format=st.sampled_from(["text", "markdown", "html"]), forgets=st.booleans())
def test_nothing_protected_is_lost_and_no_paragraph_goes_missing(text: str, format: str, forgets: bool):
    if not text.strip():
        return
    models = Forgetful() if forgets else Capitals()
    done = translated(text, models, format=format)
    flagged = [piece for flag in done.flags for piece in flag.pieces]
    if format == "text":
        for piece in find(text):
            if piece.is_hard:
                assert done.translation.count(piece.output) >= text.count(piece.output), piece
            else:
                assert piece.output in done.translation or piece.output in flagged, piece
    assert paragraphs(done.translation) == paragraphs(text)
    ranges = [(s.source, s.target) for s in done.sentences]
    for (own, made), (own_next, made_next) in zip(ranges, ranges[1:], strict=False):
        assert own[0] < own[1] <= own_next[0] and made[0] <= made[1] <= made_next[0]
    if ranges:
        assert ranges[-1][0][1] <= len(text) and ranges[-1][1][1] <= len(done.translation)


def paragraphs(text: str) -> int:
    return len([part for part in re.split(r"\n\s*\n", text) if part.strip()])


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=300), st.sampled_from(["text", "markdown", "html"]))
def test_any_text_at_all_is_translated_without_an_error(text: str, format: str):
    if text.strip():
        assert paragraphs(translated(text, Forgetful(), format=format).translation) == paragraphs(text)


@pytest.mark.parametrize("format", ["text", "markdown", "html"])
@pytest.mark.parametrize("unit", ["<a", "<!--", "&", "[", "](", "**a", "`", "{", "<b>x", "x" * 50,
                                  "a@", "%(", "| ", "1,", "<![", "<?", "<a '", "</"])
def test_a_hostile_text_ends_and_stays_one_paragraph(unit: str, format: str):
    text = (unit * (20_000 // len(unit) + 1))[:20_000]
    assert paragraphs(translated(text, format=format).translation) == 1
