"""One step of any training: the optimizers, the schedules of their rate, how a step's batches move the weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import torch

from models_service.training.settings import LoopSettings

MOMENTUM = 0.9
"""Of SGD."""


class Trainable(Protocol):
    """What a step needs of a recipe's task."""

    batches: list[list[int]]

    def loss(self, batch: list[int], device: torch.device) -> torch.Tensor: ...


def steps_of(task: Trainable, settings: LoopSettings) -> list[list[list[int]]]:
    """The batches of each step, `accumulation` of them; the last step may have fewer."""
    size = settings.accumulation
    steps = [task.batches[first : first + size] for first in range(0, len(task.batches), size)]
    return steps[: settings.max_steps]


def make_optimizer(trained: Iterable[torch.nn.Parameter], settings: LoopSettings) -> torch.optim.Optimizer:
    rate, decay = settings.learning_rate, settings.weight_decay
    if settings.optimizer == "adafactor":
        return torch.optim.Adafactor(trained, lr=rate, weight_decay=decay)
    if settings.optimizer == "sgd":
        return torch.optim.SGD(trained, lr=rate, weight_decay=decay, momentum=MOMENTUM)
    return torch.optim.AdamW(trained, lr=rate, weight_decay=decay, betas=(0.9, settings.beta2))


def rate_schedule(total: int, settings: LoopSettings) -> Callable[[int], float]:
    """The share of the peak rate at each step, from 0: it rises over the warm-up, then falls to 0 or stays."""
    rise = max(1, round(total * settings.warmup))

    def share(step: int) -> float:
        if step < rise or settings.schedule == "constant":
            return min((step + 1) / rise, 1.0)
        left = max(0.0, (total - step) / max(1, total - rise))
        return left if settings.schedule == "linear" else (1 - math.cos(math.pi * left)) / 2

    return share


def take_step(
    task: Trainable, batches: Sequence[list[int]], device: torch.device, dtype: torch.dtype,
    optimizer: torch.optim.Optimizer, settings: LoopSettings,
) -> tuple[float, float]:
    """The batches forward and back, and the weights moved once, by the mean of their gradients.

    Returns the mean loss, without the L1 penalty, and the gradients' norm before clipping.
    """
    total = 0.0
    for batch in batches:
        with torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32):
            loss = task.loss(batch, device)
        (loss / len(batches)).backward()
        total += loss.item()
    trained = optimizer.param_groups[0]["params"]
    if settings.l1:
        for parameter in trained:
            if parameter.grad is not None:
                parameter.grad.add_(parameter.detach().sign(), alpha=settings.l1)
    norm = torch.nn.utils.clip_grad_norm_(trained, settings.clip_norm)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return total / len(batches), norm.item()
