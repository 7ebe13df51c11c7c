"""Vectors that an index lacks are computed anew: it answers meanwhile, and nothing is embedded twice."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_service.client import Encoded, ModelsUnavailable
from qa import index_database, mending, retrieve
from qa import segments as segment_files
from qa.index import CollectionGone, CollectionIndex, IndexedDocument
from qa.index_encoder import Encoder
from qa.mending import Mended, lacks_vectors, mend
from qa.passages import Passage
from qa.segments import SegmentCorrupt
from qa.vectors_anew import VectorsAnew

OLD, NEW = "small@v1", "small@v2"
DIMENSIONS = {OLD: 8, NEW: 16, "small@v3": 4}


class Service:
    """Embeds by hashing; knows what it was asked. `before` is called with each request's number."""

    def __init__(self, encoder: str, before: Callable[[int], None] = lambda number: None) -> None:
        self.encoder, self.before = encoder, before
        self.asked: list[str] = []
        self._numbers = itertools.count()

    async def encode(self, texts: Sequence[str], *, client: str = "") -> Encoded:
        self.before(next(self._numbers))
        self.asked += [text for text in texts if text != mending._PROBE]
        return Encoded(np.stack([vector_of(text, self.encoder) for text in texts]), self.encoder)


def vector_of(text: str, encoder: str) -> np.ndarray:
    seed = int.from_bytes(hashlib.sha256(f"{encoder} {text}".encode()).digest()[:4])
    vector = np.random.default_rng(seed).normal(size=DIMENSIONS[encoder])
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def add(index: CollectionIndex, document: str, encoder: str, passages: int = 5) -> None:
    texts = [f"{document} {number}" for number in range(passages)]
    text, cuts, begin = "\n".join(texts), [], 0
    for one in texts:
        cuts.append(Passage(begin, begin + len(one)))
        begin += len(one) + 1
    index.publish(IndexedDocument(document, "", "text/plain"), text, cuts,
                  np.stack([vector_of(one, encoder) for one in texts]), encoder)


def finds_each(index: CollectionIndex, encoder: str) -> bool:
    """Whether every passage is the nearest to its own vector of this encoder."""
    return all(index.dense(vector_of(one.text, encoder), 1, encoder)[0][0] == one.id for one in index.every_passage())


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CollectionIndex:
    monkeypatch.setattr(mending, "AT_ONCE", 4)
    made = CollectionIndex.create(tmp_path / "collection")
    for document in ("alpha", "beta", "gamma"):
        add(made, document, OLD)
    return made


def test_after_another_encoder_was_put_into_use_all_passages_get_its_vectors(index: CollectionIndex) -> None:
    assert not lacks_vectors(index, OLD) and lacks_vectors(index, NEW)
    said: list[tuple[int, int]] = []
    service = Service(NEW)
    assert asyncio.run(mend(index, service, progress=lambda *far: said.append(far))) == Mended(15, True)
    assert finds_each(index, NEW) and not lacks_vectors(index, NEW) and lacks_vectors(index, OLD)
    assert said == [(4, 15), (8, 15), (12, 15), (15, 15)] and not (index.folder / "anew").exists()
    assert len(list(index.segments.glob("*.faiss"))) == 1
    add(index, "delta", NEW)
    assert asyncio.run(mend(index, service)) == Mended(0, True) and len(service.asked) == 15


def test_until_then_it_is_searched_by_its_words_alone(index: CollectionIndex) -> None:
    [first, *_] = asyncio.run(retrieve.retrieve("beta 3", [("c", index)], Service(NEW), 3))
    assert first.passage.text == "beta 3" and first.dense is None and first.bm25_rank == 1


@pytest.mark.parametrize("killed_at", range(1, 5))
def test_what_was_embedded_before_a_kill_is_not_embedded_again(index: CollectionIndex, killed_at: int) -> None:
    def kill(number: int) -> None:
        if number == killed_at:
            raise ModelsUnavailable("killed")

    first, second = Service(NEW, kill), Service(NEW)
    with pytest.raises(ModelsUnavailable):
        asyncio.run(mend(index, first))
    assert finds_each(index, OLD), "what was published before goes on answering"
    assert asyncio.run(mend(CollectionIndex(index.folder), second)).is_whole
    assert len(first.asked) == 4 * (killed_at - 1) and len(first.asked + second.asked) == 15
    assert finds_each(index, NEW)


@pytest.mark.parametrize("place", [(segment_files, "write"), (index_database, "replace_segments"),
                                   (segment_files, "sweep"), (VectorsAnew, "remove")])
def test_a_kill_while_publishing_leaves_a_whole_generation(
    index: CollectionIndex, monkeypatch: pytest.MonkeyPatch, place: tuple[object, str]
) -> None:
    asyncio.run(mend(index, Service(NEW), seconds=0))  # so that the folder is there and nothing is removed at first

    def kill(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setattr(*place, kill)
        asyncio.run(mend(index, Service(NEW)))
    again = CollectionIndex(index.folder)
    is_new = not lacks_vectors(again, NEW)
    assert finds_each(again, NEW if is_new else OLD) and is_new == (place[1] in ("sweep", "remove"))
    service = Service(NEW)
    assert asyncio.run(mend(again, service)).is_whole and service.asked == []
    assert finds_each(again, NEW) and {file.name for file in again.segments.iterdir()} == {
        one.name for one in manifest(again)}


def manifest(index: CollectionIndex) -> list[segment_files.SegmentFile]:
    with index.connection() as connection:
        return index_database.manifest(connection)[1]


@pytest.mark.parametrize("harm", ["gone", "changed"])
def test_of_a_damaged_file_only_the_passages_are_embedded_again(index: CollectionIndex, harm: str) -> None:
    file = index.segments / manifest(index)[1].name
    file.unlink() if harm == "gone" else file.write_bytes(file.read_bytes()[:-1] + b"?")
    held = CollectionIndex(index.folder)
    with pytest.raises(SegmentCorrupt, match="index mend"):
        held.dense(vector_of("beta 3", OLD), 3, OLD)
    [first, *_] = asyncio.run(retrieve.retrieve("beta 3", [("c", held)], Service(OLD), 3))
    assert first.passage.text == "beta 3" and first.dense is None
    assert lacks_vectors(held, OLD), "who searched has left a note"
    service = Service(OLD)
    assert asyncio.run(mend(held, service)) == Mended(5, True)
    assert sorted(service.asked) == [f"beta {number}" for number in range(5)]
    assert not lacks_vectors(held, OLD) and finds_each(held, OLD)


def test_documents_may_come_and_go_meanwhile(index: CollectionIndex) -> None:
    def change(number: int) -> None:
        if number == 2:
            index.delete("gamma")
        if number == 3:  # the one document left of the new encoder would be let in: none is while others are there
            index.delete("alpha")

    asyncio.run(mend(index, Service(NEW, change)))
    assert finds_each(index, NEW) and index.document_ids() == {"beta"} and index.count() == 5


def test_an_encoder_that_is_swapped_meanwhile_is_begun_with_anew(index: CollectionIndex) -> None:
    service = Service(NEW)

    def swap(number: int) -> None:
        if number == 2:
            service.encoder = "small@v3"

    service.before = swap
    assert asyncio.run(mend(index, service)).is_whole and finds_each(index, "small@v3")


def test_it_stops_when_its_time_is_over_and_goes_on_from_there(index: CollectionIndex) -> None:
    service = Service(NEW)
    assert asyncio.run(mend(index, service, seconds=0)) == Mended(0, False)
    steps = iter([None, None])

    def stop() -> None:
        if next(steps, "over") == "over":
            raise InterruptedError

    with pytest.raises(InterruptedError):
        asyncio.run(mend(index, service, check=stop))
    assert mending.done_of(index) == (8, 15)
    assert asyncio.run(mend(index, service)) == Mended(7, True)


def test_two_do_not_mend_one_index_and_a_deleted_collection_is_told(index: CollectionIndex, tmp_path: Path) -> None:
    with index.alone(mending._LOCK) as is_alone:
        assert is_alone and asyncio.run(mend(index, Service(NEW))) == Mended(0, False)
    shutil.rmtree(index.folder)
    with pytest.raises(CollectionGone):
        asyncio.run(mend(index, Service(NEW)))


def test_a_collection_that_is_deleted_meanwhile_is_told(index: CollectionIndex) -> None:
    with pytest.raises(CollectionGone):
        asyncio.run(mend(index, Service(NEW, lambda number: index.remove() if number == 2 else None)))
    assert not index.folder.exists()


def test_an_index_without_documents_is_nothing_to_mend(tmp_path: Path) -> None:
    index = CollectionIndex.create(tmp_path / "collection")
    assert not lacks_vectors(index, NEW) and asyncio.run(mend(index, Service(NEW))) == Mended(0, True)
    add(index, "alpha", OLD)
    index.delete("alpha")
    assert asyncio.run(mend(index, Service(NEW))).is_whole and not lacks_vectors(index, NEW)


@given(cut=st.fixed_dictionaries({"ids": st.integers(0, 40), "vectors": st.integers(0, 160)}), zeros=st.booleans())
def test_of_files_that_were_cut_off_the_whole_rows_are_taken(
    tmp_path_factory: pytest.TempPathFactory, cut: dict[str, int], zeros: bool
) -> None:
    folder = tmp_path_factory.mktemp("index")
    encoder = Encoder(NEW, 16)
    vectors = np.stack([vector_of(str(number), NEW) for number in range(5)])
    VectorsAnew(folder, encoder).add(np.arange(5) * 10, vectors)
    for name, size in cut.items():
        file = folder / "anew" / name
        whole_file = file.read_bytes()
        content = whole_file[: (size if name == "ids" else 2 * size)]
        file.write_bytes(content.ljust(len(whole_file), b"\0") if zeros and name == "vectors" else content)
    found = VectorsAnew(folder, encoder)
    assert found.ids.tolist() == [number * 10 for number in range(len(found.ids))]
    whole = min(cut["ids"] // 8, 2 * cut["vectors"] // 64)
    # a row of which but the last small numbers are zeros may pass for whole
    assert whole <= len(found.ids) <= whole + zeros
    for _ids, rows in found.parts(np.arange(100)):
        assert np.array_equal(rows[:whole], vectors[:whole])
