"""The vectors of a document that is being embedded, on disk, so that a killed worker's are not computed again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import numpy as np

from qa.passages import Passage

_HEAD_BYTES = 40
"""32 of what the vectors are of, 8 of their dimension (0 until it is known)."""
SAME_ENCODER_COSINE = 0.999


class KeptVectors:
    """Appends float32 rows to a file, in the order of the passages.

    What an earlier attempt kept is taken over if it was of the same text, cut in the same way.
    """

    def __init__(self, path: Path, text: str, passages: Sequence[Passage]) -> None:
        self._path = path
        cuts = ",".join(f"{passage.start}-{passage.end}" for passage in passages)
        self._subject = hashlib.sha256(f"{cuts}\n{text}".encode()).digest()
        self._total = len(passages)
        self._rows: list[np.ndarray] = []
        self.count = 0

    def __enter__(self) -> KeptVectors:
        self._file = self._path.open("r+b" if self._path.exists() else "w+b")
        head = self._file.read(_HEAD_BYTES)
        dimension = int.from_bytes(head[32:40], "little")
        if head[:32] == self._subject and dimension:
            content = np.frombuffer(self._file.read(), dtype=np.uint8)
            rows = len(content) // (4 * dimension)
            if 0 < rows <= self._total:
                self._rows = [content[: rows * 4 * dimension].view("<f4").reshape(rows, dimension).copy()]
                self.count = rows
                self._file.truncate(_HEAD_BYTES + rows * 4 * dimension)  # the last one may be cut short
                self._file.seek(0, 2)
                return self
        self.start_over()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        self._file.close()

    def trust_if_from_the_same_encoder(self, first: np.ndarray) -> None:
        """Start over unless `first`, the first passage embedded anew, agrees with what was kept."""
        kept = self._rows[0][0]
        if kept.shape != first.shape or float(kept @ first) < SAME_ENCODER_COSINE:
            self.start_over()

    def append(self, vectors: np.ndarray) -> None:
        if not self.count:
            self._file.seek(0)
            self._file.write(self._subject + vectors.shape[1].to_bytes(8, "little"))
        self._file.write(np.ascontiguousarray(vectors, dtype="<f4").tobytes())
        self._file.flush()  # to the system, which outlives this process
        self._rows.append(vectors)
        self.count += len(vectors)

    def vectors(self) -> np.ndarray:
        """All of them, float32 (count, dimension)."""
        return np.concatenate(self._rows).astype(np.float32, copy=False)

    def forget(self) -> None:
        """Remove the file; call it once the vectors are published."""
        self._path.unlink(missing_ok=True)

    def start_over(self) -> None:
        """Forget all vectors."""
        self._file.seek(0)
        self._file.truncate()
        self._rows, self.count = [], 0
