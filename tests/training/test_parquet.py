"""Parquet data sets: read like other files, for every task whose rows are flat; hostile ones are refused."""

from __future__ import annotations

import datetime
import gzip
import io
import json
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet as arrow_files

from models_service.formats import parquet
from models_service.formats.checking import check
from models_service.formats.files import FormatError
from models_service.formats.labelled import read_labelled
from models_service.formats.parallel import read_parallel
from models_service.formats.raw_rows import rows_of, unpacked
from webapp.errors import BadInput
from webapp.training import datasets

LABELLED = [{"text": "Rain, or\nsnow\r.", "label": 1}, {"text": "雨", "label": 2}]


def packed(rows: list[dict], **options: object) -> bytes:
    buffer = io.BytesIO()
    arrow_files.write_table(pyarrow.Table.from_pylist(rows), buffer, **options)
    return buffer.getvalue()


def test_rows_are_the_same_as_in_json_lines_also_in_gzip(tmp_path: Path) -> None:
    for name, data in (("a.parquet", packed(LABELLED, compression="zstd")),
                       ("b.gz", gzip.compress(packed(LABELLED)))):
        (tmp_path / name).write_bytes(data)
        assert [(row.text, row.label) for row in read_labelled(tmp_path / name)] == [
            (row["text"], str(row["label"])) for row in LABELLED]
    sentences = [{"en": "Go.", "de": "Geh."}]
    (tmp_path / "c.parquet").write_bytes(packed(sentences))
    assert read_parallel(tmp_path / "c.parquet") == sentences


def test_nested_cells_empty_cells_and_dates_are_read(tmp_path: Path) -> None:
    rows = [{"context": "She lives in Oslo.", "question": "Where?", "title": None,
             "answers": {"text": ["Oslo"], "answer_start": [13]}, "seen": datetime.date(2026, 1, 2)}]
    (tmp_path / "qa.parquet").write_bytes(packed(rows))
    text = unpacked(tmp_path / "qa.parquet").decode()
    assert json.loads(text)["seen"] == "2026-01-02" and "title" not in json.loads(text)
    checked = check(rows_of(text, "qa.parquet"), "qa")
    assert checked.rows[0]["answers"] == [{"text": "Oslo", "answer_start": 13}] and not checked.problems


@pytest.mark.django_db
def test_it_is_uploaded_as_a_data_set_and_a_damaged_one_is_refused_in_a_sentence(admin) -> None:
    rows = [{"text": f"Text {number}.", "label": "ab"[number % 2]} for number in range(20)]
    version = datasets.create_with_file("Topics", "classification", admin, "t.parquet", [packed(rows)])
    assert (version.rows, version.rows_held_out) == (20, 4)
    data = packed(rows)
    for bad in (data[: len(data) // 2], b"PAR1" + b"\xff" * 50 + b"PAR1", packed([{"text": b"\xff", "label": "a"}])):
        with pytest.raises(BadInput, match="cannot be read as Parquet"):
            datasets.create_with_file("Bad", "classification", admin, "t.parquet", [bad])


def test_a_file_that_unpacks_to_too_much_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    bomb = packed([{"text": "x" * 1_000_000, "label": "a"}] * 40)
    assert len(bomb) < 200_000, "forty megabytes"
    with pytest.raises(parquet.BadParquet) as caught:
        parquet.lines_of(bomb, 5_000_000)
    assert caught.value.code == "too_large"
    (tmp_path / "damaged.parquet").write_bytes(b"PAR1 and nothing")
    with pytest.raises(FormatError, match="Parquet file that cannot be read"):
        read_parallel(tmp_path / "damaged.parquet")
