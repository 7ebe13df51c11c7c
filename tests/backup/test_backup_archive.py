"""The backup's archive: whole, or refused before anything is written."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webapp.backup import archive, database
from webapp.backup.archive import FORMAT, BadArchive, Manifest

CONTENT = {"database/wenda.sqlite3": b"rows" * 500, "data/documents/ab/1/original": b"The mill stood by the river.",
           "data/indexes/7/segments/s.faiss": bytes(range(256)) * 5, "data/starter-pages.json": b"{}"}


def quiet(done: int, of: int) -> None:
    pass


def manifest(**values) -> Manifest:
    return Manifest(**{"format": FORMAT, "made_at": "2026-01-01", "database": "sqlite",
                       "migrations": sorted(database.known_migrations())[:2], "files": {}, **values})


def written(folder: Path, name: str = "b.tar", content: dict[str, bytes] = CONTENT, **values) -> Path:
    files = []
    for number, (inner, data) in enumerate(content.items()):
        (folder / str(number)).write_bytes(data)
        files.append((inner, folder / str(number)))
    with (folder / name).open("wb") as out:
        archive.write(out, name.endswith("gz"), files, manifest(**values), quiet)
    return folder / name


def unpacked(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["b.tar", "b.tar.gz"])
def test_what_was_written_comes_back_with_its_times(tmp_path, name):
    path = written(tmp_path, name)
    found = archive.check(path, quiet)
    archive.unpack(path, found, tmp_path / "out", quiet)
    assert unpacked(tmp_path / "out") == CONTENT
    assert (tmp_path / "out/data/starter-pages.json").stat().st_mtime == (tmp_path / "3").stat().st_mtime


@pytest.fixture(scope="module")
def archives(tmp_path_factory) -> dict[str, bytes]:
    return {name: written(tmp_path_factory.mktemp("made"), name).read_bytes() for name in ("b.tar", "b.tar.gz")}


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(["b.tar", "b.tar.gz"]), where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_an_altered_byte_is_refused_or_was_none_that_counts(tmp_path_factory, archives, name, where, bit):
    data = bytearray(archives[name])
    data[int(where * len(data))] ^= 1 << bit
    path = tmp_path_factory.getbasetemp() / f"altered-{name}"
    path.write_bytes(data)
    try:
        found = archive.check(path, quiet)
    except BadArchive:
        return
    assert found.files == archive.check(_whole(path, archives[name]), quiet).files


def _whole(path: Path, data: bytes) -> Path:
    whole = path.with_name(f"whole-{path.name}")
    whole.write_bytes(data)
    return whole


def test_each_altered_byte_of_a_stored_file_is_refused(tmp_path):
    data = bytearray(written(tmp_path).read_bytes())
    begin = data.index(b"The mill")
    for place in (begin, begin + 20):
        altered = data.copy()
        altered[place] ^= 1
        (tmp_path / "altered.tar").write_bytes(altered)
        with pytest.raises(BadArchive, match="documents/ab/1/original is not what its manifest says"):
            archive.check(tmp_path / "altered.tar", quiet)


@settings(max_examples=30, deadline=None)
@given(name=st.sampled_from(["b.tar", "b.tar.gz"]), kept=st.floats(0, 0.9))
def test_an_archive_that_was_cut_off_is_refused(tmp_path_factory, archives, name, kept):
    data = archives[name]
    path = tmp_path_factory.getbasetemp() / f"cut-{name}"
    end = data.index(b"manifest.json") if name == "b.tar" else len(data)  # after it there is only padding
    path.write_bytes(data[: int(kept * end)])
    with pytest.raises(BadArchive):
        archive.check(path, quiet)


@pytest.mark.parametrize("length", range(24))
def test_an_archive_of_a_few_bytes_is_refused(tmp_path, archives, length):
    for name, data in archives.items():
        (tmp_path / name).write_bytes(data[:length])
        with pytest.raises(BadArchive):
            archive.check(tmp_path / name, quiet)


def link(tar: tarfile.TarFile) -> None:
    info = tarfile.TarInfo("data/documents/link")
    info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
    tar.addfile(info)


def named(name: str) -> Callable[[tarfile.TarFile], None]:
    def add(tar: tarfile.TarFile) -> None:
        info = tarfile.TarInfo(name)
        info.size = 4
        tar.addfile(info, io.BytesIO(b"evil"))

    return add


@pytest.mark.parametrize("add", [
    link, *map(named, ["../evil", "/etc/evil", "data/../../evil", "data/documents/../../../evil", "data/secret-key",
                       "data/documents/.hidden", "evil", "database/other", "data//documents/x"])])
def test_names_that_lead_elsewhere_are_refused_and_nothing_is_written(tmp_path, add):
    path = tmp_path / "evil.tar"
    with tarfile.open(path, "w") as tar:
        add(tar)
    with pytest.raises(BadArchive, match="no backup of Wenda"):
        archive.check(path, quiet)
    with pytest.raises(BadArchive):
        archive.unpack(path, manifest(), tmp_path / "out", quiet)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("values", "sentence"), [
    ({"format": FORMAT + 1}, "newer version of Wenda"),
    ({"migrations": ["knowledge.9999_from_the_future"]}, "newer version of Wenda, whose database has knowledge.9999"),
    ({"database": "postgresql"}, "holds no database"),
])
def test_an_archive_of_another_version_is_refused(tmp_path, values, sentence):
    with pytest.raises(BadArchive, match=sentence):
        archive.check(written(tmp_path, **values), quiet)


def test_what_is_no_archive_or_has_a_broken_manifest_is_refused(tmp_path):
    path = tmp_path / "b.tar"
    for data in (b"", b"no archive at all", b"\x1f\x8b" + bytes(100)):
        path.write_bytes(data)
        with pytest.raises(BadArchive):
            archive.check(path, quiet)
    for text in (b"[1]", b"{", json.dumps({"format": "x"}).encode()):
        with tarfile.open(path, "w") as tar:
            info = tarfile.TarInfo("manifest.json")
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text))
        with pytest.raises(BadArchive, match="cannot be read"):
            archive.check(path, quiet)
