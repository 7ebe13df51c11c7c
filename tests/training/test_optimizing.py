"""Steps of a training on numbers small enough to follow by hand, and runs that stop early or are interrupted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from models_service.training import loop
from models_service.training.optimizing import make_optimizer, rate_schedule, steps_of, take_step
from models_service.training.run_folder import RunFolder
from models_service.training.settings import LoopSettings

CPU = torch.device("cpu")


class HeldOut(LoopSettings):
    evaluation: str = "held-out"


class Line:
    """Learns y = 2x by one weight; `scores` are what its evaluations give, one after another."""

    def __init__(self, batches: list[list[int]], scores: list[float] | None = None, begins_at: float = 0.0) -> None:
        self.model = torch.nn.Linear(1, 1, bias=False)
        torch.nn.init.constant_(self.model.weight, begins_at)
        self.batches = batches
        self.scores = scores or []
        self.measured_at: list[float] = []
        self.saved: float | None = None

    def cost(self, batch: list[int]) -> int:
        return len(batch)

    def loss(self, batch: list[int], device: torch.device) -> torch.Tensor:
        x = torch.tensor(batch, dtype=torch.float32)[:, None]
        return ((self.model(x) - 2 * x) ** 2).mean()

    def evaluate(self) -> dict[str, float]:
        self.measured_at.append(self.model.weight.item())
        return {"f1": self.scores[len(self.measured_at) - 1]} if self.scores else {}

    def save(self, run: RunFolder) -> None:
        self.saved = self.model.weight.item()


def settings(**own) -> HeldOut:
    return HeldOut(**{"learning_rate": 0.01, "warmup": 0, "weight_decay": 0, "clip_norm": 1e9, "precision": "float32",
                      **own})


def step(task: Line, own: LoopSettings) -> tuple[float, float]:
    optimizer = make_optimizer(task.model.parameters(), own)
    return take_step(task, steps_of(task, own)[0], CPU, torch.float32, optimizer, own)


def test_a_step_of_plain_descent_is_what_the_hand_computes() -> None:
    task = Line([[1, 2]])
    # loss (4 + 16) / 2; d loss / d w = mean of 2 (w x - 2 x) x = (-4 - 16) / 2
    assert step(task, settings(optimizer="sgd", learning_rate=0.1)) == (pytest.approx(10), pytest.approx(10))
    assert task.model.weight.item() == pytest.approx(1.0)


def test_batches_added_up_move_the_weights_as_one_batch_of_their_size_does() -> None:
    whole, parts = Line([[1, 2]]), Line([[1], [2]])
    told = step(whole, settings(optimizer="sgd"))
    assert step(parts, settings(optimizer="sgd", accumulation=2)) == pytest.approx(told)
    assert parts.model.weight.item() == pytest.approx(whole.model.weight.item())


def test_the_l1_penalty_draws_a_weight_to_zero_and_the_clip_bounds_what_comes_of_both() -> None:
    task = Line([[0]], begins_at=3.0)  # nothing to learn from: the penalty is alone
    assert step(task, settings(optimizer="sgd", learning_rate=1.0, l1=0.5)) == (0, pytest.approx(0.5))
    assert task.model.weight.item() == pytest.approx(2.5)
    clipped = Line([[0]], begins_at=3.0)
    step(clipped, settings(optimizer="sgd", learning_rate=1.0, l1=0.5, clip_norm=0.1))
    assert clipped.model.weight.item() == pytest.approx(2.9)


def test_the_last_step_may_have_fewer_batches_and_most_steps_counts_steps() -> None:
    task = Line([[1], [2], [3]])
    assert steps_of(task, settings(accumulation=2)) == [[[1], [2]], [[3]]]
    assert steps_of(task, settings(accumulation=2, max_steps=1)) == [[[1], [2]]]


@pytest.mark.parametrize(("schedule", "shares"), [
    ("linear", [0.5, 1, 1, 0.75, 0.5, 0.25]), ("cosine", [0.5, 1, 1, 0.8536, 0.5, 0.1464]),
    ("constant", [0.5, 1, 1, 1, 1, 1]),
])
def test_the_rate_rises_over_the_warm_up_and_then_goes_as_it_was_told(schedule: str, shares: list[float]) -> None:
    share = rate_schedule(6, settings(schedule=schedule, warmup=1 / 3))
    assert [share(number) for number in range(6)] == pytest.approx(shares, abs=1e-4)


def run_of(task: Line, folder: Path, **own) -> dict[str, float]:
    return loop.train(task, settings(**own), RunFolder(folder), lambda metrics: metrics["f1"])


class Killed(Exception):
    """As if the process had been killed."""


@pytest.mark.parametrize("optimizer", ["adamw", "adafactor", "sgd"])
def test_an_interrupted_run_ends_with_the_weights_of_a_whole_one(tmp_path: Path, optimizer: str) -> None:
    batches = [[1], [2], [3], [1], [2], [3]]
    own = {"optimizer": optimizer, "accumulation": 2, "evaluate_every": 2, "checkpoint_seconds": 1e-9}
    whole, first, again = Line(batches), Line(batches), Line(batches)
    run_of(whole, tmp_path / "whole", **own)

    def killed() -> dict[str, float]:
        raise Killed

    first.evaluate = killed
    with pytest.raises(Killed):
        run_of(first, tmp_path / "broken", **own)
    run_of(again, tmp_path / "broken", **own)
    assert again.saved == whole.saved


def test_a_run_that_gets_no_better_ends_and_keeps_its_best_weights(tmp_path: Path) -> None:
    task = Line([[1]] * 10, scores=[50, 70, 60, 70, 99])
    metrics = run_of(task, tmp_path, evaluate_every=1, early_stopping=2)
    assert metrics == {"f1": 70}
    assert len(task.measured_at) == 4, "two evaluations after the best were no better"
    assert task.saved == task.measured_at[1]
    told = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [event["best_step"] for event in told if "best_step" in event] == [2]


def test_an_evaluation_that_a_kill_cut_off_is_made_up_for(tmp_path: Path) -> None:
    first = Line([[1]] * 4, scores=[50, 70])
    measure = first.evaluate

    def killed_at_the_third() -> dict[str, float]:
        if len(first.measured_at) == 2:
            raise Killed
        return measure()

    first.evaluate = killed_at_the_third
    own = {"evaluate_every": 1, "early_stopping": 2, "checkpoint_seconds": 1e-9}
    with pytest.raises(Killed):
        run_of(first, tmp_path, **own)
    again = Line([[1]] * 4, scores=[60, 65])
    assert run_of(again, tmp_path, **own) == {"f1": 70}
    assert again.saved == first.measured_at[1]
    assert len(again.measured_at) == 2, "the third and the fourth"


def test_early_stopping_without_held_out_rows_is_refused_at_the_start(tmp_path: Path) -> None:
    task = Line([[1]])
    with pytest.raises(ValueError, match="held-out"):
        run_of(task, tmp_path, early_stopping=1, evaluation="")
    assert not task.measured_at and task.saved is None
