"""The training loop that every recipe shares: schedule, clipping, checkpoints, resume, progress, cancel.

It sees a model, an ordered list of batches and a loss; it knows nothing of text. Batches and every random choice
are functions of (seed, step), so a run that resumes from step n continues exactly as if it had not stopped.
"""

from __future__ import annotations

import resource
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import torch

from models_service.training.best_weights import BestWeights, Goodness
from models_service.training.checkpoint import TrainingState
from models_service.training.optimizing import make_optimizer, rate_schedule, steps_of, take_step
from models_service.training.run_folder import RunFolder
from models_service.training.running_mean import RunningMean
from models_service.training.settings import LoopSettings

if TYPE_CHECKING:
    from models_service.training.private import PrivateTraining  # it loads opacus

REPORT_STEPS = 20
"""Between two points of the curves, at most."""
POINTS_OF_A_SHORT_RUN = 60


class Task(Protocol):
    """What a recipe gives the loop."""

    model: torch.nn.Module
    batches: list[list[int]]
    # `private: PrivateTraining | None` where a task can be trained so: it then draws the rows and moves the weights
    # `prepare(run)` where something is to be computed with the weights that the training begins from, and
    # `seconds_to_prepare()`, an estimate

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


def train(
    task: Task, settings: LoopSettings, run: RunFolder, goodness: Goodness | None = None
) -> dict[str, float]:
    """Train to the end, or resume to it; returns the metrics of the weights that are saved.

    Args:
        goodness: which evaluation is better, for early stopping.

    Raises:
        ValueError: early stopping is asked for and there is nothing to measure on.
        Stopped: SIGTERM or SIGINT arrived. The state is saved; the same call goes on from it.
    """
    if settings.early_stopping and not (goodness and getattr(settings, "evaluation", None)):
        raise ValueError("early stopping needs held-out rows to measure on: give an evaluation file")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    dtype = pick_precision(settings.precision, device)
    model = task.model.to(device)
    if prepare := getattr(task, "prepare", None):
        prepare(run)
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    optimizer = make_optimizer(trained.values(), settings)
    mean = RunningMean(trained, settings.averaging)
    private: PrivateTraining | None = getattr(task, "private", None)
    steps = steps_of(task, settings)
    total = private.steps if private else len(steps)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, rate_schedule(total, settings))
    best = BestWeights(run, trained, goodness, settings.early_stopping) if settings.early_stopping else None
    state = TrainingState(trained, optimizer, scheduler, mean)
    start, secret = state.resume(run)
    if private and secret:
        private.secret = secret
    run.say(
        f"{total} steps, {sum(p.numel() for p in trained.values()):,} trained parameters, {device} in {dtype}"
        + (f", resumed at step {start}" if start else "")
    )
    if private:
        run.say(f"private: each step draws rows with probability {private.rate:.4g}; gradients of a row are cut to "
                f"{settings.clip_norm:g}, noise multiplier {private.noise:.4g}")
    run.event(started=True, step=start, steps=total, device=str(device))
    window = _Window()
    saved_at = time.monotonic()
    report_every = max(1, min(REPORT_STEPS, total // POINTS_OF_A_SHORT_RUN))
    with _stop_requests() as stop:

        def measured(at: int) -> dict[str, float]:
            with mean.in_place():
                metrics = _evaluate(task, stop, run, at)
                if best:
                    best.see(at, metrics)
            _report(run, at, total, metrics, window)
            return metrics

        if best and best.seen_at < start < total and start % settings.evaluate_every == 0:
            measured(start)  # the run was interrupted between this step and its evaluation
        for step in range(start, total):
            if best and best.stops:
                run.say(f"ended at step {step} of {total}: no better for {settings.early_stopping} evaluations")
                break
            model.train()
            if private:
                rows = private.batch(step)
                loss, norm = private.take_step(task, step, rows, device, dtype, optimizer)
                examples = len(rows)
            else:
                torch.manual_seed(settings.seed + step)  # for dropout
                loss, norm = take_step(task, steps[step], device, dtype, optimizer, settings)
                examples = sum(map(len, steps[step]))
            scheduler.step()
            mean.update(step)
            window.add(loss, norm, examples)
            done = step + 1
            if done % report_every == 0 or done == total:
                run.event(step=done, steps=total, learning_rate=scheduler.get_last_lr()[0],
                          memory_bytes=peak_memory(device), **window.take(), **_spent(private, done))
            evaluates = done % settings.evaluate_every == 0 and done < total
            if evaluates or stop.requested or time.monotonic() - saved_at > settings.checkpoint_seconds:
                state.save(run, done, private.secret if private and done < total else None)
                saved_at = time.monotonic()
            if stop.requested:
                run.say(f"stopped at step {done} of {total}; the checkpoint is kept")
                raise Stopped
            if evaluates:
                measured(done)
        else:
            state.save(run, total)
            metrics = measured(total)
        if best:
            at, metrics = best.put_back()
            run.say(f"the weights of step {at} are kept, which did best")
            run.event(step=total, steps=total, metrics=metrics, best_step=at)
            task.save(run)
        else:
            with mean.in_place():
                task.save(run)
    if private:
        run.say(f"differentially private for one row of the data: epsilon {private.epsilon(total):.3f}, "
                f"delta {private.delta:.3g}")
    return metrics


def _spent(private: PrivateTraining | None, steps: int) -> dict[str, float]:
    return {"epsilon": private.epsilon(steps)} if private else {}


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
        if not examples:  # a private step may draw no row
            return
        self._loss += loss
        self._norm += norm
        self._steps += 1
        self._examples += examples

    def take(self) -> dict[str, float]:
        seconds = time.monotonic() - self._since
        self.last_loss, self.last_rate = self._loss / max(1, self._steps), self._examples / seconds
        taken = {
            "loss": self.last_loss,
            "gradient_norm": self._norm / max(1, self._steps),
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
