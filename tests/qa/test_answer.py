"""Answers: cited ranges are exact, weak evidence is said to be weak, and what was deleted is never quoted.

The reader here is a rule (it finds years and names it is told of), so that each case says what the reader saw; the
index, the store and the checks are the real ones.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from models_service.client import Encoded
from models_service.protocol import AnswerDone, Calibration, DeltaEvent, ReadDone, SourcesEvent, SpanResult, Timings
from qa.answer import BadQuestion, Turn, answer, check_question
from qa.citing import MOST_CITATIONS
from qa.document_store import DocumentStore
from qa.graph import Graph, GraphFile, GraphStore
from qa.index import CollectionIndex, IndexedDocument
from qa.passages import split
from qa.terms import terms

TOWER = "The Eiffel Tower stands in Paris. The Eiffel Tower was finished in 1889 by a company. It is 330 metres tall."
BRIDGE = "The Brooklyn Bridge crosses the East River. The Brooklyn Bridge was opened in 1883 to great joy."


class RuleReader:
    """Embeds by hashed words; finds `marks` in passages, each with its margin."""

    def __init__(self, marks: dict[str, float]) -> None:
        self.marks = marks
        self.questions: list[str] = []

    async def encode(self, texts: Sequence[str], *, client: str = "") -> Encoded:
        vectors = np.zeros((len(texts), 64), dtype=np.float32)
        for row, text in enumerate(texts):
            for term in terms(text):
                vectors[row, int(hashlib.md5(term.encode()).hexdigest(), 16) % 64] += 1
            vectors[row, 0] += 1e-3
        return Encoded(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), "rule@v1")

    async def rerank(self, query: str, passages: Sequence[str], *, client: str = "") -> None:
        return None

    async def read(self, question: str, passages: Sequence[str], *, n_best: int = 3, client: str = "") -> ReadDone:
        self.questions.append(question)
        spans = []
        for passage in passages:
            found = [(passage.index(text), text, score) for text, score in self.marks.items() if text in passage]
            spans.append([
                SpanResult(text=text, start=at, end=at + len(text), score=score) for at, text, score in found
            ])
        return ReadDone(
            id="1", model="rule", spans=spans, calibration=Calibration(weights={"margin": 1.0}, intercept=0.0),
            timings=Timings(queue_ms=0, compute_ms=0, batch_size=1),
        )


@pytest.fixture
def documents(tmp_path: Path) -> DocumentStore:
    return DocumentStore(tmp_path / "documents")


@pytest.fixture
def index(tmp_path: Path) -> CollectionIndex:
    return CollectionIndex.create(tmp_path / "index")


async def add(
    index: CollectionIndex, documents: DocumentStore, identifier: str, text: str, media_type: str = "text/plain"
) -> None:
    passages = split(text)
    encoded = await RuleReader({}).encode([text[p.start : p.end] for p in passages])
    documents.put(identifier, text.encode(), f"{identifier}.txt", text)
    index.publish(IndexedDocument(identifier, identifier, media_type), text, passages, encoded.vectors,
                  encoded.encoder)


async def ask(question: str, index: CollectionIndex, documents: DocumentStore, reader: RuleReader, **more):
    events = answer(question, collections=[("c", index)], documents=documents, models=reader, **more)
    return [event async for event in events]


async def test_the_sentence_around_the_span_is_quoted_with_the_span_marked(index, documents):
    await add(index, documents, "tower", TOWER)
    await add(index, documents, "bridge", BRIDGE)
    reader = RuleReader({"1889": 4.0, "1883": -3.0})
    events = await ask("When was the Eiffel Tower finished?", index, documents, reader)
    assert [type(event) for event in events] == [SourcesEvent, DeltaEvent, AnswerDone]
    done = events[-1]
    assert done.answer == events[1].text == "The Eiffel Tower was finished in 1889 by a company."
    assert (done.span, done.abstained) == ("1889", False)
    first = done.citations[0]
    assert TOWER[first.start : first.end] == first.quote
    assert TOWER[first.span_start : first.span_end] == "1889"
    assert done.confidence == pytest.approx(1 / (1 + np.exp(-4.0)), abs=1e-3)


async def test_weak_evidence_is_no_answer_but_the_nearest_passages(index, documents):
    await add(index, documents, "tower", TOWER)
    *_, done = await ask("When was the pyramid finished?", index, documents, RuleReader({"1889": -6.0}))
    assert done.abstained and done.answer == "" and done.span == "" and done.citations == []
    assert [citation.document for citation in done.nearest] == ["tower"]
    assert done.nearest[0].quote == TOWER


FACTS = """
@prefix dbr: <http://dbpedia.org/resource/> . @prefix dbo: <http://dbpedia.org/ontology/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
dbr:Eiffel_Tower rdfs:label "Eiffel Tower"@en ; dbo:completionDate "1889-03-31"^^xsd:date ;
    dbo:openingDate "1889-05-06"^^xsd:date ; dbo:architect dbr:Stephen_Sauvestre .
dbr:Stephen_Sauvestre rdfs:label "Stephen Sauvestre"@en .
dbr:Brooklyn_Bridge rdfs:label "Brooklyn Bridge"@en ; dbo:openingDate "1888-05-24"^^xsd:date .
"""


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    folder = tmp_path_factory.mktemp("graph")
    (folder / "facts.ttl").write_text(FACTS)
    store = GraphStore(folder / "graph")
    store.import_sources([GraphFile("facts.ttl", folder / "facts.ttl")])
    opened = store.open()
    assert opened is not None
    return opened


def says(done: AnswerDone) -> tuple[str, list[str]]:
    given = done.verification["graph"]
    return given["verdict"], [fact["object"]["label"] for fact in given["facts"]]


async def test_a_knowledge_graph_confirms_contradicts_or_says_nothing_of_an_answer(index, documents, graph):
    await add(index, documents, "tower", TOWER)
    await add(index, documents, "bridge", BRIDGE)
    reader = RuleReader({"1889": 4.0})
    *_, done = await ask("When was the Eiffel Tower completed?", index, documents, reader, graph=graph)
    assert says(done) == ("confirmed", ["31 March 1889"])
    assert done.timings["graph_ms"] > 0
    other = RuleReader({"1883": 4.0})
    *_, done = await ask("When did the Brooklyn Bridge open?", index, documents, other, graph=graph)
    assert says(done) == ("contradicted", ["24 May 1888"])
    assert done.answer == "The Brooklyn Bridge was opened in 1883 to great joy."
    *_, done = await ask("Who painted it?", index, documents, reader, graph=graph)
    assert says(done) == ("unknown", [])
    *_, done = await ask("When was the Eiffel Tower completed?", index, documents, reader)
    assert "graph" not in done.verification


async def test_a_knowledge_graph_answers_what_the_documents_do_not(index, documents, graph):
    await add(index, documents, "tower", TOWER)
    weak = RuleReader({"1889": -6.0})
    question = "Who was the architect of the Eiffel Tower?"
    _sources, delta, done = await ask(question, index, documents, weak, graph=graph)
    assert (done.answer, done.abstained, done.citations) == ("Stephen Sauvestre", False, [])
    assert delta.text == done.answer
    assert says(done) == ("answered", ["Stephen Sauvestre"])
    assert [citation.document for citation in done.nearest] == ["tower"]
    *_, done = await ask("Why was the Eiffel Tower built?", index, documents, weak, graph=graph)
    assert done.abstained and "graph" not in done.verification


async def test_a_graph_that_has_gone_meanwhile_costs_no_answer(index, documents, tmp_path):
    (tmp_path / "facts.ttl").write_text(FACTS)
    store = GraphStore(tmp_path / "graph")
    store.import_sources([GraphFile("facts.ttl", tmp_path / "facts.ttl")])
    opened = store.open()
    shutil.rmtree(tmp_path / "graph")
    await add(index, documents, "tower", TOWER)
    *_, done = await ask("When was it finished?", index, documents, RuleReader({"1889": 4.0}), graph=opened)
    assert done.span == "1889"


async def test_an_empty_collection_gives_an_abstention(index, documents):
    sources, done = await ask("When?", index, documents, RuleReader({}))
    assert sources.sources == [] and done.abstained and done.nearest == []


async def test_a_quote_that_the_stored_document_no_longer_holds_is_not_sent(index, documents):
    await add(index, documents, "tower", TOWER)
    documents.put("tower", b"x", "tower.txt", TOWER.replace("1889", "1989"))
    *_, done = await ask("When was the Eiffel Tower finished?", index, documents, RuleReader({"1889": 4.0}))
    assert done.abstained and done.citations == [] and done.nearest == []


async def test_a_document_that_was_deleted_is_not_cited_though_its_passage_was_found(index, documents):
    await add(index, documents, "tower", TOWER)
    documents.delete("tower")
    *_, done = await ask("When was the Eiffel Tower finished?", index, documents, RuleReader({"1889": 4.0}))
    assert done.abstained


async def test_a_collection_deleted_while_asked_is_left_out(index, documents):
    await add(index, documents, "tower", TOWER)
    reader = RuleReader({"1889": 4.0})
    events = answer("When was it finished?", collections=[("c", index)], documents=documents, models=reader)
    assert isinstance(await anext(events), SourcesEvent)
    index.remove()
    documents.delete("tower")
    *_, done = [event async for event in events]
    assert done.abstained
    again = await ask("When was it finished?", index, documents, reader)
    assert again[0].sources == []


async def test_the_same_answer_in_other_documents_is_cited_and_not_repeated(index, documents):
    for number in range(8):
        await add(index, documents, f"copy-{number}", f"{TOWER} This is copy {number} of the text.")
    await add(index, documents, "other", "Visitors learn that the Eiffel Tower was finished in 1889, as planned.")
    *_, done = await ask("When was the Eiffel Tower finished?", index, documents, RuleReader({"1889": 4.0}))
    assert done.answer.count("1889") == 1
    assert len(done.citations) <= MOST_CITATIONS
    assert len({citation.quote for citation in done.citations}) == len(done.citations)
    assert done.verification["stated_elsewhere"] >= 1


async def test_a_piece_of_the_answer_is_numbered_by_its_place_among_the_citations(index, documents):
    await add(index, documents, "tower", TOWER)
    await add(index, documents, "copy", f"The Eiffel Tower, finished in 1889, is of iron. {BRIDGE}")
    reader = RuleReader({"1889": 3.0, "1883": 2.9})
    *events, done = await ask("When was the Eiffel Tower or the bridge finished?", index, documents, reader)
    deltas = [event for event in events if isinstance(event, DeltaEvent)]
    assert len(deltas) == 2
    for delta in deltas:
        assert done.citations[delta.citation - 1].quote == delta.text.strip()


async def test_an_answer_quoted_from_a_markdown_document_is_said_to_be_markdown(index, documents):
    await add(index, documents, "tower", "The `tower` was finished in **1889**.", "text/markdown")
    reader = RuleReader({"1889": 3.0})
    *_, done = await ask("When was the tower finished?", index, documents, reader)
    assert done.format == "markdown"
    await add(index, documents, "tower", TOWER)
    *_, done = await ask("When was the tower finished?", index, documents, reader)
    assert done.format == "plain"


async def test_a_heading_is_never_the_answer_and_nor_is_a_span_over_a_line_s_end(index, documents):
    text = "# The tower of 1887\n\nThe tower was begun in 1887\n\nand finished in 1889."
    await add(index, documents, "tower", text)
    reader = RuleReader({"tower of 1887": 9.0, "1887\n\nand": 8.0, "1889": 2.0})
    *_, done = await ask("When was the tower finished?", index, documents, reader)
    assert done.span == "1889"
    assert all(not citation.quote.startswith("#") for citation in done.citations)


async def test_a_passage_that_repeats_the_question_does_not_answer_it_there(index, documents):
    await add(index, documents, "examples", 'Write: ask "How tall is  the tower?" to try it.')
    await add(index, documents, "tower", TOWER)
    reader = RuleReader({"tower?": 9.0, "How tall": 8.0, "330 metres": 3.0})
    *_, done = await ask("how tall is the tower", index, documents, reader)
    assert done.answer == "It is 330 metres tall."
    assert [citation.document for citation in done.citations] == ["tower"]


async def test_a_question_of_a_word_or_two_may_be_answered_by_the_words_themselves(index, documents):
    await add(index, documents, "tower", TOWER)
    *_, done = await ask("Eiffel Tower?", index, documents, RuleReader({"Eiffel Tower": 4.0}))
    assert done.span == "Eiffel Tower"


async def test_another_sentence_is_said_too_when_it_is_nearly_as_likely(index, documents):
    await add(index, documents, "tower", TOWER)
    await add(index, documents, "bridge", BRIDGE)
    question = "When was the Eiffel Tower or the Brooklyn Bridge finished?"
    *_, done = await ask(question, index, documents, RuleReader({"1889": 3.0, "1883": 2.9}))
    assert "1889" in done.answer and "1883" in done.answer
    *_, done = await ask(question, index, documents, RuleReader({"1889": 3.0, "1883": 0.2}))
    assert "1889" in done.answer and "1883" not in done.answer


async def test_an_english_question_is_not_read_from_chinese_passages(index, documents):
    for number in range(25):  # more than are read
        text = f"Eiffel Tower finished, 第{number}座塔楼于1889年由一家公司设计并建成，高三百三十米。"
        await add(index, documents, f"chinese-{number}", text)
    await add(index, documents, "tower", "A company of the north, which built railways too, finished it in 1889.")
    events = await ask("When was the Eiffel Tower finished?", index, documents, RuleReader({"1889": 4.0}))
    assert {source.document for source in events[0].sources} == {"tower"}


async def test_a_follow_up_is_searched_with_the_subject_of_the_conversation(index, documents):
    await add(index, documents, "tower", TOWER)
    await add(index, documents, "bridge", BRIDGE)
    reader = RuleReader({"330 metres": 3.0})
    history = [Turn("When was the Eiffel Tower finished?", "In 1889.", "1889")]
    *_, done = await ask("and how tall is it?", index, documents, reader, history=history)
    assert reader.questions == ["Eiffel Tower: how tall is it?"]
    assert done.question == "Eiffel Tower: how tall is it?" and done.span == "330 metres"


async def test_a_chinese_question_is_answered_by_the_sentence_that_shares_its_words(index, documents):
    question = "埃菲尔铁塔由哪家公司设计并建成？"
    text = f"{question}\n\n埃菲尔铁塔位于巴黎。铁塔由古斯塔夫·埃菲尔的公司设计，于一八八九年建成。它高三百三十米。"
    await add(index, documents, "tower", text)
    reader = RuleReader({})
    await add(index, documents, "code", "```\nask 埃菲尔铁塔由哪家公司设计并建成。\n```")
    *_, done = await ask(question, index, documents, reader)
    assert not done.abstained and "古斯塔夫·埃菲尔的公司设计" in done.answer and "ask" not in done.answer
    assert done.citations[0].quote != question and "？" not in done.answer
    assert reader.questions == [] and done.verification["method"] == "word overlap"
    assert text[done.citations[0].start : done.citations[0].end] == done.citations[0].quote


@pytest.mark.parametrize("text", ["", "   \n\t ", "\x00"])
def test_an_empty_question_is_refused(text):
    with pytest.raises(BadQuestion, match="empty"):
        check_question(text)


def test_a_question_of_100_000_characters_is_refused_with_the_limit():
    with pytest.raises(BadQuestion, match="100,000 characters; at most 2,000") as refused:
        check_question("why?" * 25_000)
    assert refused.value.code == "too_large"


async def test_documents_that_contradict_each_other_are_shown_as_such_newest_first(index, documents):
    await add(index, documents, "handbook-2022", "Full-time employees get 22 days of annual leave a year.")
    await add(index, documents, "handbook-2024", "Full-time employees get 25 days of annual leave a year.")
    reader = RuleReader({"22": 4.0, "25": 3.0})
    *_, done = await ask("How many days of annual leave are there a year?", index, documents, reader)
    assert [said["value"] for said in done.verification["contradicting"]] == ["25", "22"]
    assert [citation.document for citation in done.citations] == ["handbook-2024", "handbook-2022"]
    assert done.span == "25" and done.answer.startswith("Full-time employees get 25 days")


async def test_documents_that_speak_of_different_things_do_not_contradict(index, documents):
    await add(index, documents, "tower", TOWER)
    await add(index, documents, "bridge", BRIDGE)
    *_, done = await ask("When was it opened?", index, documents, RuleReader({"1889": 4.0, "1883": 3.9}))
    assert "contradicting" not in done.verification


async def test_like_sentences_that_each_name_another_thing_do_not_contradict(index, documents):
    await add(index, documents, "berlin", "Annual leave in the Berlin office is 25 days a year.")
    await add(index, documents, "paris", "Annual leave in the Paris office is 22 days a year.")
    *_, done = await ask("How many days of annual leave are there a year?", index, documents,
                         RuleReader({"25": 4.0, "22": 3.9}))
    assert "contradicting" not in done.verification


async def test_two_things_are_compared_from_a_passage_of_each(index, documents):
    await add(index, documents, "tower", TOWER)
    await add(index, documents, "bridge", BRIDGE)
    question = "Which is older, the Eiffel Tower or the Brooklyn Bridge?"
    sources, one, other, done = await ask(question, index, documents, RuleReader({"1889": 4.0, "1883": 4.0}))
    assert done.span == "the Brooklyn Bridge" and done.answer == one.text + other.text
    assert [citation.document for citation in done.citations] == ["bridge", "tower"]
    assert done.verification["worked_out"]["values"] == [
        {"of": "the Brooklyn Bridge", "value": "1883"}, {"of": "the Eiffel Tower", "value": "1889"}]


async def test_what_is_known_of_one_thing_only_is_not_compared(index, documents):
    await add(index, documents, "tower", TOWER)
    question = "Which is older, the Eiffel Tower or the Brooklyn Bridge?"
    *_, done = await ask(question, index, documents, RuleReader({"1889": 4.0}))
    assert "worked_out" not in done.verification


async def test_a_table_is_counted_and_its_cells_are_found_and_cited(index, documents):
    table = "Bridges\n\n| Bridge | Opened |\n|---|---|\n| Corran | 1889 |\n| Glen | 1904 |\n| Ferry | 2011 |\n"
    await add(index, documents, "bridges", table, "text/markdown")
    *_, done = await ask("How many bridges opened after 1900?", index, documents, RuleReader({}))
    assert (done.span, done.verification["worked_out"]["kind"]) == ("2", "count")
    assert [citation.quote for citation in done.citations] == ["| Glen | 1904 |", "| Ferry | 2011 |"]
    *_, done = await ask("When was Glen opened?", index, documents, RuleReader({"Glen": 5.0}))
    (citation,) = done.citations
    assert (done.span, done.answer, done.verification["method"]) == ("1904", "| Glen | 1904 |", "table")
    assert table[citation.span_start : citation.span_end] == "1904"


async def test_a_slip_is_put_right_when_the_question_as_typed_finds_nothing(index, documents):
    await add(index, documents, "tower", TOWER)

    class Strict(RuleReader):
        async def read(self, question, passages, **more):
            self.marks = {"1889": 4.0} if "finished" in question else {}
            return await super().read(question, passages, **more)

    *_, done = await ask("When was it finsihed?", index, documents, Strict({}))
    assert (done.question, done.span) == ("When was it finished?", "1889")
