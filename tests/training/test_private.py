"""Differentially private training: what is added up, what it costs, what is refused, and that its secret is gone."""

from __future__ import annotations

import json
import math
import random
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from opacus.accountants import RDPAccountant
from opacus.accountants.analysis.rdp import compute_rdp
from pydantic import ValidationError

from models_service import admission
from models_service.formats.files import FormatError
from models_service.training.__main__ import main
from models_service.training.classification import ClassificationTask
from models_service.training.plan import Plan, check_privacy
from models_service.training.private import ORDERS, PrivateTraining, epsilon_of, noise_for
from models_service.training.run_folder import RunFolder
from models_service.training.settings_classification import ClassificationSettings
from tests.training.runs import kill_at, write_spec

CPU = torch.device("cpu")
SECRET = bytes(range(32))


class Linear:
    """Rows of three numbers, squared error; two weights, of which the bias has no part in the gradient of a row."""

    def __init__(self, rows: int) -> None:
        torch.manual_seed(0)
        self.model = torch.nn.Linear(3, 1).double()
        self.inputs, self.targets = torch.randn(rows, 3).double(), torch.randn(rows, 1).double()

    def loss(self, batch: list[int], _device: torch.device) -> torch.Tensor:
        return ((self.model(self.inputs[batch]) - self.targets[batch]) ** 2).mean()


def private(rows: int = 20, **more: Any) -> PrivateTraining:
    settings = ClassificationSettings(data=["a"], **{"batch_size": 5, "clip_norm": 0.5, **more})
    made = PrivateTraining(rows, settings, 8.0, None)
    made.secret = SECRET
    return made


def moved(task: Linear, made: PrivateTraining, batch: list[int], step: int = 0) -> torch.Tensor:
    """By how much the weights and the bias moved, against the gradient at a rate of 1."""
    before = torch.cat([p.detach().flatten().clone() for p in task.model.parameters()])
    optimizer = torch.optim.SGD(task.model.parameters(), lr=1.0)
    made.take_step(task, step, batch, CPU, torch.float32, optimizer)
    return before - torch.cat([p.detach().flatten() for p in task.model.parameters()])


def test_gradients_are_cut_row_by_row_summed_and_divided_by_the_rows_that_are_expected() -> None:
    task, made = Linear(20), private()
    made.noise = 0.0
    batch, expected = [0, 3, 7], torch.zeros(4).double()
    norms = []
    for row in batch:
        error = task.model(task.inputs[row]) - task.targets[row]  # of (wx + b - y)²: 2(wx + b - y)(x, 1)
        gradient = 2 * error.detach() * torch.cat([task.inputs[row], torch.ones(1).double()])
        norms.append(gradient.norm().item())
        expected += gradient * min(1.0, 0.5 / norms[-1])
    assert max(norms) > 0.5, "one of them is cut"
    assert torch.allclose(moved(task, made, batch), expected / 5, atol=1e-5)
    assert torch.equal(moved(task, made, []), torch.zeros(4).double())


def test_a_row_however_far_off_changes_the_sum_by_the_bound_at_most() -> None:
    changes = []
    for far in (1e6, float("nan")):
        task, other, made = Linear(20), Linear(20), private()
        made.noise = 0.0
        task.inputs[3] *= far
        changes.append((moved(task, made, [0, 3, 7]) - moved(other, made, [0, 7])).norm().item() * 5)
    assert changes[0] == pytest.approx(0.5, rel=1e-4) and changes[1] == 0.0


def test_a_row_more_leaves_the_dropout_of_the_others_as_it_was() -> None:
    class Dropping(Linear):
        def loss(self, batch: list[int], device: torch.device) -> torch.Tensor:
            kept = torch.nn.functional.dropout(self.inputs[batch], 0.5)
            return ((self.model(kept) - self.targets[batch]) ** 2).mean()

    made = private()
    made.noise = 0.0
    more, less = (moved(Dropping(20), made, batch) for batch in ([0, 3, 7], [0, 7]))
    alone = moved(Dropping(20), made, [3])
    assert torch.allclose(more - less, alone, atol=1e-12)


def test_the_noise_has_its_deviation_whether_rows_were_drawn_or_not() -> None:
    made = private(clip_norm=0.5)
    made.noise = 3.0
    zeros = [torch.nn.Parameter(torch.zeros(1001, 20))]
    made.take_step(Linear(20), 4, [], CPU, torch.float32, torch.optim.SGD(zeros, lr=1.0))
    drawn = zeros[0].detach().flatten()
    assert drawn.std().item() == pytest.approx(3.0 * 0.5 / 5, rel=0.03)
    assert abs(drawn.mean().item()) < 0.01
    share = (drawn.abs() < 0.3).float().mean().item()
    assert share == pytest.approx(0.683, abs=0.015), "as of a normal distribution"
    kept = made._normal(4, 7)
    assert torch.equal(kept, made._normal(4, 7)) and not torch.equal(kept, made._normal(5, 7))
    made.secret = bytes(32)
    assert not torch.equal(kept, made._normal(4, 7))


def test_rows_are_drawn_independently_with_the_rate_that_is_accounted_for() -> None:
    made = private(rows=50, batch_size=5)
    sizes = torch.tensor([float(len(made.batch(step))) for step in range(2000)])
    assert sizes.mean().item() == pytest.approx(5.0, abs=0.2)
    assert sizes.var().item() == pytest.approx(50 * 0.1 * 0.9, rel=0.15), "binomial"
    assert sizes.min().item() == 0.0, "a step may have none"
    counts = torch.bincount(torch.tensor([row for step in range(2000) for row in made.batch(step)]), minlength=50)
    assert counts.min().item() > 130 and counts.max().item() < 270


def test_epsilon_is_what_opacus_accounts_for_and_what_was_published() -> None:
    rate, steps, noise, delta = 256 / 60000, 60 * 60000 // 256, 1.12, 1e-5
    accountant = RDPAccountant()
    accountant.history = [(noise, rate, steps)]
    ours = epsilon_of(noise, delta, rate, steps)
    assert ours == pytest.approx(accountant.get_epsilon(delta), abs=1e-9)
    # The tutorial of TensorFlow Privacy on MNIST tells 2.92 of these, by the conversion of Mironov 2017; opacus has
    # the tighter one of Balle et al. 2020.
    rdp = compute_rdp(q=rate, noise_multiplier=noise, steps=steps, orders=ORDERS)
    mironov = min(spent + math.log(1 / delta) / (order - 1) for spent, order in zip(rdp, ORDERS, strict=True))
    assert mironov == pytest.approx(2.92, abs=0.005) and 2.4 < ours < mironov
    assert epsilon_of(1.1, 1e-5, 0.1, 0) == 0.0
    for epsilon in (0.5, 3.0, 20.0):
        noise = noise_for(epsilon, 1e-4, 0.06, 100)
        assert epsilon * 0.98 < epsilon_of(noise, 1e-4, 0.06, 100) <= epsilon


def test_steps_rate_and_delta_follow_from_the_rows() -> None:
    made = private(rows=50, batch_size=5, epochs=4)
    assert (made.steps, made.rate, made.delta) == (40, 0.1, 1 / 500)
    assert made.epsilon(10) < made.epsilon(40) <= 8.0
    assert private(rows=50, max_steps=7).steps == 7
    small = private(rows=3, batch_size=5, epochs=2)
    assert (small.steps, small.rate, small.batch(0)) == (2, 1.0, [0, 1, 2])
    settings = ClassificationSettings(data=["a"], batch_size=5)
    with pytest.raises(ValueError, match="must be below 0.02"):
        PrivateTraining(50, settings, 8.0, 0.02)
    with pytest.raises(ValueError, match="cannot be had in 30 steps: ask for a larger private_epsilon"):
        PrivateTraining(50, settings, 1e-7, 1e-12)


@pytest.mark.parametrize("other", [
    {"token_dropout": 0.1}, {"spelling_noise": 0.1}, {"class_weights": "balanced"}, {"early_stopping": 2},
    {"accumulation": 2},
])
def test_settings_that_let_a_row_count_more_than_once_are_refused(other: dict[str, Any]) -> None:
    name = next(iter(other))
    with pytest.raises(ValidationError, match=f"private_epsilon and {name}=.* do not go together"):
        ClassificationSettings(data=["a"], private_epsilon=3, **other)
    assert ClassificationSettings(data=["a"], **other).private_epsilon == 0


@pytest.mark.parametrize("plan", [{"folds": 3}, {"trials": 2, "search": ["epochs=1:3"]}])
def test_several_trainings_of_the_same_rows_are_refused(plan: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="neither folds nor trials"):
        check_privacy(ClassificationSettings(data=["a"], private_epsilon=3), Plan(**plan))
    check_privacy(ClassificationSettings(data=["a"]), Plan(**plan))


WORDS = {"sport": ["match", "goal", "team"], "money": ["bank", "price", "tax"]}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """100 rows to learn from and 40 others."""
    rng, rows = random.Random(1), []
    for number in range(140):
        label = rng.choice(sorted(WORDS))
        words = " ".join(rng.choice(WORDS[label]) for _ in range(3))
        rows.append(json.dumps({"text": f"{number}: {words}", "label": label}))
    folder = tmp_path_factory.mktemp("private")
    paths = folder / "train.jsonl", folder / "held-out.jsonl"
    for path, part in zip(paths, (rows[:100], rows[100:]), strict=True):
        path.write_text("\n".join(part))
    return paths


def settings_of(files: tuple[Path, Path], base: Path, **more: Any) -> dict[str, Any]:
    return ClassificationSettings(**{
        "base": str(base), "data": [files[0]], "evaluation": files[1], "max_length": 16, "rank": 4, "batch_size": 20,
        "epochs": 6, "learning_rate": 3e-2, "labels": ["money", "sport"], "private_epsilon": 50, **more,
    }).model_dump(mode="json")


def test_it_learns_tells_its_epsilon_and_keeps_no_secret(
    files: tuple[Path, Path], small_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models_service.training.private.secrets.token_bytes", lambda _count: SECRET)
    register = {"folder": str(tmp_path / "models"), "name": "topics"}
    folder = write_spec(tmp_path / "run", "classification",
                        settings_of(files, small_base, checkpoint_seconds=0.001), register=register)
    assert main(folder) == 0
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    assert events[-1]["metrics"]["accuracy"] > 0.7
    losses = [event["loss"] for event in events if "loss" in event]
    assert losses[-1] < losses[0]
    spent = [event["epsilon"] for event in events if "epsilon" in event]
    assert spent == sorted(spent) and 49 < spent[-1] <= 50
    log = (folder / "log.txt").read_text()
    assert re.search(r"one row of the data: epsilon (49\.\d+|50\.000), delta 0\.001", log)
    card = json.loads(next((tmp_path / "models").rglob(admission.CARD_FILE)).read_text())
    assert card["privacy"]["epsilon"] == pytest.approx(spent[-1], abs=1e-3)
    assert card["privacy"]["unit"] == "one row of the data" and card["privacy"]["delta"] == 1 / 1000
    for path in [path for path in tmp_path.rglob("*") if path.is_file()]:
        content = path.read_bytes()
        assert SECRET not in content and SECRET.hex().encode() not in content, path


@pytest.mark.slow
def test_a_private_training_that_was_killed_ends_with_the_same_model(
    files: tuple[Path, Path], small_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(files, small_base, checkpoint_seconds=0.001, max_steps=8)
    folders = [write_spec(tmp_path / name, "classification", settings) for name in ("killed", "whole")]
    kill_at(folders[0], [2])
    found = RunFolder(folders[0]).load_checkpoint()
    assert found
    state = found[1]
    for path in folders[0].glob("checkpoint*/state.json"):
        assert path.stat().st_mode & 0o077 == 0, "the secret is for its owner alone"
    assert state["step"] < 8
    assert main(folders[0]) == 0
    secret = bytes.fromhex(state["secret"])
    monkeypatch.setattr("models_service.training.private.secrets.token_bytes", lambda _count: secret)
    assert main(folders[1]) == 0
    weights = [(folder / "model" / "adapter_model.safetensors").read_bytes() for folder in folders]
    assert weights[0] == weights[1]


def test_what_the_data_would_decide_is_refused(files: tuple[Path, Path], small_base: Path, tmp_path: Path) -> None:
    def task(**more: Any) -> ClassificationTask:
        settings = ClassificationSettings.model_validate(settings_of(files, small_base, **more))
        return ClassificationTask(settings, RunFolder(tmp_path / "run"))

    with pytest.raises(FormatError, match="name them in the setting “labels”, or start from a classifier"):
        task(labels=[])
    with pytest.raises(FormatError, match="“labels” does not name: sport"):
        task(labels=["money", "sky"])
    copy = tmp_path / "copy.jsonl"
    copy.write_text(files[0].read_text())
    with pytest.raises(FormatError, match="no text may stand on both sides"):
        task(evaluation=copy)
    with pytest.raises(ValidationError, match="evaluation must not be a file of data"):
        task(evaluation=files[0])
    assert task(labels=["sport", "money"]).private.rows == 100
    assert task(labels=[], private_epsilon=0).private is None
