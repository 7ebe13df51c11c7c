"""Vectors that are being computed anew for an index, on disk beside it, so that a killed process's are not lost.

    anew/encoder.json    what they are of
    anew/ids, vectors    int64 and float32, appended to; a row is there when both files hold the whole of it
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from qa.index_encoder import Encoder

FOLDER = "anew"
ROWS_AT_ONCE = 65_536
"""Read back together: 100 MB at 384 dimensions."""
NORM_TOLERANCE = 0.01


def rows_kept(index_folder: Path) -> int:
    """How many have been computed so far; a quick look."""
    file = index_folder / FOLDER / "ids"
    return file.stat().st_size // 8 if file.is_file() else 0


class VectorsAnew:
    """Rows of (passage id, vector) in `index_folder`/anew; those of another encoder are thrown away on opening."""

    def __init__(self, index_folder: Path, encoder: Encoder) -> None:
        self._folder = index_folder / FOLDER
        self._encoder = encoder
        told = self._folder / "encoder.json"
        wanted = {"name": encoder.name, "dimension": encoder.dimension}
        if not told.is_file() or json.loads(told.read_text()) != wanted:
            self.remove()
            self._folder.mkdir()
            fresh = told.with_suffix(".new")
            fresh.write_text(json.dumps(wanted))
            fresh.replace(told)
        self.ids = self._whole_rows()

    def add(self, ids: np.ndarray, vectors: np.ndarray) -> None:
        """`vectors`, float32 (n, dimension), of L2 norm 1, under passage `ids`, int64 (n,)."""
        # ids last: a row counts once its id is there
        for name, rows in (("vectors", vectors.astype("<f4")), ("ids", ids.astype("<i8"))):
            with (self._folder / name).open("ab") as file:
                file.write(np.ascontiguousarray(rows).tobytes())
        self.ids = np.concatenate([self.ids, ids])

    def parts(self, wanted: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The (ids, vectors) of those of the `wanted` ids that are here, ROWS_AT_ONCE and fewer at a time."""
        if not len(self.ids):
            return
        vectors = self._vectors(len(self.ids))
        for begin in range(0, len(self.ids), ROWS_AT_ONCE):
            ids = self.ids[begin : begin + ROWS_AT_ONCE]
            kept = np.isin(ids, wanted)
            if kept.any():
                yield ids[kept], np.array(vectors[begin : begin + ROWS_AT_ONCE])[kept]

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def _whole_rows(self) -> np.ndarray:
        """The ids of the rows that a killed process, or a power cut, left whole; the rest is cut off."""
        sizes = {"ids": 8, "vectors": 4 * self._encoder.dimension}
        files = {name: self._folder / name for name in sizes}
        for file in files.values():
            file.touch()
        rows = min(file.stat().st_size // sizes[name] for name, file in files.items())
        if rows:
            norms = np.linalg.norm(self._vectors(rows), axis=1)
            wrong = np.flatnonzero(np.abs(norms - 1) > NORM_TOLERANCE)
            rows = int(wrong[0]) if len(wrong) else rows
        for name, file in files.items():
            with file.open("r+b") as opened:
                opened.truncate(rows * sizes[name])
        return np.fromfile(files["ids"], dtype="<i8")

    def _vectors(self, rows: int) -> np.ndarray:
        shape = (rows, self._encoder.dimension)
        return np.memmap(self._folder / "vectors", dtype="<f4", mode="r", shape=shape)
