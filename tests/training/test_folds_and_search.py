"""Cross-validation and the search for settings: how data is divided, what is kept, and that a killed one goes on."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import pytest

from models_service.formats import splits
from models_service.formats.files import FormatError
from models_service.training.__main__ import main
from models_service.training.plan import Plan, varied
from models_service.training.settings import QaSettings, SummarizeSettings
from tests.training.runs import start, wait_until, write_spec

SMALL = {"epochs": 2, "batch_size": 4, "projection": 2, "hidden_size": 4, "seed": 3}
SENTENCES = ("The mayor opened a bridge in town {}.", "The river rose in town {}.",
             "The market of town {} sells fish.")


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng, lines = random.Random(1), []
    for number in range(15):
        said = [sentence.format(number) for sentence in SENTENCES]
        wanted = said[0]
        rng.shuffle(said)
        lines.append(json.dumps({"id": str(number), "text": " ".join(said), "summaries": [wanted]}))
    path = tmp_path_factory.mktemp("texts") / "towns.jsonl"
    path.write_text("\n".join(lines))
    return path


def last_event(folder: Path) -> dict:
    return json.loads((folder / "events.jsonl").read_text().splitlines()[-1])


def test_folds_hold_every_row_once_and_no_document_twice() -> None:
    rows = [{"text": f"text {number // 3}", "summaries": [str(number)]} for number in range(30)]
    folds = splits.folds(rows, "summarize", 4, seed=1)
    assert sorted(row["summaries"][0] for fold in folds for row in fold) == sorted(str(n) for n in range(30))
    there = [{row["text"] for row in fold} for fold in folds]
    assert sum(map(len, there)) == len(set.union(*there)) == 10
    assert max(map(len, folds)) - min(map(len, folds)) <= 3
    with pytest.raises(FormatError, match="10 documents, too few"):
        splits.folds(rows, "summarize", 11, seed=1)


def test_a_cross_validation_tells_mean_and_deviation_and_makes_no_model(
    tmp_path: Path, texts: Path, tiny_base: Path
) -> None:
    settings = {"data": [str(texts)], "base": str(tiny_base), **SMALL}
    folder = write_spec(tmp_path / "run", "summarize", settings, plan={"folds": 3})
    assert main(folder) == 0
    told = last_event(folder)
    folds = told["result"]["folds"]
    assert [fold["rows"] for fold in folds] == [5, 5, 5]
    values = [fold["metrics"]["rougeL"] for fold in folds]
    assert told["metrics"]["rougeL"] == pytest.approx(sum(values) / 3)
    deviation = (sum((value - sum(values) / 3) ** 2 for value in values) / 2) ** 0.5
    assert told["result"]["deviation"]["rougeL"] == pytest.approx(deviation)
    assert not list(folder.rglob("model")) and not list(folder.rglob("checkpoint"))

    trained = len((folder / "fold-1" / "events.jsonl").read_text().splitlines())
    shutil.rmtree(folder / "fold-3")  # as if it had been stopped before
    assert main(folder) == 0 and last_event(folder)["result"] == told["result"]
    assert len((folder / "fold-1" / "events.jsonl").read_text().splitlines()) == trained


def test_a_search_that_was_killed_goes_on_and_keeps_the_best_trial_s_model(
    tmp_path: Path, texts: Path, tiny_base: Path
) -> None:
    plan = {"trials": 4, "search": ["learning_rate=1e-4:1e-1:log", "hidden_size=2:8", "dropout=0.0,0.2"]}
    settings = {"data": [str(texts)], "base": str(tiny_base), **SMALL}
    folder = write_spec(tmp_path / "run", "summarize", settings, plan=plan)
    first = start(folder)
    wait_until(lambda: (folder / "trial-1").is_dir(), first)
    first.kill()
    first.wait(60)
    assert main(folder) == 0
    told = last_event(folder)
    trials, best = told["result"]["trials"], told["result"]["best"]
    assert len(trials) == 4 and {trial["state"] for trial in trials} <= {"complete", "pruned"}
    complete = {trial["number"]: trial["value"] for trial in trials if trial["state"] == "complete"}
    assert complete[best] == max(complete.values()) == pytest.approx(told["metrics"]["rougeL"])
    assert [path.parent.name for path in folder.rglob("model")] == [f"trial-{best}"]
    spec = json.loads((folder / f"trial-{best}" / "spec.json").read_text())
    params = next(trial["params"] for trial in trials if trial["number"] == best)
    assert spec["task"] == "summarize" and spec["settings"]["learning_rate"] == params["learning_rate"]
    assert spec["settings"]["dropout"] == float(params["dropout"])


def test_what_a_search_varies_is_read_as_the_recipe_has_it() -> None:
    rate, batch, method = varied(QaSettings, ["learning_rate=1e-5:1e-3:log", "batch_size=8:32", "method=lora,full"])
    assert (rate.low, rate.high, rate.is_log, rate.is_whole) == (1e-5, 1e-3, True, False)
    assert (batch.low, batch.high, batch.is_log, batch.is_whole) == (8, 32, False, True)
    assert method.choices == ("lora", "full")


@pytest.mark.parametrize(("text", "said"), [
    ("speed=1:2", "no setting “speed”"), ("data=a,b", "no setting “data”"), ("epochs", "not of the form"),
    ("epochs=3:2", "below the upper"), ("method=lora,magic", "method=magic"), ("method=a:b", "is no number"),
    ("batch_size=0:4", "batch_size=0"), ("weight_decay=0:1:log", "above 0"), ("epochs=1:2.5", "epochs=2.5"),
    ("epochs=1:2:exp", "not of the form"),
])
def test_what_cannot_be_varied_is_said(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        varied(QaSettings, [text])


def test_a_setting_is_varied_once_and_folds_and_trials_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="varied twice"):
        varied(SummarizeSettings, ["epochs=1:2", "epochs=3:4"])
    for values in ({"folds": 3, "trials": 3, "search": ["epochs=1:2"]}, {"trials": 3}, {"search": ["epochs=1:2"]}):
        with pytest.raises(ValueError):
            Plan.model_validate(values)
