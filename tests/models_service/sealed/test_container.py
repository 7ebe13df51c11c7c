"""The container: whatever was written comes back, any range of it; whatever was done to its bytes is noticed."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_service.sealed import container
from models_service.sealed.container import CHUNK_BYTES, HEAD_BYTES, TAG_BYTES, SealedReader, SealingWriter
from models_service.sealed.errors import Damaged, KeyMissing
from models_service.sealed.keys import Keyring, one_time

KEYS = one_time()
FRAME = CHUNK_BYTES + TAG_BYTES
SIZES = st.one_of(st.integers(0, 300), st.integers(CHUNK_BYTES - 2, CHUNK_BYTES + 2),
                  st.integers(2 * CHUNK_BYTES - 2, 2 * CHUNK_BYTES + 2), st.integers(0, 4 * CHUNK_BYTES))


class Kept(io.BytesIO):
    """Can be looked at once it is closed."""

    def close(self) -> None:
        self.flush()


def sealed(content: bytes, pieces: int = 1, keys: Keyring = KEYS) -> bytes:
    out = Kept()
    with SealingWriter(out, keys.first) as writer:
        step = len(content) // pieces + 1
        for start in range(0, len(content), step):
            writer.write(content[start : start + step])
    return out.getvalue()


def opened(data: bytes, keys: Keyring = KEYS) -> bytes:
    with SealedReader(io.BytesIO(data), keys, "f") as reader:
        return reader.read()


def content_of(size: int) -> bytes:
    return bytes(range(256)) * (size // 256) + bytes(size % 256)


@settings(max_examples=40, deadline=None)
@given(size=SIZES, pieces=st.integers(1, 9), places=st.lists(st.tuples(st.floats(0, 1.1), SIZES), max_size=4))
def test_what_was_written_comes_back_whole_and_in_any_range(size, pieces, places):
    content = content_of(size)
    data = sealed(content, pieces)
    assert opened(data) == content
    with io.BufferedReader(SealedReader(io.BytesIO(data), KEYS, "f")) as reader:
        assert reader.seek(0, io.SEEK_END) == size
        for share, length in places:
            start = int(share * size)
            reader.seek(start)
            assert reader.read(length) == content[start : start + length]


@settings(max_examples=60, deadline=None)
@given(size=st.integers(1, 3 * CHUNK_BYTES), where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_single_changed_bit_is_noticed(size, where, bit):
    data = bytearray(sealed(content_of(size)))
    data[int(where * len(data))] ^= 1 << bit
    with pytest.raises((Damaged, KeyMissing)):
        opened(bytes(data))


@settings(max_examples=40, deadline=None)
@given(size=st.integers(1, 3 * CHUNK_BYTES), kept=st.floats(0, 1, exclude_max=True))
def test_a_file_that_was_cut_off_is_noticed_when_it_is_opened(size, kept):
    data = sealed(content_of(size))
    with pytest.raises(Damaged):
        SealedReader(io.BytesIO(data[: int(kept * len(data))]), KEYS, "f")


def frames(data: bytes) -> list[bytes]:
    return [data[start : start + FRAME] for start in range(HEAD_BYTES, len(data), FRAME)]


@pytest.mark.parametrize("change", [
    lambda parts, other: [parts[1], parts[0], *parts[2:]],
    lambda parts, other: parts[1:],
    lambda parts, other: parts[:-1],
    lambda parts, other: [parts[0], *parts],
    lambda parts, other: [other[0], *parts[1:]],
    lambda parts, other: [*parts, parts[-1]],
    lambda parts, other: [],
], ids=["swapped", "first left out", "last left out", "repeated", "of another file", "added", "all left out"])
def test_parts_that_were_moved_are_noticed(change):
    data, other = sealed(content_of(4 * CHUNK_BYTES)), sealed(content_of(4 * CHUNK_BYTES))
    with pytest.raises(Damaged):
        opened(data[:HEAD_BYTES] + b"".join(change(frames(data), frames(other))))


def test_a_file_that_was_given_up_is_never_taken_for_whole(tmp_path: Path):
    path = tmp_path / "f"
    with pytest.raises(ZeroDivisionError), SealingWriter(path.open("wb"), KEYS.first) as writer:
        writer.write(content_of(3 * CHUNK_BYTES))
        raise ZeroDivisionError
    with pytest.raises(Damaged):
        opened(path.read_bytes())


def test_another_key_is_named_by_its_id_and_no_two_files_are_alike():
    data = sealed(b"words")
    with pytest.raises(KeyMissing, match=KEYS.first.id):
        opened(data, one_time())
    assert container.key_id(data) == KEYS.first.id
    assert sealed(b"words") != data and b"words" not in data
