"""A file on its way in: written to disk as it arrives, refused when it is empty or larger than the site takes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from webapp.errors import BadInput, TooLarge


def receive(chunks: Iterable[bytes], target: Path, name: str) -> int:
    """Write the file to `target`; its size in bytes."""
    size = 0
    with target.open("wb") as out:
        for chunk in chunks:
            size += len(chunk)
            if size > settings.MAX_UPLOAD_BYTES:
                limit = settings.MAX_UPLOAD_BYTES // 1_000_000
                raise TooLarge(_("%(name)s is larger than %(limit)s MB, the most that this site takes. Split it.")
                               % {"name": name, "limit": limit})
            out.write(chunk)
    if not size:
        raise BadInput(_("%(name)s is empty.") % {"name": name}, "file")
    return size


def plain_name(name: str) -> str:
    """The file's own name without folders or control characters, cut to what the row holds."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(character for character in last if character.isprintable()).strip()[-255:] or "data.json"
