"""The container of an encrypted file: AES-256-GCM in chunks, so that it streams and any part of it can be read.

    head      8 bytes of magic, 8 of the key's id, 32 of salt
    chunks    65,536 bytes each, the last one shorter, each followed by its tag of 16 bytes

Each file has a key of its own: HKDF-SHA256 of the environment's key, with the file's salt, over the head. A chunk's
nonce is its number (11 bytes) and whether it is the last (1 byte), as in STREAM (Hoang, Reyhanitabar, Rogaway and
Vizár 2015; age does the same): a chunk that is altered, moved, repeated, left out or of another file is refused, and
so is a file that was cut off or added to.
"""

from __future__ import annotations

import io
import os
import secrets
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from models_service.sealed.errors import Damaged
from models_service.sealed.keys import ID_BYTES, Key, Keyring

MAGIC = b"\x93WENDA\x01\n"
SALT_BYTES = 32
HEAD_BYTES = len(MAGIC) + ID_BYTES + SALT_BYTES
CHUNK_BYTES = 1 << 16
TAG_BYTES = 16
_FRAME_BYTES = CHUNK_BYTES + TAG_BYTES


def key_id(head: bytes) -> str | None:
    """The id of the key of a file that begins with `head`; None when it is not encrypted."""
    if len(head) < HEAD_BYTES or not head.startswith(MAGIC):
        return None
    return head[len(MAGIC) : len(MAGIC) + ID_BYTES].hex()


def _cipher(key: Key, head: bytes) -> AESGCM:
    salt = head[-SALT_BYTES:]
    return AESGCM(HKDF(SHA256(), 32, salt, b"wenda: key of a file" + head).derive(key.secret))


def _nonce(number: int, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])


class SealingWriter(io.RawIOBase):
    """Encrypts what is written into `file`, which it closes. Only closing it makes a whole container."""

    def __init__(self, file: BinaryIO, key: Key, *, sync: bool = False) -> None:
        self._file = file
        self._sync = sync
        head = MAGIC + bytes.fromhex(key.id) + secrets.token_bytes(SALT_BYTES)
        self._cipher = _cipher(key, head)
        self._pending = bytearray()
        self._number = 0
        file.write(head)
        file.flush()  # whoever looks at the file while it is written sees what it is

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:  # type: ignore[override]
        self._pending += data
        while len(self._pending) > CHUNK_BYTES:  # the last chunk is known to be it only when nothing follows
            self._put(bytes(self._pending[:CHUNK_BYTES]), is_last=False)
            del self._pending[:CHUNK_BYTES]
        return len(data)

    def _put(self, chunk: bytes, *, is_last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._number, is_last), chunk, None))
        self._number += 1

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is not None:
            self.give_up()
        self.close()

    def give_up(self) -> None:
        """Close it without an end: nobody can take for whole what is not."""
        self._file.close()
        self._pending.clear()

    def close(self) -> None:
        if self.closed:
            return
        try:
            if not self._file.closed:
                self._put(bytes(self._pending), is_last=True)
                self._file.flush()
                if self._sync:
                    os.fsync(self._file.fileno())
                self._file.close()
        finally:
            super().close()


class SealedReader(io.RawIOBase):
    """Decrypts `file`, which it closes. Any range can be read; what is returned has been authenticated.

    Raises:
        KeyMissing: the file's key is not in `keys`.
        Damaged: at once when the file's end is not its end, else when a damaged chunk is read.
    """

    def __init__(self, file: BinaryIO, keys: Keyring, name: str) -> None:
        self._file = file
        self._name = name
        head = file.read(HEAD_BYTES)
        identifier = key_id(head)
        if identifier is None:
            raise Damaged(name, "it does not begin as an encrypted file does")
        self._cipher = _cipher(keys.find(identifier, name), head)
        body = file.seek(0, os.SEEK_END) - HEAD_BYTES
        self._chunks = max(1, -(-body // _FRAME_BYTES))
        self.size = body - self._chunks * TAG_BYTES
        """Of the content, in bytes."""
        self._position = 0
        self._held = -1
        self._chunk = b""
        self._hold(self._chunks - 1)
        if not self._chunk and self._chunks > 1:
            raise Damaged(name, "its last part is empty")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise ValueError(f"negative seek position {base + offset}")
        self._position = base + offset
        return self._position

    def readinto(self, buffer) -> int:  # type: ignore[override]
        if self._position >= self.size:
            return 0
        number, offset = divmod(self._position, CHUNK_BYTES)
        self._hold(number)
        part = self._chunk[offset : offset + len(buffer)]
        buffer[: len(part)] = part
        self._position += len(part)
        return len(part)

    def _hold(self, number: int) -> None:
        if number == self._held:
            return
        self._file.seek(HEAD_BYTES + number * _FRAME_BYTES)
        frame = self._file.read(_FRAME_BYTES)
        try:
            self._chunk = self._cipher.decrypt(_nonce(number, number == self._chunks - 1), frame, None)
        except (InvalidTag, ValueError):  # ValueError: too short to have a tag
            raise Damaged(self._name, f"part {number + 1} of {self._chunks} is not what was written") from None
        self._held = number

    def close(self) -> None:
        self._file.close()
        super().close()
