"""Which keys the stored files were encrypted with, noted in the data folder, and whether they are all here.

Only ids are noted; `encryption-keys.json` tells nothing of the keys.
"""

from __future__ import annotations

import json
from pathlib import Path

from django.conf import settings

from models_service.sealed.errors import BadKey
from models_service.sealed.keys import keyring


def note_first_key() -> None:
    """From now on files are encrypted with it. Where there is no key nothing is noted."""
    try:
        first = keyring().first
    except BadKey:  # the start is refused with a sentence
        return
    if first is not None and first.id not in noted():
        note([*noted(), first.id])


def noted() -> list[str]:
    """Ids of the keys that files may be encrypted with."""
    try:
        return json.loads(_file().read_text())
    except FileNotFoundError:
        return []


def note(ids: list[str]) -> None:
    fresh = _file().with_suffix(".new")
    fresh.write_text(json.dumps(ids))
    fresh.replace(_file())


def state() -> str:
    """"ok", or a sentence that says which key is missing."""
    try:
        known = {key.id for key in keyring().keys}
    except BadKey as problem:
        return str(problem)
    missing = [key for key in noted() if key not in known]
    if not missing:
        return "ok"
    return (f"files are encrypted with the key {', '.join(missing)}, which is not in WENDA_ENCRYPTION_KEY: add it "
            "after the others, with a comma, and restart; once `manage.py rotate_key` has run, it is not needed any "
            "more")


def _file() -> Path:
    return settings.DATA_DIR / "encryption-keys.json"
