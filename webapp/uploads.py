"""A file on its way in: written to disk as it arrives, encrypted where there is a key.

It is refused when it is empty or larger than the site takes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.utils.translation import gettext as _

from models_service.sealed import files
from webapp.errors import BadInput, TooLarge

MOST_NAME_CHARACTERS = 255
"""What a row holds of a file's name."""
_MOST_ENDING_CHARACTERS = 20


class Received(NamedTuple):
    size: int
    sha256: str


def receive(chunks: Iterable[bytes], target: Path, name: str, field: str = "file") -> Received:
    """Write the file to `target`. `field` is the one that an error is about."""
    digest, size = hashlib.sha256(), 0
    with files.open_write(target) as out:
        for chunk in chunks:
            size += len(chunk)
            if size > settings.MAX_UPLOAD_BYTES:
                limit = settings.MAX_UPLOAD_BYTES // 1_000_000
                raise TooLarge(_("%(name)s is larger than %(limit)s MB, the most that this site takes. Split it.")
                               % {"name": name, "limit": limit})
            digest.update(chunk)
            out.write(chunk)
    if not size:
        raise BadInput(_("%(name)s is empty.") % {"name": name}, field)
    return Received(size, digest.hexdigest())


def plain_name(name: str, otherwise: str) -> str:
    """The file's own name without folders or control characters, cut to what a row holds, its ending kept.

    Args:
        otherwise: what a file is called of whose name nothing is left.
    """
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    plain = "".join(character for character in last if character.isprintable()).strip()
    if len(plain) > MOST_NAME_CHARACTERS:
        stem, dot, ending = plain.rpartition(".")
        kept = dot + ending if dot and len(ending) < _MOST_ENDING_CHARACTERS else ""
        plain = (stem if kept else plain)[: MOST_NAME_CHARACTERS - len(kept)] + kept
    return plain or otherwise
