"""Generators in the registry: registered with samples, served, swapped under a stream, counted, exported."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from models_service import admission, memory, model_files
from models_service.engines.causal import CausalEngine
from models_service.engines.generating import Generation
from models_service.errors import ModelsError
from models_service.export import export
from models_service.model_files import ModelUnusable
from models_service.protocol import GenerateDone, GenerateRequest
from models_service.registry import Model, Registry, versions_in
from models_service.service import Service
from models_service.versions import Versions

PROMPT = "The bridge"


def changed(source: Path, target: Path, factor: float) -> Path:
    """The same model with other weights in one place."""
    shutil.copytree(source, target)
    weights = load_file(target / "model.safetensors")
    name = next(name for name in weights if name.endswith("layers.0.mlp.down_proj.weight"))
    weights[name] = weights[name] * factor
    save_file(weights, target / "model.safetensors", metadata={"format": "pt"})
    return target


def adapted(base: Path, folder: Path) -> Path:
    """An adapter that does something."""
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(3)
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), LoraConfig(
        r=2, task_type="CAUSAL_LM", target_modules="all-linear", init_lora_weights=False,
    ))
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def versions(tiny_generator: Path, tmp_path_factory: pytest.TempPathFactory) -> Versions:
    """Two versions of "writer", the first of them served."""
    folder = tmp_path_factory.mktemp("generators")
    registered = versions_in(folder / "models")
    admission.register(registered, tiny_generator, "writer")
    admission.register(registered, changed(tiny_generator, folder / "other", 3.0), "writer")
    registered.promote("writer", "v1")
    return registered


@pytest.fixture
async def service(versions: Versions) -> AsyncIterator[Service]:
    made = Service(Registry(folder=versions.folder))
    yield made
    await made.close()
    versions.promote("writer", "v1")


def asked(tokens: int = 12, **more) -> GenerateRequest:
    return GenerateRequest(id="1", prompt=PROMPT, max_tokens=tokens, temperature=0, **more)


async def write(service: Service, request: GenerateRequest) -> GenerateDone:
    async with aclosing(service.generate(request, lambda: None)) as pieces, asyncio.timeout(120):
        *_, done = [piece async for piece in pieces]
    return done


def test_a_version_keeps_what_it_is_and_how_it_goes_on(versions: Versions) -> None:
    record = versions.record("writer", "v1")
    assert record.kind == "generator" and "samples.json" in record.files
    kept = json.loads((versions.directory("writer", "v1") / "samples.json").read_text())["texts"]
    assert all(len(one["tokens"]) == len(one["logprobs"]) == 16 for one in kept)
    other = json.loads((versions.directory("writer", "v2") / "samples.json").read_text())["texts"]
    assert [one["tokens"] for one in kept] != [one["tokens"] for one in other]


def test_weights_that_go_on_otherwise_than_the_samples_are_not_served(versions: Versions, tmp_path: Path) -> None:
    folder = changed(versions.directory("writer", "v1"), tmp_path / "copy", 3.0)
    with pytest.raises(ModelUnusable, match="when it was registered"):
        admission.bring_up(Model("writer", "generator", str(folder)))


async def test_the_promoted_generator_writes_and_says_which_version_it_is(service: Service) -> None:
    done = await write(service, asked())
    assert (done.model, done.version, done.usage.completion_tokens) == ("writer", "v1", 12)
    assert service.states()["writer"] == "ready"
    with pytest.raises(ModelsError, match="no model named 'nobody'"):
        await write(service, asked(model="nobody"))
    with pytest.raises(ModelsError, match="needs a generator"):
        await write(service, asked(model="all-MiniLM-L6-v2"))


async def test_a_swap_lets_streams_end_on_the_version_that_they_began_with(
    service: Service, versions: Versions
) -> None:
    before = await write(service, asked(60))
    versions.promote("writer", "v2")
    async with aclosing(service.generate(asked(60), lambda: None)) as stream:
        begun = await anext(stream)
        old = service._live["writer"].serving
        async with asyncio.timeout(120):
            await service._live["writer"].follow()
        after = await write(service, asked(60))
        rest = [piece async for piece in stream]
    assert begun + "".join(rest[:-1]) == before.text and rest[-1].version == "v1"
    assert after.version == "v2" and after.text != before.text
    async with asyncio.timeout(60):
        await old.queue.drain()


async def test_an_adapter_is_served_on_its_base(tiny_generator: Path, tmp_path: Path) -> None:
    registered = versions_in(tmp_path / "models")
    record = admission.register(registered, adapted(tiny_generator, tmp_path / "adapter"), "adapted")
    assert record.kind == "generator"
    registered.promote("adapted", "v1")
    service = Service(Registry(folder=registered.folder))
    plain = CausalEngine("plain", tiny_generator)
    plain.load()
    try:
        done = await write(service, asked())
        row = plain.row(Generation(prompt=PROMPT, max_tokens=12, temperature=0))
        plain.arriving.append(row)
        while plain.arriving or not row.ended:
            plain.step()
        assert done.model == "adapted" and done.text != plain.tokenizer.decode(row.written)
    finally:
        await service.close()
    export(registered_model(registered), tmp_path / "merged")
    assert model_files.adapter_base(tmp_path / "merged") is None
    assert model_files.kind_of(tmp_path / "merged") == "generator"


def registered_model(versions: Versions) -> Model:
    return Registry(folder=versions.folder).find("adapted")


async def test_a_generator_that_fits_in_no_way_is_refused_with_the_sum(versions: Versions) -> None:
    service = Service(Registry(folder=versions.folder), memory_limit=1_000_000)
    try:
        with pytest.raises(ModelsError, match=r"weights .* \+ the texts in the making .* free") as caught:
            await write(service, asked())
        assert caught.value.code == "unavailable"
    finally:
        await service.close()


def test_the_estimate_counts_a_key_and_a_value_for_each_token_and_layer(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({
        "hidden_size": 4096, "num_attention_heads": 32, "num_key_value_heads": 8, "num_hidden_layers": 32,
    }))
    token = 2 * 2 * 32 * 8 * 128 * 4
    tokens = memory.cache_tokens(tmp_path)
    assert tokens == max(memory.LEAST_CACHE_TOKENS, memory.CACHE_BYTES // token)
    assert memory.need(tmp_path, "generator").cache == tokens * token


def test_texts_join_only_while_the_planned_cache_holds_them(tiny_generator: Path) -> None:
    engine = CausalEngine("tiny", tiny_generator)
    engine.load()
    engine.cache_tokens = 100
    rows = [engine.row(Generation(prompt=PROMPT, max_tokens=30, temperature=0)) for _ in range(5)]
    engine.arriving.extend(rows)
    widest = 0
    while not all(row.ended for row in rows):
        engine.step()
        widest = max(widest, len(engine.rows))
    assert widest == 100 // rows[0].most < len(rows)
    assert len({tuple(row.written) for row in rows}) == 1


@pytest.mark.parametrize(("config", "complaint"), [
    ({"architectures": ["LlamaForCausalLM"]}, None), ({"architectures": ["GPT2LMHeadModel"]}, None),
    ({"architectures": ["ViTForImageClassification"]}, "generators are served"),
])
def test_what_a_folder_is_is_told_by_its_settings(tmp_path: Path, config: dict, complaint: str | None) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    if complaint is None:
        assert model_files.kind_of(tmp_path) == "generator"
        return
    with pytest.raises(ModelUnusable, match="generators"):
        model_files.kind_of(tmp_path)


async def test_a_name_or_a_folder_says_which_generator_writes(versions: Versions, tiny_generator: Path) -> None:
    for wanted, version in (("writer", "v1"), (str(tiny_generator), "directory-")):
        service = Service(Registry(folder=versions.folder, generator=wanted))
        try:
            assert (await write(service, asked(2))).version.startswith(version)
        finally:
            await service.close()
