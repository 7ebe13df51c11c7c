"""The training loop that every recipe shares: schedule, clipping, checkpoints, resume, progress, cancel.

It sees a model, an ordered list of batches and a loss; it knows nothing of text. Batches and every random choice
are functions of (seed, step), so a run that resumes from step n continues exactly as if it had not stopped.
"""

from __future__ import annotations

import resource
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

import torch

from models_service.training.checkpoint import TrainingState
from models_service.training.run_folder import RunFolder
from models_service.training.running_mean import RunningMean
from models_service.training.settings import LoopSettings

REPORT_STEPS = 20
"""Between two points of the curves, at most."""
POINTS_OF_A_SHORT_RUN = 60


class Task(Protocol):
    """What a recipe gives the loop."""

    model: torch.nn.Module
    batches: list[list[int]]

    def cost(self, batch: list[int]) -> int: ...  # what the memory that a step takes grows with
    def loss(self, batch: list[int], device: torch.device) -> torch.Tensor: ...
    def evaluate(self) -> dict[str, float]: ...
    def save(self, run: RunFolder) -> None: ...


class Stopped(Exception):
    """The run was asked to stop; its checkpoint is saved."""


def pick_precision(wanted: str, device: torch.device) -> torch.dtype:
    """bfloat16 where the device has instructions for it (on CPU avx512_bf16), else float32."""
    if wanted != "auto":
        return getattr(torch, wanted)
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    return torch.bfloat16 if torch.cpu.get_capabilities().get("avx512_bf16") else torch.float32


def train(task: Task, settings: LoopSettings, run: RunFolder) -> dict[str, float]:
    """Train to the end, or resume to it; returns the last evaluation's metrics.

    Raises:
        Stopped: SIGTERM or SIGINT arrived. The state is saved; the same call goes on from it.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    dtype = pick_precision(settings.precision, device)
    model = task.model.to(device)
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    optimizer = make_optimizer(trained.values(), settings)
    mean = RunningMean(trained, settings.averaging)
    total = min(len(task.batches), settings.max_steps or len(task.batches))
    rate = _linear_schedule(total, settings.warmup)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    state = TrainingState(trained, optimizer, scheduler, mean)
    start = state.resume(run)
    run.say(
        f"{total} steps, {sum(p.numel() for p in trained.values()):,} trained parameters, {device} in {dtype}"
        + (f", resumed at step {start}" if start else "")
    )
    run.event(started=True, step=start, steps=total, device=str(device))
    window = _Window()
    saved_at = time.monotonic()
    report_every = max(1, min(REPORT_STEPS, total // POINTS_OF_A_SHORT_RUN))
    with _stop_requests() as stop:
        for step in range(start, total):
            batch = task.batches[step]
            model.train()
            torch.manual_seed(settings.seed + step)  # for dropout
            loss, norm = take_step(task, batch, device, dtype, optimizer, settings.clip_norm)
            scheduler.step()
            mean.update(step)
            window.add(loss, norm, len(batch))
            done = step + 1
            if done % report_every == 0 or done == total:
                run.event(step=done, steps=total, learning_rate=scheduler.get_last_lr()[0],
                          memory_bytes=peak_memory(device), **window.take())
            evaluates = done % settings.evaluate_every == 0 and done < total
            if evaluates or stop.requested or time.monotonic() - saved_at > settings.checkpoint_seconds:
                state.save(run, done)
                saved_at = time.monotonic()
            if stop.requested:
                run.say(f"stopped at step {done} of {total}; the checkpoint is kept")
                raise Stopped
            if evaluates:
                with mean.in_place():
                    metrics = _evaluate(task, stop, run, done)
                _report(run, done, total, metrics, window)
        state.save(run, total)
        with mean.in_place():
            metrics = _evaluate(task, stop, run, total)
            _report(run, total, total, metrics, window)
            task.save(run)
    return metrics


def make_optimizer(trained: Iterable[torch.nn.Parameter], settings: LoopSettings) -> torch.optim.Optimizer:
    return torch.optim.AdamW(
        trained, lr=settings.learning_rate, weight_decay=settings.weight_decay, betas=(0.9, settings.beta2)
    )


def take_step(
    task: Task, batch: list[int], device: torch.device, dtype: torch.dtype, optimizer: torch.optim.Optimizer,
    clip_norm: float,
) -> tuple[float, float]:
    """One batch forward and back, and the weights moved; its loss and the gradients' norm before clipping."""
    with torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32):
        loss = task.loss(batch, device)
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(optimizer.param_groups[0]["params"], clip_norm)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return loss.item(), norm.item()


def peak_memory(device: torch.device) -> int:
    """Bytes: of the GPU where there is one, else of this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _evaluate(task: Task, stop: _Stop, run: RunFolder, step: int) -> dict[str, float]:
    """The checkpoint of this step is saved, so a request to stop need not wait for the evaluation's end."""
    try:
        with stop.at_once():
            return task.evaluate()
    except Stopped:
        run.say(f"stopped while evaluating at step {step}; the checkpoint is kept")
        raise


def _linear_schedule(total: int, warmup: float) -> Callable[[int], float]:
    rise = max(1, round(total * warmup))
    return lambda step: min((step + 1) / rise, max(0.0, (total - step) / max(1, total - rise)))


def _report(run: RunFolder, step: int, total: int, metrics: dict[str, float], window: _Window) -> None:
    run.event(step=step, steps=total, metrics=metrics)
    shown = "  ".join(f"{name} {value:.2f}" for name, value in metrics.items())
    run.say(f"step {step}/{total}  loss {window.last_loss:.3f}  {window.last_rate:.1f} examples/s  {shown}")


class _Window:
    """Means over the steps since the last report."""

    def __init__(self) -> None:
        self.last_loss = self.last_rate = 0.0
        self._clear()

    def _clear(self) -> None:
        self._loss = self._norm = 0.0
        self._steps = self._examples = 0
        self._since = time.monotonic()

    def add(self, loss: float, norm: float, examples: int) -> None:
        self._loss += loss
        self._norm += norm
        self._steps += 1
        self._examples += examples

    def take(self) -> dict[str, float]:
        seconds = time.monotonic() - self._since
        self.last_loss, self.last_rate = self._loss / self._steps, self._examples / seconds
        taken = {
            "loss": self.last_loss,
            "gradient_norm": self._norm / self._steps,
            "examples_per_second": self.last_rate,
        }
        self._clear()
        return taken


class _Stop:
    """Whether the run was asked to stop; within `at_once` a request does not wait to be looked at."""

    def __init__(self) -> None:
        self.requested = False
        self._at_once = False

    def ask(self, *_: object) -> None:
        self.requested = True
        if self._at_once:
            raise Stopped

    @contextmanager
    def at_once(self) -> Iterator[None]:
        self._at_once = True
        try:
            if self.requested:
                raise Stopped
            yield
        finally:
            self._at_once = False


@contextmanager
def _stop_requests() -> Iterator[_Stop]:
    """Turn SIGTERM and SIGINT into a flag that is read between steps."""
    stop = _Stop()
    before = {s: signal.signal(s, stop.ask) for s in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
