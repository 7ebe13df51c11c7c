"""Which directories are models, which are refused, and a reader that is missing or comes later."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from models_service import registry
from models_service.engines.reading import Reading
from models_service.errors import ModelsError
from models_service.opening import load_reader
from models_service.protocol import ReadRequest
from models_service.registry import Model, ModelMissing, ModelUnusable, Registry
from models_service.service import Service

ASK = ReadRequest(id="1", question="When was it opened?", passages=["The bridge was opened in 1973."])


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        (["config.json", "pytorch_model.bin"], "a pickle"),
        (["adapter_config.json", "adapter_model.bin"], "a pickle"),
        (["config.json"], "no model.safetensors"),
        (["adapter_config.json", "model.safetensors"], "no adapter_model.safetensors"),
        (["model.safetensors"], "holds no model"),
    ],
)
def test_a_directory_without_safetensors_is_refused(tmp_path: Path, files: list[str], complaint: str) -> None:
    for name in files:
        (tmp_path / name).write_text("{}")
    with pytest.raises(ModelUnusable, match=complaint):
        Model("mine", "reader", str(tmp_path)).directory()


def test_an_adapter_on_a_pickled_base_is_refused(tmp_path: Path) -> None:
    base, adapter = tmp_path / "base", tmp_path / "adapter"
    for folder, names in ((base, ["config.json", "pytorch_model.bin"]), (adapter, ["adapter_model.safetensors"])):
        folder.mkdir()
        for name in names:
            (folder / name).write_text("{}")
    (adapter / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(base)}))
    with pytest.raises(ModelUnusable, match="a pickle"):
        load_reader(str(adapter))


def test_a_model_that_is_not_there_is_named_with_the_mend(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="finetune qa"):
        Registry({registry.READER: tmp_path / "none"}).default("reader").directory()
    with pytest.raises(ModelMissing, match="there are: all-MiniLM-L6-v2, wenda-reader, "):
        Registry().find("gpt")


def test_a_broken_calibration_is_refused(tmp_path: Path) -> None:
    (tmp_path / "calibration.json").write_text('{"weights": "heavy"}')
    with pytest.raises(ModelUnusable, match="not a calibration"):
        registry.calibration(tmp_path)


def test_an_adapter_reads_as_the_model_it_was_saved_from(tmp_path: Path, tiny_reader: Path) -> None:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    from models_service.engines.reader import ReaderEngine

    model = get_peft_model(
        AutoModelForQuestionAnswering.from_pretrained(tiny_reader),
        LoraConfig(r=4, task_type="QUESTION_ANS", target_modules=["query", "value"], modules_to_save=["qa_outputs"]),
    )
    torch.manual_seed(1)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if "lora_" in name or "modules_to_save" in name:
                weights.normal_(std=0.5)
    model.save_pretrained(tmp_path)
    asked = [Reading("When?", "The bridge over the strait was opened in 1973.", 3)]
    expected = ReaderEngine(model, AutoTokenizer.from_pretrained(tiny_reader)).run(asked)
    found = load_reader(str(tmp_path)).run(asked)
    assert [span.text for span in found[0]] == [span.text for span in expected[0]]
    np.testing.assert_allclose([s.score for s in found[0]], [s.score for s in expected[0]], rtol=0.05, atol=0.05)


async def test_without_a_reader_the_service_is_ready_refuses_questions_and_takes_one_that_comes_later(
    tmp_path: Path, tiny_reader: Path
) -> None:
    service = Service(Registry({registry.READER: tmp_path / "reader"}))
    service.start()
    try:
        assert not service.ready()
        async with asyncio.timeout(120):
            while not service.ready():
                await asyncio.sleep(0.02)
        with pytest.raises(ModelsError) as caught:
            await service.answer(ASK, lambda: None)
        assert (caught.value.code, caught.value.retryable) == ("unavailable", False)
        assert "not installed" in caught.value.message and str(tmp_path) not in caught.value.message
        assert service.states()[registry.READER].startswith("missing")
        shutil.copytree(tiny_reader, tmp_path / "reader")
        done = await service.answer(ASK, lambda: None)
        assert done.spans[0] and service.states()[registry.READER] == "ready"
    finally:
        await service.close()


async def test_a_model_that_fails_to_load_refuses_its_requests_and_leaves_the_service_up(
    tmp_path: Path, tiny_reader: Path
) -> None:
    shutil.copytree(tiny_reader, tmp_path / "reader")
    (tmp_path / "reader" / "model.safetensors").write_bytes(b"not weights")
    service = Service(Registry({registry.READER: tmp_path / "reader"}))
    try:
        with pytest.raises(ModelsError) as caught:
            await service.answer(ASK, lambda: None)
        assert (caught.value.code, service.states()[registry.READER]) == ("unavailable", "failed")
    finally:
        await service.close()
