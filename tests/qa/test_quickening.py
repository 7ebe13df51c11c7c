"""Large segments with short codes: nearly all that an exact search finds, or all of it, whatever is killed when."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
import pytest

from qa import index_database, quickening, short_codes
from qa import segments as segment_files
from qa.index import CollectionGone, CollectionIndex, IndexedDocument
from qa.passages import Passage
from qa.quickening import give_codes, uncoded
from qa.segments import Segment

DIMENSION, GROUPS, LARGE = 16, 40, 2000
_random = np.random.default_rng(5)
_centres = _random.normal(size=(GROUPS, DIMENSION))


def vectors_of(count: int, spread: float = 0.3) -> np.ndarray:
    """Around centres, as those of texts on several subjects are."""
    made = _centres[_random.integers(GROUPS, size=count)] + spread * _random.normal(size=(count, DIMENSION))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def add(index: CollectionIndex, document: str, vectors: np.ndarray) -> None:
    text = "".join(f"{number:07d} " for number in range(len(vectors)))
    passages = [Passage(8 * number, 8 * number + 7) for number in range(len(vectors))]
    index.publish(IndexedDocument(document, document, "text/plain"), text, passages, vectors, "small@v1")


def factors_of(index: CollectionIndex) -> list[int | None]:
    with index.connection() as connection:
        return [one.factor for one in index_database.manifest(connection)[1]]


@pytest.fixture
def vectors() -> np.ndarray:
    return vectors_of(LARGE)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vectors: np.ndarray) -> CollectionIndex:
    """One large document of ids 1 to LARGE, and a small one."""
    monkeypatch.setattr(short_codes, "FROM", 1000)
    made = CollectionIndex.create(tmp_path / "collection")
    add(made, "large", vectors)
    add(made, "small", vectors_of(5))
    return made


def exact(vectors: np.ndarray, query: np.ndarray, k: int) -> list[int]:
    return [int(place) + 1 for place in np.argsort(-(vectors @ query), kind="stable")[:k]]


def coded(index: CollectionIndex) -> Segment:
    """The one loaded segment that has codes."""
    [segment] = [one for one in index._loaded[1] if short_codes.refined(one.index)]
    return segment


def recall(index: CollectionIndex, vectors: np.ndarray) -> float:
    shares = []
    for query in vectors_of(100):
        found = {passage for passage, _ in index.dense(query, 20, "small@v1")}
        wanted = [one for one in exact(vectors, query, 20) if one <= LARGE]
        shares.append(np.mean([one in found for one in wanted]))
    return float(np.mean(shares))


def test_a_large_segment_gets_codes_and_nearly_all_is_found(
    index: CollectionIndex, vectors: np.ndarray
) -> None:
    assert [one.vectors for one in uncoded(index)] == [LARGE] and recall(index, vectors) > 0.99
    assert give_codes(index) and not uncoded(index) and not give_codes(index)
    factors = factors_of(index)
    assert len(factors) == 2 and any(one in short_codes.FACTORS for one in factors)
    opened = CollectionIndex(index.folder)
    assert recall(opened, vectors) >= 0.97
    assert short_codes.refined(coded(opened).index).k_factor in factors
    assert opened.memory_bytes == DIMENSION * (LARGE * (4 + 1 / 4) + 5 * 4)
    opened.check()


def test_scores_are_exact(index: CollectionIndex, vectors: np.ndarray) -> None:
    give_codes(index)
    for passage, score in index.dense(vectors[7], 5, "small@v1"):
        assert passage > LARGE or score == pytest.approx(float(vectors[7] @ vectors[passage - 1]), abs=1e-5)


def test_content_is_what_was_put_in(index: CollectionIndex, vectors: np.ndarray) -> None:
    give_codes(index)
    index.dense(vectors[0], 1, "small@v1")
    ids, content = coded(index).content()
    np.testing.assert_array_equal(ids, np.arange(1, LARGE + 1))
    np.testing.assert_array_equal(content, vectors)


def test_of_chosen_documents_every_passage_is_found(
    index: CollectionIndex, vectors: np.ndarray
) -> None:
    give_codes(index)
    away = -vectors[3]
    found = index.dense(away, LARGE, "small@v1", documents=["large"])
    assert [passage for passage, _ in found[:50]] == exact(vectors, away, 50) and len(found) == LARGE


def test_where_the_nearest_are_deleted_the_others_are_found(index: CollectionIndex) -> None:
    give_codes(index)
    index.delete("large")
    assert len(index.dense(vectors_of(1)[0], 5, "small@v1")) == 5


def test_vectors_without_order_stay_in_an_exact_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(short_codes, "FROM", 1000)
    index = CollectionIndex.create(tmp_path / "collection")
    monkeypatch.setattr(short_codes, "FACTORS", (1,))  # more would find enough even here
    noise = np.random.default_rng(1).normal(size=(1500, 128)).astype(np.float32)
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    add(index, "noise", noise)
    assert give_codes(index) and factors_of(index) == [0] and not uncoded(index)
    assert [one for one, _ in index.dense(noise[9], 20, "small@v1")] == exact(noise, noise[9], 20)


def test_segments_with_codes_are_merged(index: CollectionIndex, vectors: np.ndarray) -> None:
    """What a merge takes from them is all that has not been deleted."""
    give_codes(index)
    add(index, "other", vectors_of(LARGE + 100))
    index.delete("other")
    add(index, "last", vectors_of(5))  # more than half is deleted: all is written anew
    assert factors_of(index) == [None] and [one.vectors for one in uncoded(index)] == [LARGE + 10]
    assert recall(index, vectors) > 0.99


@pytest.mark.parametrize("place", [
    (short_codes, "built"), (segment_files, "write_index"), (index_database, "replace_segments"),
    (segment_files, "sweep"),
])
def test_a_kill_at_any_point_leaves_a_whole_generation(
    index: CollectionIndex, vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch, place: tuple[object, str]
) -> None:
    def kill(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setattr(*place, kill)
        give_codes(index)
    again = CollectionIndex(index.folder)
    again.check()
    assert recall(again, vectors) >= 0.97 and again.count() == LARGE + 5
    give_codes(again)
    assert not uncoded(again) and recall(again, vectors) >= 0.97
    add(again, "later", vectors_of(3))  # which sweeps what the kill left behind
    assert len(list(again.segments.glob("*.faiss"))) == 3


def test_a_segment_that_was_deleted_meanwhile_is_not_brought_back(
    index: CollectionIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = short_codes.built

    def built(ids: np.ndarray, vectors: np.ndarray) -> faiss.IndexIDMap | None:
        index.clear()
        return whole(ids, vectors)

    monkeypatch.setattr(short_codes, "built", built)
    assert give_codes(index) and factors_of(index) == [] and index.count() == 0


def test_a_damaged_segment_is_left_to_be_mended(index: CollectionIndex) -> None:
    for file in index.segments.glob("*.faiss"):
        file.write_bytes(file.read_bytes()[:-4])
    assert not give_codes(index) and index.is_damaged


def test_two_do_not_list_one_index_and_a_deleted_collection_is_told(index: CollectionIndex) -> None:
    with index.alone(quickening._LOCK) as is_alone:
        assert is_alone and not give_codes(index)
    index.remove()
    with pytest.raises(CollectionGone):
        give_codes(index)
