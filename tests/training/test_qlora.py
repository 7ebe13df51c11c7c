"""LoRA on a base in 4 bits: learns, goes on after a kill as if nothing had been, and its adapter fits the whole base.

bitsandbytes is an extra (requirements-gpu.txt); where it is not installed only the refusals can be tested.
"""

from __future__ import annotations

import importlib.util
import json
import math
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

from models_service.engines.causal_files import read_causal, read_tokenizer
from models_service.evaluation import perplexity
from models_service.formats.corpus import Document
from models_service.model_files import ModelUnusable, adapter_base
from models_service.training import generator_model
from tests.models_service.test_generators import adapted
from tests.small_generator import train
from tests.training.runs import kill_at, write_spec

installed = pytest.mark.skipif(importlib.util.find_spec("bitsandbytes") is None, reason="an extra")
CHAT = {"messages": [{"role": "user", "content": "Which colour?"}, {"role": "assistant", "content": "Orange."}]}


@pytest.fixture
def asked(tmp_path: Path, small_generator: Path) -> dict[str, object]:
    chats = tmp_path / "chats.jsonl"
    chats.write_text("\n".join([json.dumps(CHAT)] * 32))
    return {"base": str(small_generator), "data": [str(chats)], "method": "qlora", "rank": 8, "batch_size": 2,
            "context": 64, "learning_rate": 5e-3, "precision": "float32", "max_steps": 36, "epochs": 24}


def nats_a_token(folder: Path) -> float:
    said = [Document(messages=tuple((one["role"], one["content"]) for one in CHAT["messages"]))]
    scored = perplexity.score(read_causal(folder).eval(), read_tokenizer(folder), said, context=64)
    return perplexity.metrics(scored)["cross_entropy"]


@installed
def test_what_is_learned_on_four_bits_serves_on_the_whole_base(
    tmp_path: Path, small_generator: Path, asked: dict[str, object]
) -> None:
    adapter = train(tmp_path / "run", **asked)
    config = json.loads((adapter / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == str(small_generator)
    before, after = nats_a_token(small_generator), nats_a_token(adapter)
    assert math.isfinite(after) and after < before / 2


@installed
def test_a_killed_run_ends_in_the_weights_of_an_uninterrupted_one(
    tmp_path: Path, asked: dict[str, object]
) -> None:
    asked |= {"checkpoint_seconds": 0.001, "max_steps": 8}
    train(tmp_path / "whole", **asked)
    broken = write_spec(tmp_path / "broken", "causal", asked)
    kill_at(broken, [1])
    train(broken, **asked)
    assert "resumed at step" in (broken / "log.txt").read_text()
    whole, resumed = (load_file(run / "model" / "adapter_model.safetensors") for run in (tmp_path / "whole", broken))
    for name, weights in whole.items():
        np.testing.assert_array_equal(resumed[name], weights, err_msg=name)


@pytest.mark.skipif(importlib.util.find_spec("bitsandbytes") is not None, reason="it is installed here")
def test_without_bitsandbytes_the_refusal_says_what_to_install(small_generator: Path) -> None:
    with pytest.raises(ModelUnusable, match="pip install bitsandbytes=="):
        generator_model.opened(str(small_generator), "qlora")


def test_an_adapter_is_no_base_for_another_in_four_bits(tmp_path: Path, tiny_generator: Path) -> None:
    with pytest.raises(ModelUnusable, match="export"):
        generator_model.opened(str(adapted(tiny_generator, tmp_path / "adapter")), "qlora")


@installed
def test_it_is_merged_into_the_whole_base(tmp_path: Path, small_generator: Path, asked: dict[str, object]) -> None:
    merged = train(tmp_path / "merged", **asked, merge=True)
    assert adapter_base(merged) is None and nats_a_token(merged) < nats_a_token(small_generator) / 2
    assert [one.name for one in (tmp_path / "merged").iterdir() if one.name.startswith("tmp")] == []
