"""Where other forms of a model are kept, and which form was chosen for this machine.

A model has a folder of its own under the cache, named after what it is made from, so that one whose weights change is
converted anew. A conversion appears there whole or not at all, whatever is killed when.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import ctranslate2
import torch
import transformers

from models_service.model_files import CARD_FILE, SAMPLES_FILE, TRANSLATOR_FILE, kept_files, sha256, sync

NOT_CONVERTED = frozenset((CARD_FILE, SAMPLES_FILE, TRANSLATOR_FILE, "README.md"))
"""Files that say something of a model and change nothing of what it computes."""


def place(cache: Path, *folders: Path) -> Path:
    """Where whatever is made of the model in these folders, an adapter's and its base's, is kept."""
    made_from = [(str(name), sha256(folder / name)) for folder in folders for name in kept_files(folder)
                 if str(name) not in NOT_CONVERTED]
    return cache / _digest(ctranslate2.__version__, made_from)


def converted(target: Path, make: Callable[[Path], None]) -> Path:
    """The folder `target`, which `make` writes to the path that it is given, unless that was done before."""
    kept = target.parent
    kept.mkdir(parents=True, exist_ok=True)
    with _held(kept / ".lock"):
        for left in kept.glob(".new-*"):
            shutil.rmtree(left)
        if target.is_dir():
            return target
        fresh = kept / f".new-{uuid.uuid4().hex}"
        try:
            make(fresh)
            for file in fresh.iterdir():
                sync(file)
            os.rename(fresh, target)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        sync(kept)
    return target


def remembered(kept: Path) -> str | None:
    """The form that was chosen on such a machine. `kept` is the model's place."""
    try:
        found = json.loads(_choice_file(kept).read_text(encoding="utf-8"))["form"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, str) else None


def remember(kept: Path, form: str) -> None:
    """Of two processes that choose at once the later one's word stays; both are true."""
    kept.mkdir(parents=True, exist_ok=True)
    file = _choice_file(kept)
    fresh = file.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps({"form": form}) + "\n", encoding="utf-8")
    os.replace(fresh, file)


def _choice_file(kept: Path) -> Path:
    """Named after what a choice depends on beside the weights."""
    able = sorted(name for name, there in torch.cpu.get_capabilities().items() if there is True)
    card = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    versions = torch.__version__, transformers.__version__
    return kept / f"choice-{_digest(*versions, torch.get_num_threads(), card, able)}.json"


def _digest(*told: object) -> str:
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:20]


@contextmanager
def _held(file: Path) -> Iterator[None]:
    """Of several processes that need the same conversion one makes it; the others wait."""
    with file.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
