"""What a training would take, from a few of its steps: time, memory, disk. Nothing of what is computed is kept."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import torch
from pydantic import BaseModel, Field

from models_service.training.loop import Task, peak_memory, pick_precision
from models_service.training.optimizing import make_optimizer, steps_of, take_step
from models_service.training.settings import LoopSettings

if TYPE_CHECKING:
    from models_service.training.private import PrivateTraining  # it loads opacus

STEPS = 5
NUMBERS_A_WEIGHT = 3
"""A trained weight is kept with two running means of its gradient."""


class Measured(BaseModel):
    examples: int = Field(description="seen in all steps; a long text counts once a window")
    steps: int
    parameters: int = Field(description="numbers that are trained")
    seconds_per_step: float
    seconds: float = Field(description="of all steps and of what is computed before the first one, without loading "
                           "and evaluation")
    memory_bytes: int = Field(description="at its peak, the largest batch included")
    disk_bytes: int = Field(description="checkpoint (two while one replaces the other) and model")


def measure(task: Task, settings: LoopSettings) -> Measured:
    """Take the largest batch, for the memory, and a few drawn at random, for the time."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    dtype = pick_precision(settings.precision, device)
    model = task.model.to(device).train()
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = make_optimizer(trained, settings)
    steps = steps_of(task, settings)
    total = len(steps)
    largest = max((batch for batches in steps for batch in batches), key=task.cost)
    private: PrivateTraining | None = getattr(task, "private", None)

    def take(batches: list[list[int]]) -> None:
        if private:
            private.take_step(task, 0, sorted(row for batch in batches for row in batch), device, dtype, optimizer)
        else:
            take_step(task, batches, device, dtype, optimizer, settings)

    take([largest])
    drawn = random.Random(settings.seed).sample(steps, min(STEPS, total))
    began = time.monotonic()
    for batches in drawn:
        take(batches)
    each = (time.monotonic() - began) / len(drawn)
    seconds_before = task.seconds_to_prepare() if hasattr(task, "seconds_to_prepare") else 0.0
    parameters = sum(p.numel() for p in trained)
    checkpoint = 4 * NUMBERS_A_WEIGHT * parameters
    whole = 4 * sum(p.numel() for p in model.parameters())
    return Measured(
        examples=sum(len(batch) for batches in steps for batch in batches),
        steps=total, parameters=parameters, seconds_per_step=round(each, 4),
        seconds=round(each * total + seconds_before, 1), memory_bytes=peak_memory(device),
        disk_bytes=2 * checkpoint + whole,
    )
