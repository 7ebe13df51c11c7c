"""Where a model computes here, whether bfloat16 is native there, and how far two results agree."""

from __future__ import annotations

import numpy as np
import torch


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def has_bfloat16(where: torch.device) -> bool:
    """Whether bfloat16 is computed by the hardware; emulated it is slower than float32."""
    if where.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def agreement(one: np.ndarray, other: np.ndarray) -> float:
    """The smallest cosine between a row of the one and the same row of the other."""
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return float(((one * other).sum(axis=1) / np.maximum(norms, 1e-12)).min())
