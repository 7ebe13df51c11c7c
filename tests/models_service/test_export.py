"""An exported version is a whole model in safetensors that gives what the adapter gave."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models_service import samples
from models_service.export import export
from models_service.model_files import ModelUnusable, adapter_base
from models_service.opening import load_reader
from models_service.registry import Model


@pytest.fixture
def adapter(tmp_path: Path, tiny_reader: Path) -> Path:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForQuestionAnswering

    model = get_peft_model(
        AutoModelForQuestionAnswering.from_pretrained(tiny_reader),
        LoraConfig(r=4, task_type="QUESTION_ANS", target_modules=["query", "value"], modules_to_save=["qa_outputs"]),
    )
    torch.manual_seed(1)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if "lora_" in name or "modules_to_save" in name:
                weights.normal_(std=0.5)
    model.save_pretrained(tmp_path / "adapter")
    (tmp_path / "adapter" / "calibration.json").write_text('{"weights": {"margin": 2.0}, "intercept": 0.5}')
    return tmp_path / "adapter"


def test_an_adapter_is_merged_into_a_model_that_needs_nothing_else(adapter: Path, tmp_path: Path) -> None:
    target = tmp_path / "out" / "merged"
    export(Model("mine", "reader", str(adapter), "v1"), target)
    assert adapter_base(target) is None and (target / "model.safetensors").is_file()
    assert not list(target.glob("*.bin")) and not (target / "samples.json").exists()
    one, other = load_reader(str(adapter)), load_reader(str(target))
    assert other.calibration == one.calibration
    for then, now in zip(one.run(samples.READINGS), other.run(samples.READINGS), strict=True):
        assert (now[0].start, now[0].end) == (then[0].start, then[0].end)
        np.testing.assert_allclose(now[0].score, then[0].score, atol=0.1, rtol=0.02)


def test_an_export_that_fails_leaves_nothing(adapter: Path, tmp_path: Path) -> None:
    (adapter / "adapter_model.safetensors").write_bytes(b"not weights")
    with pytest.raises(Exception):  # noqa: B017 - whatever the libraries raise
        export(Model("mine", "reader", str(adapter), "v1"), tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


def test_a_model_without_safetensors_is_not_exported(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelUnusable, match="no model.safetensors"):
        export(Model("mine", "reader", str(tmp_path), "v1"), tmp_path / "merged")
