"""Undoes the compression of an HTTP reply piece by piece, so that a small reply never becomes large in memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from webapp.knowledge.web.problems import FetchProblem

PIECE_BYTES = 1 << 18
ACCEPTED = "gzip, deflate"


class Unpacker:
    """For the value of a Content-Encoding header. Raises FetchProblem for one that was not asked for."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding.strip().lower()
        if self._encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise FetchProblem("compression")
        self._inflating = None if self._encoding in ("", "identity") else zlib.decompressobj(zlib.MAX_WBITS | 32)
        self._has_begun = False

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What `data` unpacks to, in pieces of at most PIECE_BYTES. Raises FetchProblem."""
        if self._inflating is None:
            yield data
            return
        while data and not self._inflating.eof:  # what follows the end is padding
            yield self._unpacked(data)
            data = self._inflating.unconsumed_tail

    def _unpacked(self, data: bytes) -> bytes:
        try:
            piece = self._inflating.decompress(data, PIECE_BYTES)
        except zlib.error:
            if self._has_begun or self._encoding != "deflate":
                raise FetchProblem("compression") from None
            self._inflating = zlib.decompressobj(-zlib.MAX_WBITS)  # as some servers understand "deflate"
            self._has_begun = True
            return self._unpacked(data)
        self._has_begun = True
        return piece

    @property
    def is_whole(self) -> bool:
        return self._inflating is None or self._inflating.eof
