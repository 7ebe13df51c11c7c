"""The keys: 32 random bytes each, from the environment or a file that it names. The first writes, all read.

A key's id is derived from it, so that a file can say which key it needs without telling anything of it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from models_service.sealed.errors import BadKey, KeyMissing

VARIABLE = "WENDA_ENCRYPTION_KEY"
FILE_VARIABLE = "WENDA_ENCRYPTION_KEY_FILE"
KEY_BYTES = 32
ID_BYTES = 8


@dataclass(frozen=True)
class Key:
    """`id` is 16 hex digits."""

    id: str
    secret: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: bytes) -> Key:
        return cls(hmac.digest(secret, b"wenda: id of a key", hashlib.sha256)[:ID_BYTES].hex(), secret)


@dataclass(frozen=True)
class Keyring:
    keys: tuple[Key, ...] = ()

    @property
    def first(self) -> Key | None:
        """The one that writes; None when files are written as they are."""
        return self.keys[0] if self.keys else None

    def find(self, key_id: str, name: str) -> Key:
        """The key of this id, for the file `name`. Raises KeyMissing."""
        for key in self.keys:
            if key.id == key_id:
                return key
        raise KeyMissing(name, key_id)


def keyring(environment: Mapping[str, str] | None = None) -> Keyring:
    """The keys of the environment; none when there is none. Raises BadKey."""
    environment = os.environ if environment is None else environment
    text, file = (environment.get(name, "").strip() for name in (VARIABLE, FILE_VARIABLE))
    if text and file:
        raise BadKey(f"{VARIABLE} and {FILE_VARIABLE} are both set; empty one of them.")
    if not file:
        return _parsed(text, VARIABLE)
    try:
        return _parsed(Path(file).read_text("utf-8"), FILE_VARIABLE)
    except OSError as error:
        raise BadKey(f"{FILE_VARIABLE} is {file}, which cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise BadKey(f"{FILE_VARIABLE} is {file}, which is no text; write keys in base64.") from None


@lru_cache(maxsize=8)
def _parsed(text: str, name: str) -> Keyring:
    keys = [Key.of(_decoded(part, number, name))
            for number, part in enumerate(filter(None, re.split(r"[,\s]+", text)), start=1)]
    if name == FILE_VARIABLE and not keys:
        raise BadKey(f"{name} names a file without a key; write one into it, as `openssl rand -base64 32` prints.")
    if len({key.id for key in keys}) < len(keys):
        raise BadKey(f"{name} has the same key twice; write it once.")
    return Keyring(tuple(keys))


def _decoded(text: str, number: int, name: str) -> bytes:
    try:
        raw = bytes.fromhex(text) if len(text) == 2 * KEY_BYTES else base64.b64decode(
            text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
    except (ValueError, binascii.Error):
        raw = b""
    if len(raw) != KEY_BYTES or len(set(raw)) < 8:  # no random one has so few different bytes
        raise BadKey(f"Key {number} of {name} is none: write 32 random bytes in base64, as "
                     "`openssl rand -base64 32` prints them.")
    return raw


def one_time() -> Keyring:
    """A key that is gone with this process."""
    return Keyring((Key.of(secrets.token_bytes(KEY_BYTES)),))


def without_keys(environment: Mapping[str, str]) -> dict[str, str]:
    """For a child that reads what a stranger made: what breaks it must not find the keys."""
    return {name: value for name, value in environment.items() if name not in (VARIABLE, FILE_VARIABLE)}
