"""An exponential running mean of the weights, which translates better than the last step's weights do.

Polyak and Juditsky 1992; in place of the averaged checkpoints of Vaswani et al. 2017, section 6.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch


class RunningMean:
    """Of no weights at all when `decay` is 0."""

    def __init__(self, trained: Mapping[str, torch.nn.Parameter], decay: float) -> None:
        self._trained = dict(trained) if decay else {}
        self._decay = decay
        self.values = {name: p.detach().clone() for name, p in self._trained.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """After step `step`, counted from 0. The first steps weigh less, or the start would stay in the mean."""
        if self.values:
            decay = min(self._decay, (1 + step) / (10 + step))
            torch._foreach_lerp_(list(self.values.values()), list(self._trained.values()), 1 - decay)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The mean stands where the weights are, while the block lasts."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        for name, p in self._trained.items():
            kept = p.detach().clone()
            p.copy_(self.values[name])
            self.values[name].copy_(kept)
