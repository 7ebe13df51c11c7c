"""How much memory a model will take, told from its files before it is loaded, and whether that much is left."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from models_service import metrics
from models_service.model_files import Kind, ModelUnusable, base_of, inner_weight_bytes, weight_bytes

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
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
QUANTIZED_BYTES: dict[str, float] = {"int8": 1.01, "nf4": 0.52}
"""Of one weight of a generator, with its share of the scales."""
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


def need(folder: Path, kind: Kind | None = None, dtype: str = "auto") -> Need:
    """Raises ModelUnusable when the files cannot be read. `dtype` is a generator's."""
    weights = weight_bytes(folder)
    if kind == "generator":
        cache = cache_tokens(folder, dtype) * _token_bytes(_config(folder), dtype)
        return Need(_generator_weights(folder, weights, dtype), 0, _computing(folder), cache)
    return Need(weights, weights, _computing(folder))


def _generator_weights(folder: Path, weights: int, dtype: str) -> int:
    inner = inner_weight_bytes(folder) if dtype in QUANTIZED_BYTES else 0
    whole = (weights - inner) * _number_bytes(dtype) + inner * QUANTIZED_BYTES.get(dtype, 0)
    return int(whole / FLOAT_BYTES)


def cache_tokens(folder: Path, dtype: str = "auto") -> int:
    """How many tokens a generator may have in the making: as many as take no more than a planned amount."""
    planned = CACHE_BYTES_ON_A_CARD if _on_a_card() else CACHE_BYTES
    return max(LEAST_CACHE_TOKENS, min(MOST_CACHE_TOKENS, planned // _token_bytes(_config(folder), dtype)))


def _token_bytes(config: dict[str, Any], dtype: str = "auto") -> int:
    """A key and a value in each layer, and these twice: a step writes them anew before the old ones go."""
    hidden, heads, layers = (
        int(next((config[name] for name in names if config.get(name)), default)) for names, default in (
            (("hidden_size", "n_embd", "d_model"), 768), (("num_attention_heads", "n_head"), 12),
            (("num_hidden_layers", "n_layer"), 12),
        )
    )
    size = int(config.get("head_dim") or hidden // heads)
    return 2 * 2 * layers * int(config.get("num_key_value_heads") or heads) * size * _number_bytes(dtype)


def _number_bytes(dtype: str = "auto") -> int:
    """Of a generator's cache, and of its weights that are not quantized: by itself half precision on a card."""
    return BYTES.get(dtype) or (FLOAT_BYTES // 2 if _on_a_card() else FLOAT_BYTES)


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
