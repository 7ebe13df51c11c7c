"""Parallel text and JSON Lines: what is read, and what is said of what cannot be."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from models_service.formats.files import FormatError
from models_service.formats.json_lines import read_json_lines
from models_service.formats.parallel import read_pairs, read_parallel


def _write(path: Path, *lines: object) -> Path:
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), "utf-8")
    return path


def test_pairs_come_from_the_lines_that_have_both_languages(tmp_path: Path) -> None:
    file = _write(tmp_path / "a.jsonl", {"en": "Go.", "de": "Geh.", "id": 4}, "", {"en": "Hi.", "fr": "Salut."})
    assert read_pairs(file, "de", "en") == [("Geh.", "Go.")]
    assert read_parallel(file)[1] == {"en": "Hi.", "fr": "Salut."}


def test_a_gzip_file_is_known_by_its_bytes(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(gzip.compress('{"en": "Go.", "zh": "走。"}\n'.encode()))
    assert read_pairs(file, "en", "zh") == [("Go.", "走。")]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["{"], "line 1: not UTF-8 JSON"),
        (['{"en": "Go.", "de": "Geh."}', "[1]"], "line 2: expected a JSON object"),
        ([{"en": "Go.", "text": "Geh."}], "line 1: expected a key for each of two languages"),
        ([{"en": "Go.", "de": 3}], 'line 1: "de" must be a text'),
        ([{"en": "Go.", "de": " "}], 'line 1: "de" must be a text that is not empty'),
        ([""], "no line in it"),
        ([{"en": "Go.", "fr": "Va."}], "no line has both en and de; its languages: en, fr"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_line(tmp_path: Path, lines: list[object], said: str) -> None:
    with pytest.raises(FormatError, match=said.replace("[", r"\[")):
        read_pairs(_write(tmp_path / "a.jsonl", *lines), "en", "de")


def test_a_gzip_file_that_was_cut_off_is_said(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl.gz"
    file.write_bytes(gzip.compress(b'{"en": "Go."}\n' * 1000)[:-20])
    with pytest.raises(FormatError, match="cannot be read after line"):
        list(read_json_lines(file))
    with pytest.raises(FormatError, match="check the path"):
        list(read_json_lines(tmp_path / "none"))


def test_a_gzip_file_that_is_damaged_is_said(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl.gz"
    header = gzip.compress(b"")[:10]
    file.write_bytes(header + b"\xff" * 40)  # no block of a stream is of this type
    with pytest.raises(FormatError, match="cannot be read after line 0"):
        list(read_json_lines(file))
