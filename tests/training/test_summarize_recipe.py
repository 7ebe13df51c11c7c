"""Training a sentence scorer: it learns which sentence counts, serves what it learnt, and goes into the registry."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch

from models_service import admission
from models_service.engines.extractive import ExtractiveEngine
from models_service.engines.sentence_features import NAMES
from models_service.engines.sentence_scorer import read_scorer, vector_inputs
from models_service.engines.summarizing import Document
from models_service.model_files import ModelUnusable
from models_service.registry import versions_in
from models_service.training.loop import train
from models_service.training.run_folder import RunFolder
from models_service.training.settings import SummarizeSettings
from models_service.training.summarize import SentenceNet, SummarizeTask


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 texts whose summary is the sentence that says what "we" do; it stands anywhere."""
    rng = random.Random(0)
    rows = []
    for number in range(120):
        telling = f"We present the method number {number} for bridges and towers."
        others = [f"It is known that {rng.choice(['rain', 'wind', 'rust'])} harms case {rng.randint(0, 99)}."
                  for _ in range(4)]
        others.insert(rng.randint(0, 4), telling)
        rows.append({"id": str(number), "text": " ".join(others), "summaries": [telling]})
    path = tmp_path_factory.mktemp("summaries") / "telling.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


@pytest.fixture(scope="module")
def trained(data: Path, tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, dict]:
    run = RunFolder(tmp_path_factory.mktemp("run"))
    settings = SummarizeSettings(base=str(tiny_base), data=[data], evaluation=data, epochs=12, batch_size=16,
                                 dropout=0.1, learning_rate=1e-2)
    return run, train(SummarizeTask(settings, run), settings, run)


def test_the_scorer_learns_which_sentence_the_summaries_are_like(trained: tuple[RunFolder, dict]) -> None:
    assert trained[1]["rouge1"] > 90, "one drawn at random would reach a third of that"


def test_the_served_scorer_chooses_what_the_trained_one_was_taught(trained: tuple[RunFolder, dict]) -> None:
    engine = ExtractiveEngine("trained", trained[0].model)
    engine.load()
    text = ("It is known that rain harms case 7.", "It is known that rust harms case 8.",
            "We present the method number 500 for bridges and towers.", "It is known that wind harms case 9.")
    [summary] = engine.summarize([Document(text, sentences_wanted=1)])
    engine.close()
    assert summary.chosen == (2,)


def test_the_network_gives_the_same_in_numpy_as_in_torch(trained: tuple[RunFolder, dict]) -> None:
    scorer = read_scorer(trained[0].model)
    net = SentenceNet(64, SummarizeSettings(data=["none"]))
    net.load_state_dict({name: torch.from_numpy(tensor) for name, tensor in scorer.weights.items()})
    rng = np.random.default_rng(0)
    features = rng.normal(size=(7, len(NAMES))).astype(np.float32)
    vectors = rng.normal(size=(7, 32)).astype(np.float32)
    with torch.inference_mode():
        expected = net.eval()(torch.from_numpy(features), torch.from_numpy(vector_inputs(vectors))).numpy()
    np.testing.assert_allclose(scorer.learned(features, vectors), expected, atol=1e-4)


def test_a_trained_summarizer_is_registered_with_samples_and_comes_up(
    trained: tuple[RunFolder, dict], tmp_path: Path
) -> None:
    versions = versions_in(tmp_path / "models")
    record = admission.register(versions, trained[0].model, "my-summarizer")
    assert record.kind == "summarizer" and {"samples.json", "model.safetensors"} <= record.files.keys()


def test_a_scorer_of_other_features_or_broken_files_is_refused(
    trained: tuple[RunFolder, dict], tmp_path: Path
) -> None:
    config = json.loads((trained[0].model / "config.json").read_text())
    (tmp_path / "model.safetensors").write_bytes((trained[0].model / "model.safetensors").read_bytes())
    (tmp_path / "config.json").write_text(json.dumps(config | {"features": ["another"]}))
    with pytest.raises(ModelUnusable, match="train it anew"):
        read_scorer(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(ModelUnusable, match="no sentence scorer"):
        read_scorer(tmp_path)
