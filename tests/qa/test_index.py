"""Publishing, replacing, deleting and searching: results are those of an exact search over what is published."""

from __future__ import annotations

import math
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from qa import segments as segment_files
from qa.index import CollectionGone, CollectionIndex, IndexedDocument
from qa.passages import Passage
from qa.segments import SegmentCorrupt
from qa.terms import terms
from tests.qa.publisher import DIMENSION, passage_texts, publish, publish_texts, vector_of


@pytest.fixture
def index(tmp_path: Path) -> CollectionIndex:
    return CollectionIndex.create(tmp_path / "collection")


def texts_found(index: CollectionIndex, found: list[tuple[int, float]]) -> list[str]:
    passages = index.passages([i for i, _ in found])
    return [passages[i].text for i, _ in found]


def test_a_published_passage_is_found_by_its_vector_and_by_its_words(index: CollectionIndex):
    publish(index, "alpha")
    publish(index, "beta")
    wanted = passage_texts("beta", 1)[0]
    assert texts_found(index, index.dense(vector_of(wanted), 1)) == [wanted]
    assert set(texts_found(index, index.bm25("beta", 10))) == set(passage_texts("beta", 1))


def test_a_found_passage_says_where_it_stands_in_its_document(index: CollectionIndex):
    publish_texts(index, "d", ["one two", "three four"], title="The title")
    (found,) = index.passages([i for i, _ in index.bm25("four", 5)]).values()
    assert (found.start, found.end, found.text) == (8, 18, "three four")
    assert found.document == IndexedDocument("d", "The title", "text/plain")


def test_publishing_a_document_again_replaces_all_of_it(index: CollectionIndex):
    publish(index, "alpha", 1)
    publish(index, "alpha", 2)
    assert index.count() == len(passage_texts("alpha", 2))
    assert index.bm25("version1", 10) == []
    assert texts_found(index, index.dense(vector_of(passage_texts("alpha", 1)[0]), 50)).count("version1") == 0
    assert index.document_ids() == {"alpha"}


def test_a_deleted_document_is_found_no_more(index: CollectionIndex):
    publish(index, "alpha")
    publish(index, "beta")
    index.delete("alpha")
    everything = index.dense(vector_of("x"), 100)
    assert all("beta" in text for text in texts_found(index, everything))
    assert index.bm25("alpha", 10) == []
    assert index.document_ids() == {"beta"}


def test_deleting_what_is_not_there_does_nothing(index: CollectionIndex):
    publish(index, "alpha")
    index.delete("never was")
    assert index.document_ids() == {"alpha"}


def test_an_empty_index_finds_nothing(index: CollectionIndex):
    assert index.dense(vector_of("x"), 5) == []
    assert index.bm25("anything", 5) == []
    assert index.passages([1, 2]) == {}
    assert index.frequencies(["x"]) == {}
    assert index.count() == 0


def test_a_document_without_passages_is_published(index: CollectionIndex):
    index.publish(IndexedDocument("d", "t", "text/plain"), "", [], np.empty((0, DIMENSION), np.float32))
    assert index.document_ids() == {"d"}


def test_vectors_that_do_not_fit_the_passages_are_refused(index: CollectionIndex):
    with pytest.raises(ValueError, match="2 passages but vectors of shape"):
        index.publish(IndexedDocument("d", "t", "text/plain"), "ab", [Passage(0, 1), Passage(1, 2)],
                      np.ones((1, DIMENSION), np.float32))
    assert index.document_ids() == set()


def test_dense_search_over_merged_segments_is_exact(index: CollectionIndex):
    chance = random.Random(5)
    alive: dict[str, list[str]] = {}
    for step in range(80):
        name = f"d{chance.randrange(50)}"
        if name in alive and chance.random() < 0.3:
            index.delete(name)
            del alive[name]
        else:
            alive[name] = [f"{name} {step} {i}" for i in range(chance.randrange(1, 40))]
            publish_texts(index, name, alive[name])
    names = [text for pieces in alive.values() for text in pieces]
    matrix = np.stack([vector_of(name) for name in names])
    assert len(list((index.folder / "segments").glob("*.faiss"))) < 30
    for query in (vector_of(f"query {i}") for i in range(20)):
        exact = [names[i] for i in np.argsort(-(matrix @ query), kind="stable")[:25]]
        found = index.dense(query, 25)
        assert texts_found(index, found) == exact
        np.testing.assert_allclose([score for _, score in found], np.sort(matrix @ query)[::-1][:25], atol=1e-5)
    index.check()


def test_the_nearest_are_found_when_nearly_everything_nearer_was_deleted(index: CollectionIndex):
    for i in range(12):
        publish_texts(index, f"d{i}", [f"d{i} {j}" for j in range(40)])
    for i in range(11):
        index.delete(f"d{i}")
    found = index.dense(vector_of("d3 7"), 40)
    assert len(found) == 40
    assert all(text.startswith("d11 ") for text in texts_found(index, found))


def test_bm25_orders_as_the_formula_does(index: CollectionIndex):
    chance = random.Random(3)
    words = [f"w{i}" for i in range(40)]
    pieces = [" ".join(chance.choices(words, weights=[1 / (i + 1) for i in range(40)], k=chance.randrange(5, 60)))
              for _ in range(150)]
    publish_texts(index, "d", pieces)
    bags = [Counter(terms(piece)) for piece in pieces]
    lengths = [sum(bag.values()) for bag in bags]
    mean = sum(lengths) / len(lengths)
    query = ["w3", "w11", "w24", "w39"]
    rare = {word: sum(word in bag for bag in bags) for word in query}
    idf = {word: max(math.log((len(bags) - n + 0.5) / (n + 0.5)), 1e-6) for word, n in rare.items()}
    expected = [
        sum(idf[w] * bag[w] * 2.2 / (bag[w] + 1.2 * (0.25 + 0.75 * length / mean)) for w in query)
        for bag, length in zip(bags, lengths, strict=True)
    ]
    found = index.bm25(" ".join(query), 30)
    assert [score for _, score in found] == pytest.approx(sorted(expected, reverse=True)[:30], rel=1e-5)
    best = texts_found(index, found)
    assert best[0] == pieces[int(np.argmax(expected))]


def test_words_are_found_in_any_form_and_the_title_counts(index: CollectionIndex):
    publish_texts(index, "d", ["The builders were building bridges."], title="Isambard")
    assert index.bm25("bridge", 5)
    assert index.bm25("isambard", 5)
    assert index.frequencies(["builds", "bridge", "absent"]) == {"builds": 1, "bridge": 1}


@pytest.mark.parametrize("query", ['"', "'; DROP TABLE x", "a OR b NEAR(", "title:x *", "的", "", "\x00", "²½", "𠀀"])
def test_no_query_is_too_strange_for_word_search(index: CollectionIndex, query: str):
    publish(index, "alpha")
    assert index.bm25(query, 5) == []


def test_a_long_query_keeps_its_rarest_words(index: CollectionIndex, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("qa.index_database._MOST_MATCHES", 20)
    publish_texts(index, "many", [f"river stone number{i}" for i in range(100)])
    found = index.bm25("river stone number7", 100)
    assert texts_found(index, found) == ["river stone number7"]


def test_adding_a_document_to_a_large_collection_leaves_the_large_segments_alone(index: CollectionIndex):
    publish_texts(index, "large", [f"large {i}" for i in range(3000)])
    (large,) = (index.folder / "segments").glob("*.faiss")
    before = large.stat()
    for i in range(40):
        publish(index, f"small{i}")
    assert large.stat().st_ino == before.st_ino
    assert large.stat().st_mtime_ns == before.st_mtime_ns


def test_segments_stay_few_and_each_vector_is_rewritten_seldom(tmp_path: Path):
    live = {}
    written = 0
    for number in range(3000):
        live[str(number)] = 600
        written += 600
        while merge := segment_files.to_merge(list(live.items())):
            size = sum(live.pop(name) for name in merge)
            live[f"{number} {size}"] = size
            written += size
    assert len(live) <= 4 * segment_files.MERGE_FACTOR
    assert written <= 5 * 3000 * 600


def test_vectors_of_deleted_documents_leave_the_disk_in_time(index: CollectionIndex):
    for i in range(3):
        publish_texts(index, f"d{i}", [f"d{i} {j}" for j in range(1000)])
    size = sum(path.stat().st_size for path in (index.folder / "segments").iterdir())
    for i in range(3):
        index.delete(f"d{i}")
    publish(index, "last")
    assert sum(path.stat().st_size for path in (index.folder / "segments").iterdir()) < size / 100
    assert index.count() == len(passage_texts("last", 1))


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(("harm", "reason"), [
    (damage, "is damaged"), (lambda path: path.write_bytes(path.read_bytes()[:-10]), "is damaged"),
    (lambda path: path.write_bytes(b""), "is damaged"), (Path.unlink, "is missing"),
])
def test_a_damaged_segment_is_named_with_what_to_do(index: CollectionIndex, harm, reason: str):
    publish(index, "alpha")
    (segment,) = (index.folder / "segments").glob("*.faiss")
    harm(segment)
    fresh = CollectionIndex(index.folder)
    for use in (fresh.check, lambda: fresh.dense(vector_of("x"), 3)):
        with pytest.raises(SegmentCorrupt, match=f"{segment.name} {reason}.*index mend"):
            use()


def test_documents_can_be_published_beside_a_damaged_segment(index: CollectionIndex):
    publish(index, "alpha")
    (segment,) = (index.folder / "segments").glob("*.faiss")
    damage(segment)
    for i in range(12):
        publish(index, f"new{i}")
    assert len(index.document_ids()) == 13
    assert index.bm25("alpha", 5)


def test_every_use_of_a_removed_collection_says_that_it_is_gone(index: CollectionIndex):
    publish(index, "alpha")
    index.dense(vector_of("x"), 3)
    other = CollectionIndex(index.folder)
    other.remove()
    other.remove()
    for use in (
        lambda: index.dense(vector_of("x"), 3), lambda: index.bm25("alpha", 3), lambda: index.passages([1]),
        index.count, index.check, lambda: index.frequencies(["x"]), lambda: index.delete("alpha"),
        lambda: publish(index, "beta"), index.document_ids,
    ):
        with pytest.raises(CollectionGone):
            use()
    assert not index.folder.exists()


def test_creating_an_index_that_is_there_opens_it(index: CollectionIndex):
    publish(index, "alpha")
    assert CollectionIndex.create(index.folder).document_ids() == {"alpha"}
