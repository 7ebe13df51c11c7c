"""What an evaluation is asked for, and what a task says of itself. One file beside this one measures one kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models_service.evaluation.report import Report
from models_service.evaluation.summary_length import Length


def _no_progress(done: int, of: int) -> None:
    """Nobody watches."""


def _keep_nothing(row: dict[str, Any]) -> None:
    """Only the whole is wanted."""


@dataclass(frozen=True)
class Order:
    """One evaluation to be made. `models_folder` holds the registry."""

    data: Path
    model: str
    models_folder: Path
    limit: int | None = None
    source: str | None = None
    target: str | None = None
    length: Length | None = None
    reranker: str | None = None
    baselines: bool | None = None
    progress: Callable[[int, int], None] = field(default=_no_progress)
    keep: Callable[[dict[str, Any]], None] = field(default=_keep_nothing)
    """Given each example's result, in the data's order: what was asked, expected and given, and its own metrics."""


@dataclass(frozen=True)
class Task:
    """`run` raises FormatError, ModelMissing, ModelUnusable, ModelsError, each with a sentence for a person."""

    told: str
    """What it measures, in a few words."""
    data: str
    """The format of its data, in a few words."""
    model: str
    """The registry name of the model that is measured unless another is named."""
    run: Callable[[Order], Report]
    needs: tuple[str, ...] = ()
    """Options that must be given, of: source, target, length, reranker, baselines."""
    takes: tuple[str, ...] = ()
    """Options that may be given."""
