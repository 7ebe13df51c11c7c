"""Training a classifier of texts: it learns, serves what it learnt, and its data is divided by label."""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter
from pathlib import Path

import pytest
import torch

from models_service import admission
from models_service.engines.classifier import ClassifierEngine
from models_service.evaluation import classification
from models_service.formats import splits
from models_service.formats.files import FormatError
from models_service.formats.labelled import read_labelled
from models_service.registry import versions_in
from models_service.training.__main__ import main
from models_service.training.classification import ClassificationTask, balanced
from models_service.training.loop import train
from models_service.training.run_folder import RunFolder
from models_service.training.settings_classification import FULL_RATE, ClassificationSettings
from tests.training.runs import kill_at, write_spec

TOPICS = {"sport": ["match", "goal", "team"], "money": ["bank", "price", "tax"], "sky": ["rain", "wind", "cloud"]}


@pytest.fixture(scope="module")
def topics(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """90 short texts, half of them about sport."""
    rng, rows = random.Random(0), []
    for number in range(90):
        label = rng.choice(["sport", "sport", "money", "sky"])
        words = [rng.choice(TOPICS[label]) for _ in range(3)]
        rows.append({"text": f"Item {number}: the {words[0]} and the {words[1]} of the {words[2]}.", "label": label})
    path = tmp_path_factory.mktemp("topics") / "topics.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def settings_of(topics: Path, small_base: Path, **more: object) -> ClassificationSettings:
    return ClassificationSettings(base=str(small_base), data=[topics], evaluation=topics, max_length=32, epochs=8,
                                  learning_rate=1e-2, **more)


@pytest.fixture(scope="module", params=["lora", "full"])
def trained(
    request, topics: Path, small_base: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[RunFolder, dict]:
    run = RunFolder(tmp_path_factory.mktemp("run"))
    settings = settings_of(topics, small_base, method=request.param, class_weights="balanced")
    return run, train(ClassificationTask(settings, run), settings, run)


def test_it_learns_what_the_labels_mean_and_serves_what_it_has_learnt(
    trained: tuple[RunFolder, dict], topics: Path
) -> None:
    run, metrics = trained
    assert metrics["accuracy"] > 0.9, "always sport would reach a half"
    engine = ClassifierEngine("trained", run.model)
    engine.load()
    served = classification.metrics(classification.score(engine, read_labelled(topics)))
    assert served == pytest.approx(metrics, abs=0.02)
    assert engine.labels == ["money", "sky", "sport"]


def test_it_is_registered_with_samples_and_comes_up(trained: tuple[RunFolder, dict], tmp_path: Path) -> None:
    versions = versions_in(tmp_path / "models")
    record = admission.register(versions, trained[0].model, "mine")
    assert record.kind == "classifier" and "samples.json" in record.files


def test_it_is_trained_further_with_its_own_labels_and_not_with_others(
    trained: tuple[RunFolder, dict], topics: Path, tmp_path: Path
) -> None:
    run = RunFolder(tmp_path / "further")
    settings = settings_of(topics, trained[0].model, max_steps=1)
    assert train(ClassificationTask(settings, run), settings, run)["accuracy"] > 0.9
    other = tmp_path / "other.csv"
    other.write_text("text,label\nRain.,weather\nA goal.,sport\n")
    with pytest.raises(FormatError, match="does not know weather; start from an encoder"):
        ClassificationTask(settings_of(other, trained[0].model), run)


def test_one_label_is_nothing_to_learn(small_base: Path, tmp_path: Path) -> None:
    file = tmp_path / "one.tsv"
    file.write_text("text\tlabel\nRain.\tsky\nWind.\tsky\n")
    with pytest.raises(FormatError, match="1 labels; a classifier needs 2"):
        ClassificationTask(settings_of(file, small_base), RunFolder(tmp_path / "run"))


def test_a_training_that_was_killed_ends_with_the_same_model(topics: Path, small_base: Path, tmp_path: Path) -> None:
    settings = settings_of(topics, small_base, checkpoint_seconds=0.001, max_steps=8).model_dump(mode="json")
    folders = [write_spec(tmp_path / name, "classification", settings) for name in ("whole", "killed")]
    assert main(folders[0]) == 0
    kill_at(folders[1], [3])
    assert main(folders[1]) == 0
    weights = [(folder / "model" / "adapter_model.safetensors").read_bytes() for folder in folders]
    assert weights[0] == weights[1]


def test_a_rare_label_weighs_as_much_as_a_frequent_one() -> None:
    weights = balanced([0, 0, 0, 1], 3)
    assert torch.equal(weights, torch.tensor([4 / 6, 2.0, 0.0]))


def test_all_weights_are_trained_more_slowly_unless_another_rate_is_given() -> None:
    assert ClassificationSettings(data=["a"], method="full").learning_rate == FULL_RATE
    assert ClassificationSettings(data=["a"], method="full", learning_rate=0.1).learning_rate == 0.1


def test_every_label_has_its_share_on_both_sides_and_no_text_stands_on_both() -> None:
    rows = [{"text": f"text {number // 2}", "label": "rare" if number // 2 % 10 == 0 else "frequent"}
            for number in range(200)]
    train_rows, held_out = splits.split(rows, "classification", 0.2, seed=1)
    assert Counter(row["label"] for row in held_out) == {"rare": 4, "frequent": 36}
    assert not {row["text"] for row in train_rows} & {row["text"] for row in held_out}
    for fold in splits.folds(rows, "classification", 5, seed=1):
        assert Counter(row["label"] for row in fold) == {"rare": 4, "frequent": 36}


def test_folds_and_a_search_are_made_of_it(topics: Path, small_base: Path, tmp_path: Path) -> None:
    settings = {"base": str(small_base), "data": [str(topics)], "max_length": 32, "epochs": 1}
    folder = write_spec(tmp_path / "folds", "classification", settings, plan={"folds": 3})
    assert main(folder) == 0
    told = json.loads((folder / "events.jsonl").read_text().splitlines()[-1])
    assert [fold["rows"] for fold in told["result"]["folds"]] == [30, 30, 30]
    assert told["metrics"]["accuracy"] == pytest.approx(
        sum(fold["metrics"]["accuracy"] for fold in told["result"]["folds"]) / 3)
    plan = {"trials": 2, "search": ["class_weights=none,balanced", "learning_rate=1e-3:1e-2:log"]}
    folder = write_spec(tmp_path / "search", "classification", settings, plan=plan)
    assert main(folder) == 0
    told = json.loads((folder / "events.jsonl").read_text().splitlines()[-1])
    assert told["result"]["watched"] == "accuracy" and len(told["result"]["trials"]) == 2


@pytest.mark.parametrize(("name", "content", "complaint"), [
    ("a.jsonl", "", "empty"), ("a.jsonl", '{"text": "a"}', 'row 1, "label"'),
    ("a.jsonl", '{"text": "a", "label": "x"}\n{"text": " ", "label": "x"}', 'row 2, "text"'),
    ("a.jsonl", '{"text": "a", "label": true}', 'row 1, "label"'),
    ("a.jsonl", '{"text": "a", "label": 1.5}', 'row 1, "label"'),
    ("a.csv", "text,label\na,\n", 'row 1, "label"'), ("a.csv", "text\na\n", "names its columns"),
    ("a.jsonl", '{"text": "a", "label": "x"}\n{', "row 2: not JSON"), ("a.json", "[1]", "row 1: expected an object"),
    ("a.jsonl", json.dumps({"text": "a", "label": "x" * 101}), "up to 100 characters"),
])
def test_a_file_of_another_form_is_refused_with_row_and_field(
    tmp_path: Path, name: str, content: str, complaint: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(FormatError, match=complaint):
        read_labelled(tmp_path / name)


def test_numbers_are_labels_too_and_csv_and_gzip_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress("\ufeffText;Label\n\"A; b\";1\n雨;2\n".encode()))
    (tmp_path / "a.jsonl").write_text('{"text": "A; b", "label": 1}\n{"text": "雨", "label": 2}')
    read = [[(row.text, row.label) for row in read_labelled(tmp_path / name)] for name in ("a.csv.gz", "a.jsonl")]
    assert read[0] == read[1] == [("A; b", "1"), ("雨", "2")]
