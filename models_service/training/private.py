"""Differentially private training of rows (DP-SGD, Abadi et al. 2016, algorithm 1).

Each step draws every row independently with the same probability, cuts each drawn row's gradient to `clip_norm`, adds
Gaussian noise to their sum and divides by the number of rows that is expected. What one row can change is bounded
so, whichever it is, and opacus' accountant (Rényi DP of the subsampled Gaussian, Mironov et al. 2019) tells the
epsilon. Two data sets are neighbours when one has one row more.

Rows go through the model one by one. Hooks that take all gradients of a batch at once go wrong where a layer sees no
batch dimension, as the position embeddings of BERT do, and on a CPU they are hardly quicker.
"""

from __future__ import annotations

import secrets
import warnings
from typing import Any, Protocol

import numpy as np
import torch
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from opacus.accountants import RDPAccountant
from opacus.accountants.utils import get_noise_multiplier

from models_service.training.settings import LoopSettings

ORDERS = [*RDPAccountant.DEFAULT_ALPHAS, 80, 96, 128, 192, 256, 512, 1024]
"""Of the Rényi divergence; much noise is best told by high ones."""
TOLERANCE = 0.005
"""By how much the noise may stay below the epsilon that is asked for."""
SAMPLING, NOISE, DROPOUT = b"samp", b"nois", b"drop"


class OfRows(Protocol):
    """What a private step needs of a recipe's task."""

    def loss(self, batch: list[int], device: torch.device) -> torch.Tensor: ...


class PrivateTraining:
    """Of so many rows: how many steps there are, which rows each takes, how the weights move.

    `secret` decides draws and noise; who knew it could take the noise out again. It is not the seed that everybody
    sees, and it leaves the memory only for the checkpoint of a run that is not over.

    Raises:
        ValueError: delta is too large for so few rows, or so small an epsilon cannot be had.
    """

    def __init__(self, rows: int, settings: LoopSettings, epsilon: float, delta: float | None) -> None:
        self.rows, self._clip, self._l1 = rows, settings.clip_norm, settings.l1
        self.expected = min(settings.batch_size, rows)
        self.rate = self.expected / rows
        steps = max(1, round(settings.epochs * rows / self.expected))
        self.steps = min(steps, settings.max_steps or steps)
        self.delta = delta or 1 / (10 * rows)
        if self.delta >= 1 / rows:
            raise ValueError(f"private_delta is {self.delta:g}, and the data has {rows} rows: it must be below "
                             f"{1 / rows:.2g}, or the promise would allow to give a whole row away")
        try:
            self.noise = noise_for(epsilon, self.delta, self.rate, self.steps)
        except ValueError:
            raise ValueError(f"an epsilon of {epsilon:g} cannot be had in {self.steps} steps: ask for a larger "
                             "private_epsilon, or for fewer epochs") from None
        self.secret = secrets.token_bytes(32)

    def epsilon(self, steps: int) -> float:
        """Spent when so many steps are done."""
        return epsilon_of(self.noise, self.delta, self.rate, steps)

    def promise(self) -> dict[str, Any]:
        """For the model's card."""
        return {"epsilon": round(self.epsilon(self.steps), 4), "delta": self.delta, "unit": "one row of the data",
                "noise_multiplier": self.noise, "clip_norm": self._clip, "sampling_rate": self.rate,
                "steps": self.steps, "accountant": "RDP"}

    def batch(self, step: int) -> list[int]:
        """The rows of a step: each is drawn with the same probability, whatever the others are; perhaps none."""
        drawn = np.frombuffer(self._stream(SAMPLING, step, 8 * self.rows), np.uint64)
        return np.flatnonzero((drawn >> 11) * 2.0**-53 < self.rate).tolist()

    def take_step(
        self, task: OfRows, step: int, batch: list[int], device: torch.device, dtype: torch.dtype,
        optimizer: torch.optim.Optimizer,
    ) -> tuple[float, float]:
        """The weights moved once. Returns the rows' mean loss and mean gradient norm before clipping; 0 without rows.

        A row whose gradient is not finite counts as none.
        """
        trained = optimizer.param_groups[0]["params"]
        total = [torch.zeros_like(p) for p in trained]
        losses = norms = 0.0
        # A seed a row: with one stream for all, a row more would change the dropout of every row after it.
        seeds = np.frombuffer(self._stream(DROPOUT, step, 8 * self.rows), np.int64)
        for row in batch:
            torch.manual_seed(int(seeds[row]))
            with torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32):
                loss = task.loss([row], device)
            loss.backward()
            norm = self._add_clipped(trained, total)
            losses, norms = losses + loss.item(), norms + norm
        noise = self._normal(step, sum(p.numel() for p in trained))
        for p, summed, drawn in zip(trained, total, noise.split([p.numel() for p in trained]), strict=True):
            summed.add_(drawn.view_as(p).to(device=p.device, dtype=p.dtype), alpha=self.noise * self._clip)
            p.grad = summed.div_(self.expected)
            if self._l1:
                p.grad.add_(p.detach().sign(), alpha=self._l1)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return losses / max(1, len(batch)), norms / max(1, len(batch))

    def _add_clipped(self, trained: list[torch.nn.Parameter], total: list[torch.Tensor]) -> float:
        """Add the gradients that there are, all together no longer than the bound; their norm before."""
        found = [(summed, p.grad) for summed, p in zip(total, trained, strict=True) if p.grad is not None]
        norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(grad.float()) for _, grad in found]))
        if torch.isfinite(norm):
            for summed, grad in found:
                summed.add_(grad * torch.clamp(self._clip / (norm + 1e-6), max=1.0))
        for p in trained:
            p.grad = None
        return norm.item() if torch.isfinite(norm) else 0.0

    def _normal(self, step: int, count: int) -> torch.Tensor:
        """Standard normal numbers (Box and Muller 1958) of a stream cipher: torch's own generator on a CPU knows but
        2^32 seeds, which can be tried."""
        half = (count + 1) // 2
        bits = np.frombuffer(self._stream(NOISE, step, 16 * half), np.uint64)
        share = ((bits >> 11) + 0.5) * 2.0**-53
        radius, angle = np.sqrt(-2 * np.log(share[:half])), 2 * np.pi * share[half:]
        return torch.from_numpy(np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])[:count])

    def _stream(self, purpose: bytes, step: int, count: int) -> bytes:
        """So many random bytes, always the same of a secret, a purpose and a step."""
        nonce = bytes(4) + step.to_bytes(8, "little") + purpose
        return Cipher(ChaCha20(self.secret, nonce), mode=None).encryptor().update(bytes(count))


def noise_for(epsilon: float, delta: float, rate: float, steps: int) -> float:
    """The least noise multiplier that keeps to epsilon."""
    with _no_hints():
        return get_noise_multiplier(target_epsilon=epsilon, target_delta=delta, sample_rate=rate, steps=steps,
                                    accountant="rdp", epsilon_tolerance=min(TOLERANCE, epsilon / 100), alphas=ORDERS)


def epsilon_of(noise: float, delta: float, rate: float, steps: int) -> float:
    if not steps:
        return 0.0
    accountant = RDPAccountant()
    accountant.history = [(noise, rate, steps)]
    with _no_hints():
        return float(accountant.get_epsilon(delta, alphas=ORDERS))


def _no_hints() -> warnings.catch_warnings:
    """opacus advises more orders whenever the last or the first was best; the epsilon holds all the same."""
    return warnings.catch_warnings(action="ignore", category=UserWarning)
