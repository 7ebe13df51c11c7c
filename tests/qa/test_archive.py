"""ZIPs: the files that a person put there come out, hostile ones are refused before they cost anything."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa import archive
from qa.archive import ArchiveProblem


def packed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in files.items():
            target.writestr(name, content)
    return out.getvalue()


def read(folder: Path, data: bytes) -> dict[str, bytes]:
    file = folder / "archive.zip"
    file.write_bytes(data)
    with archive.opened(file) as entries:
        return {entry.path: b"".join(entry.chunks()) for entry in entries}


def test_the_files_come_out_without_folders_and_what_systems_add(tmp_path):
    files = {"a.txt": b"one", "deep/b.md": b"two", "deep/": b"", "__MACOSX/._a.txt": b"x", ".DS_Store": b"x",
             "deep/.hidden/c.txt": b"x"}
    assert read(tmp_path, packed(files)) == {"a.txt": b"one", "deep/b.md": b"two"}


def test_a_path_out_of_the_archive_is_no_more_than_a_name(tmp_path):
    file = tmp_path / "inner" / "archive.zip"
    file.parent.mkdir()
    file.write_bytes(packed({"../../evil.txt": b"x", "/etc/passwd": b"y", "a\\..\\b.txt": b"z"}))
    with archive.opened(file) as entries:
        assert [entry.name for entry in entries] == ["evil.txt", "passwd", "b.txt"]
    assert {path.name for path in tmp_path.rglob("*")} == {"inner", "archive.zip"}


def test_a_name_in_gbk_is_read(tmp_path):
    data = packed({"aaaaaaaa.txt": b"x"}).replace(b"aaaaaaaa", "使用手册".encode("gbk"))
    assert list(read(tmp_path, data)) == ["使用手册.txt"]


@pytest.mark.parametrize(("limit", "value", "code"), [("MOST_FILES", 2, "too_many"),
                                                      ("MOST_UNPACKED_BYTES", 5_000_000, "too_much")])
def test_more_than_a_site_bears_is_refused_before_anything_is_unpacked(tmp_path, monkeypatch, limit, value, code):
    monkeypatch.setattr(archive, limit, value)
    with pytest.raises(ArchiveProblem) as refused:
        read(tmp_path, packed({f"{number}.txt": bytes(2_000_000) for number in range(3)}))
    assert refused.value.code == code


def test_a_size_that_the_archive_lies_about_is_not_exceeded(tmp_path):
    data = bytearray(packed({"a.txt": bytes(5_000_000)}))
    told = (5_000_000).to_bytes(4, "little")
    with pytest.raises(ArchiveProblem):  # its checksum cannot fit then
        read(tmp_path, bytes(data).replace(told, (1000).to_bytes(4, "little")))


@settings(max_examples=40)
@given(st.data())
def test_a_damaged_archive_gives_files_or_a_problem(tmp_path_factory, data: st.DataObject):
    damaged = bytearray(packed({"a.txt": b"some text " * 20, "b/c.md": b"# More"}))
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with suppress(ArchiveProblem):
        read(tmp_path_factory.mktemp("zip"), bytes(damaged[: data.draw(st.integers(0, len(damaged)))]))
