"""What models cost beside each other: disk, memory and time, measured in one process, taking turns."""

from __future__ import annotations

import ctypes
import gc
import statistics
import time
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import psutil
from pydantic import BaseModel, Field

from models_service import samples, version_files
from models_service.compression.making import texts
from models_service.engines.pairs import Pair
from models_service.engines.reading import Reading
from models_service.formats.files import FormatError
from models_service.formats.squad import read_squad
from models_service.model_files import Kind, ModelUnusable, base_of
from models_service.opening import loaded
from models_service.registry import Model

BATCH = 64
ROUNDS = 3
SINGLES = 16
"""Inputs that are computed alone, in a round."""


class Costs(BaseModel):
    form: str = Field(description="the number format that it computes in here")
    disk_bytes: int = Field(description="of its files, and of those of the base that an adapter needs")
    memory_bytes: int = Field(description="that the process grew by when it was loaded, after it had computed once")
    milliseconds_alone: float = Field(description="of an input that is computed alone, the median")
    milliseconds_in_batch: float = Field(description=f"of an input among {BATCH}, the median")


def measured(models: Sequence[Model], folder: Path, data: Path | None) -> list[Costs]:
    """For each model its costs, on the same inputs. All stay loaded meanwhile, and take turns.

    Args:
        folder: the registry's, in which other forms of models are kept.
        data: where inputs are taken from; else they are the samples that a registration computes.

    Raises:
        ModelMissing, ModelUnusable: one cannot be loaded, or not be computed in the form that it asks for.
    """
    given = _inputs(models[0].kind, data)
    first = loaded(models[0], folder)  # what is loaded once for all models must not count as one's own
    first.run(given[:1])
    first.close()
    engines, memory = [], []
    for model in models:
        before = _resident()
        engine = loaded(model, folder)
        if model.form == "int8" != getattr(engine, "form", ""):
            raise ModelUnusable(f"{model.label} cannot be computed in int8 on this machine, or not close enough to "
                                "the exact one.")
        engine.run(given[:1])
        engines.append(engine)
        memory.append(max(0, _resident() - before))
    alone: list[list[float]] = [[] for _ in engines]
    together: list[list[float]] = [[] for _ in engines]
    for _ in range(ROUNDS):
        for number, engine in enumerate(engines):
            alone[number] += [_milliseconds(engine, [one]) for one in given[:SINGLES]]
            together[number].append(_milliseconds(engine, given) / len(given))
    found = [Costs(form=getattr(engine, "form", "float32"), disk_bytes=_disk(model.directory()), memory_bytes=held,
                   milliseconds_alone=round(statistics.median(one), 3),
                   milliseconds_in_batch=round(statistics.median(many), 3))
             for model, engine, held, one, many in zip(models, engines, memory, alone, together, strict=True)]
    for engine in engines:
        engine.close()
    return found


def _inputs(kind: Kind, data: Path | None) -> list[Any]:
    """So many as a batch has; again from the start when there are fewer."""
    own: list[Any] = []
    if data is not None and data.is_file():
        if kind in ("reader", "reranker"):
            asked = [(one.question, one.context) for one in read_squad(data)[:BATCH]]
            own = [Reading(*one) if kind == "reader" else Pair(*one) for one in asked]
        else:
            own = list(islice(texts([data]), BATCH))
        if not own:
            raise FormatError(f"{data.name} holds nothing to measure on")
    elif kind == "reader":
        own = list(samples.READINGS)
    elif kind == "reranker":
        own = [Pair(one.question, one.passage) for one in samples.READINGS]
    else:
        own = list(samples.TEXTS)
    return list(islice(cycle(own), BATCH))


def _milliseconds(engine: Any, given: Sequence[Any]) -> float:
    began = time.perf_counter()
    engine.run(given)
    return 1000 * (time.perf_counter() - began)


def _disk(folder: Path) -> int:
    base = base_of(folder)
    return version_files.size_of(folder) + (version_files.size_of(Path(base)) if base and Path(base).is_dir() else 0)


def _resident() -> int:
    """Bytes that this process holds, after what is free was given back to the system."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of the GNU C library
    if trim:
        trim(0)
    return psutil.Process().memory_info().rss
