"""In which number format a model computes here: bfloat16 where the hardware has it and the results agree."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
import torch

LEAST_AGREEMENT = 0.999
"""Cosine between what the model gives in bfloat16 and in float32."""
log = logging.getLogger(__name__)


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def has_bfloat16(where: torch.device) -> bool:
    """Whether bfloat16 is computed by the hardware; emulated it is slower than float32."""
    if where.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def quicken(model: torch.nn.Module, probe: Callable[[], np.ndarray], name: str) -> bool:
    """Turn the model's weights to bfloat16 where that is native and `probe` (rows of results) hardly changes.

    Returns whether it did. Otherwise the model is left in float32.
    """
    if not has_bfloat16(next(model.parameters()).device):
        return False
    exact = probe()
    kept = {key: value.clone() for key, value in model.state_dict().items()}
    model.to(torch.bfloat16)
    agreement = float(_cosines(exact, probe()).min())
    if agreement >= LEAST_AGREEMENT:
        log.info("%s computes in bfloat16 (agreement with float32: %.5f)", name, agreement)
        return True
    model.to(torch.float32)
    model.load_state_dict(kept)
    log.warning("%s stays in float32: in bfloat16 its results agree only %.5f", name, agreement)
    return False


def _cosines(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return (one * other).sum(axis=1) / np.maximum(norms, 1e-12)
