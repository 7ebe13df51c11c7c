"""How much memory a model will take, told from its files before it is loaded, and whether that much is left."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

from models_service.model_files import ModelUnusable, base_of, weight_bytes

SHARE_OF_FREE = 0.9
"""Of what is free when the service starts, where no limit is given; the rest is for requests and the libraries."""
BATCH_TOKENS = 4096
"""Of one batch on a CPU; the engines' own limit."""
FLOAT_BYTES = 4
MB = 1_000_000


class NoRoom(ModelUnusable):
    """The model does not fit beside those that are loaded; the sentence shows the sum."""


@dataclass(frozen=True)
class Need:
    """Bytes. `copy` is held only while the model is loaded: its number format is chosen by comparing two."""

    weights: int
    copy: int
    computing: int

    @property
    def loading(self) -> int:
        return self.weights + self.copy + self.computing

    @property
    def serving(self) -> int:
        return self.weights + self.computing

    def __str__(self) -> str:
        return (
            f"weights {_mb(self.weights)} + their copy while it loads {_mb(self.copy)} + computing "
            f"{_mb(self.computing)} = {_mb(self.loading)} MB"
        )


def need(folder: Path) -> Need:
    """Raises ModelUnusable when the files cannot be read."""
    weights = weight_bytes(folder)
    return Need(weights, weights, _computing(folder))


def _computing(folder: Path) -> int:
    """A layer's states for one batch: those between layers, the four of attention, and the wide one."""
    base = base_of(folder)
    file = (Path(base) if base else folder) / "config.json"
    config = json.loads(file.read_text()) if file.is_file() else {}
    hidden = int(config.get("hidden_size") or config.get("d_model") or 768)
    named = (config.get(name) for name in ("intermediate_size", "encoder_ffn_dim", "d_ff"))
    wide = int(next((size for size in named if size), 4 * hidden))
    return FLOAT_BYTES * BATCH_TOKENS * (6 * hidden + 2 * wide)


class Budget:
    """What the loaded models may take together, and what each of them holds of it."""

    def __init__(self, limit: int | None = None) -> None:
        """`limit` in bytes; by default most of what is free now, on the card where there is one."""
        self.limit = limit if limit is not None else int(SHARE_OF_FREE * _free_now())
        self._held: dict[str, int] = {}

    @property
    def free(self) -> int:
        return self.limit - sum(self._held.values())

    def hold(self, label: str, amount: int) -> None:
        """Whoever loads asks `free` first; what must be there whatever the limit is held all the same."""
        self._held[label] = amount

    def let_go(self, label: str) -> None:
        self._held.pop(label, None)

    def refusal(self, label: str, wanted: Need) -> str:
        return (
            f"{label} does not fit into memory: {wanted}, and {_mb(max(self.free, 0))} of {_mb(self.limit)} MB are "
            "free. Start the model service with a higher --memory-mb, or serve fewer models."
        )


def _free_now() -> int:
    """The card's where torch has one, else the machine's, or less where this container may have less."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        return int(torch.cuda.mem_get_info()[0])
    free = int(psutil.virtual_memory().available)
    group = Path("/sys/fs/cgroup")
    try:
        most = int((group / "memory.max").read_text())  # "max" where there is no limit
        return min(free, most - int((group / "memory.current").read_text()))
    except (OSError, ValueError):
        return free


def _mb(amount: int) -> str:
    return f"{amount / MB:.0f}"
