"""Single lines, encrypted each by itself: for a file that is added to and that a kill may cut off anywhere.

A line stands for itself: lines that are left out or change places are not noticed. Without a key it stays as it is.
"""

from __future__ import annotations

import base64
import binascii
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from models_service.sealed.errors import Damaged
from models_service.sealed.keys import ID_BYTES, Key, keyring

_MARK = "sealed:"
_SALT_BYTES, _NONCE = 32, bytes(12)
"""Each line has a key of its own, by its salt, which is used once: so its nonce may be nought."""


def key_of_line(line: str) -> str | None:
    """The id of the key that the line is encrypted with; None when it is not encrypted."""
    return line[len(_MARK) :].partition(":")[0] if line.startswith(_MARK) else None


def seal_line(text: str) -> str:
    """`text` as one line that only the first key's holder reads."""
    key = keyring().first
    if key is None:
        return text
    salt = secrets.token_bytes(_SALT_BYTES)
    sealed = salt + _cipher(key, salt).encrypt(_NONCE, text.encode("utf-8"), None)
    return f"{_MARK}{key.id}:{base64.b64encode(sealed).decode()}"


def open_line(line: str) -> str:
    """What was sealed; a line that never was is given back. Raises KeyMissing, Damaged."""
    identifier = key_of_line(line)
    if identifier is None:
        return line
    key = keyring().find(identifier, "a line")
    try:
        raw = base64.b64decode(line[len(_MARK) + 2 * ID_BYTES + 1 :], validate=True)
        salt = raw[:_SALT_BYTES]
        return _cipher(key, salt).decrypt(_NONCE, raw[_SALT_BYTES:], None).decode("utf-8")
    except (InvalidTag, ValueError, binascii.Error):
        raise Damaged("a line", "it is not what was written") from None


def _cipher(key: Key, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt, b"wenda: key of a line").derive(key.secret))
