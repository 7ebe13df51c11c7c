"""How much memory a model will take, told from its files before it is loaded, and whether that much is left."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from models_service import metrics
from models_service.model_files import Kind, ModelUnusable, base_of, weight_bytes

SHARE_OF_FREE = 0.9
"""Of what is free when the service starts, where no limit is given; the rest is for requests and the libraries."""
BATCH_TOKENS = 4096
"""Of one batch on a CPU; the engines' own limit."""
CACHE_BYTES = 1_000_000_000
CACHE_BYTES_ON_A_CARD = 16_000_000_000
MOST_CACHE_TOKENS = 262_144
LEAST_CACHE_TOKENS = 2_048
"""Of all texts that a generator has in the making together, prompts included and padded to the longest of them."""
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
    cache: int = 0
    """What a generator keeps of the texts in the making."""

    @property
    def loading(self) -> int:
        return self.weights + self.copy + self.computing + self.cache

    @property
    def serving(self) -> int:
        return self.weights + self.computing + self.cache

    def __str__(self) -> str:
        parts = [f"weights {_mb(self.weights)}"]
        parts += [f"their copy while it loads {_mb(self.copy)}"] if self.copy else []
        parts += [f"the texts in the making {_mb(self.cache)}"] if self.cache else []
        return f"{' + '.join(parts)} + computing {_mb(self.computing)} = {_mb(self.loading)} MB"


def need(folder: Path, kind: Kind | None = None) -> Need:
    """Raises ModelUnusable when the files cannot be read."""
    weights = weight_bytes(folder)
    if kind == "generator":
        share = _number_bytes() / FLOAT_BYTES
        cache = cache_tokens(folder) * _token_bytes(_config(folder))
        return Need(int(share * weights), 0, _computing(folder), cache)
    return Need(weights, weights, _computing(folder))


def cache_tokens(folder: Path) -> int:
    """How many tokens a generator may have in the making: as many as take no more than a planned amount."""
    planned = CACHE_BYTES_ON_A_CARD if _on_a_card() else CACHE_BYTES
    return max(LEAST_CACHE_TOKENS, min(MOST_CACHE_TOKENS, planned // _token_bytes(_config(folder))))


def _token_bytes(config: dict[str, Any]) -> int:
    """A key and a value in each layer, and these twice: a step writes them anew before the old ones go."""
    hidden, heads, layers = (
        int(next((config[name] for name in names if config.get(name)), default)) for names, default in (
            (("hidden_size", "n_embd", "d_model"), 768), (("num_attention_heads", "n_head"), 12),
            (("num_hidden_layers", "n_layer"), 12),
        )
    )
    size = int(config.get("head_dim") or hidden // heads)
    return 2 * 2 * layers * int(config.get("num_key_value_heads") or heads) * size * _number_bytes()


def _number_bytes() -> int:
    """Of a generator's weights and cache: on a card they are in half precision."""
    return FLOAT_BYTES // 2 if _on_a_card() else FLOAT_BYTES


def _config(folder: Path) -> dict[str, Any]:
    base = base_of(folder)
    file = (Path(base) if base else folder) / "config.json"
    return json.loads(file.read_text()) if file.is_file() else {}


def _computing(folder: Path) -> int:
    """A layer's states for one batch: those between layers, the four of attention, and the wide one."""
    config = _config(folder)
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
        metrics.MEMORY_LIMIT.set(self.limit)

    @property
    def free(self) -> int:
        return self.limit - sum(self._held.values())

    def hold(self, label: str, amount: int) -> None:
        """Whoever loads asks `free` first; what must be there whatever the limit is held all the same."""
        self._held[label] = amount
        metrics.MEMORY_HELD.labels(label).set(amount)

    def let_go(self, label: str) -> None:
        if self._held.pop(label, None) is not None:
            metrics.MEMORY_HELD.remove(label)

    def refusal(self, label: str, wanted: Need) -> str:
        return (
            f"{label} does not fit into memory: {wanted}, and {_mb(max(self.free, 0))} of {_mb(self.limit)} MB are "
            "free. Start the model service with a higher --memory-mb, or serve fewer models."
        )


def _on_a_card() -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and torch.cuda.is_available()


def _free_now() -> int:
    """The card's where torch has one, else the machine's, or less where this container may have less."""
    if _on_a_card():
        return int(sys.modules["torch"].cuda.mem_get_info()[0])
    free = int(psutil.virtual_memory().available)
    group = Path("/sys/fs/cgroup")
    try:
        most = int((group / "memory.max").read_text())  # "max" where there is no limit
        return min(free, most - int((group / "memory.current").read_text()))
    except (OSError, ValueError):
        return free


def _mb(amount: int) -> str:
    return f"{amount / MB:.0f}"
