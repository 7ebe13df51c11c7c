"""Where other forms of a model are kept, and which form was chosen for this machine.

A model has a folder of its own under the cache, named after what it is made from, so that one whose weights change is
converted anew. A conversion appears there whole or not at all, whatever is killed when. Whenever a model is opened,
what was made from models that are there no more goes.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import ctranslate2
import torch
import transformers

from models_service.model_files import CARD_FILE, FORM_FILE, SAMPLES_FILE, TRANSLATOR_FILE
from models_service.version_files import kept_files, sha256, sync

NOT_CONVERTED = frozenset((CARD_FILE, FORM_FILE, SAMPLES_FILE, TRANSLATOR_FILE, "README.md"))
"""Files that say something of a model and change nothing of what it computes."""
_PLACE = re.compile(r"[0-9a-f]{20,32}")
log = logging.getLogger(__name__)


def place(cache: Path, *folders: Path) -> Path:
    """Where whatever is made of the model in these folders, an adapter's and its base's, is kept."""
    files = [(str(name), sha256(folder / name)) for folder in folders for name in kept_files(folder)
             if str(name) not in NOT_CONVERTED]
    kept = cache / _digest(ctranslate2.__version__, files)
    with suppress(OSError):  # whoever cannot write to the cache says so when there is something to be kept
        _tidy(cache, kept, [str(folder.resolve()) for folder in folders])
    return kept


def _tidy(cache: Path, kept: Path, folders: list[str]) -> None:
    """Write down, beside it, what `kept` is made from, and remove what nobody asks for any more: places of models
    whose folders are gone, and of other weights that lay in these folders before."""
    cache.mkdir(parents=True, exist_ok=True)
    _write(_made_from(kept), folders)  # before there is a place, which nobody then takes for a forgotten one
    there = {one.with_suffix("") for one in cache.iterdir() if _PLACE.fullmatch(one.stem)}
    for other in there - {kept}:
        try:
            told = json.loads(_made_from(other).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            told = []
        if not told or told == folders or not all(Path(folder).is_dir() for folder in told):
            log.info("%s is removed: the model that it was made from is not there any more", other)
            shutil.rmtree(other, ignore_errors=True)
            _made_from(other).unlink(missing_ok=True)


def _made_from(kept: Path) -> Path:
    return kept.with_suffix(".json")


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
    _write(_choice_file(kept), {"form": form})


def _write(file: Path, values: object) -> None:
    fresh = file.with_name(f".{file.name}.{uuid.uuid4().hex}")
    fresh.write_text(json.dumps(values) + "\n", encoding="utf-8")
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
