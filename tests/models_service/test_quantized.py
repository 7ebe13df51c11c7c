"""Generators with weights in 8 and 4 bits: as good as the whole ones, smaller, and refused without bitsandbytes.

bitsandbytes is an extra (requirements-gpu.txt); where it is not installed only the refusal can be tested.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from models_service import admission, generator_samples, memory
from models_service.engines.causal import CausalEngine
from models_service.engines.continuing import Continuation, Continued
from models_service.engines.generating import Generation
from models_service.model_files import ModelUnusable
from models_service.registry import Model, versions_in
from tests.models_service.test_generators import adapted
from tests.models_service.tiny_generator import save_tiny_generator

installed = pytest.mark.skipif(importlib.util.find_spec("bitsandbytes") is None, reason="an extra")
PROMPT = "The bridge over the strait"


def opened(folder: Path, dtype: str) -> CausalEngine:
    engine = CausalEngine("writer", folder, dtype)
    engine.load()
    return engine


@installed
@pytest.mark.parametrize(("dtype", "moved"), [("int8", 0.1), ("nf4", 1.0)])
def test_fewer_bits_weigh_tokens_nearly_as_the_whole_weights_do_in_less_memory(
    small_generator: Path, dtype: str, moved: float
) -> None:
    whole, small = opened(small_generator, "float32"), opened(small_generator, dtype)
    [wanted] = whole.run([Continuation(PROMPT)])
    [found] = small.run([Continuation(PROMPT, wanted.tokens)])
    assert found.logprobs == pytest.approx(wanted.logprobs, abs=moved)
    taken = small.model.get_memory_footprint()
    assert taken < whole.model.get_memory_footprint() / 2
    assert memory.need(small_generator, "generator", dtype).weights == pytest.approx(taken, rel=0.15)


@installed
@pytest.mark.parametrize("dtype", ["int8", "nf4"])
def test_several_texts_are_written_at_once(small_generator: Path, dtype: str) -> None:
    engine = opened(small_generator, dtype)
    rows = [engine.row(Generation(prompt=PROMPT, max_tokens=8, temperature=0)) for _ in range(3)]
    engine.arriving.extend(rows)
    while not all(row.ended for row in rows):
        engine.step()
    assert engine.largest_batch == 3 and len({tuple(row.written) for row in rows}) == 1


@installed
def test_a_registered_version_serves_in_8_bits_and_an_adapter_stays_beside_its_base(
    small_generator: Path, tmp_path: Path
) -> None:
    versions = versions_in(tmp_path / "models")
    for name, folder in (("whole", small_generator), ("adapted", adapted(small_generator, tmp_path / "adapter"))):
        record = admission.register(versions, folder, name)
        place = str(versions.directory(name, record.version))
        engine = admission.bring_up(Model(name, "generator", place, record.version, "int8"), versions)
        assert engine.dtype == "int8"
        engine.close()


@pytest.mark.skipif(importlib.util.find_spec("bitsandbytes") is not None, reason="it is installed here")
def test_without_bitsandbytes_the_refusal_says_what_to_install(tiny_generator: Path) -> None:
    with pytest.raises(ModelUnusable, match="pip install bitsandbytes=="):
        opened(tiny_generator, "nf4")


def test_what_is_not_quantized_is_counted_whole(tmp_path: Path) -> None:
    folder = save_tiny_generator(tmp_path)
    hidden, inner, layers = 64, 128, 2
    matrices = layers * (2 * hidden * hidden + 2 * hidden * hidden // 2 + 3 * hidden * inner)
    vectors = layers * 2 * hidden + hidden
    outer = 2 * json.loads((folder / "config.json").read_text())["vocab_size"] * hidden  # embedding and head
    assert memory.need(folder, "generator", "float32").weights == 4 * (outer + vectors + matrices)
    assert memory.need(folder, "generator", "int8").weights == int(
        4 * (outer + vectors) + matrices * memory.QUANTIZED_BYTES["int8"])
    assert memory.need(folder, "generator", "float16").weights == memory.need(folder, "generator").weights // 2


def test_a_token_may_move_further_in_4_bits() -> None:
    kept = generator_samples.GeneratorSamples(texts=[generator_samples.GeneratorSample(
        prompt="a", tokens=[1], text="b", logprobs=[-1.0])])
    changed = [Continued((1,), "b", (-1.8,), (0.0,))]
    generator_samples.compare(kept, lambda _: changed, "nf4")
    with pytest.raises(ModelUnusable, match="log-probability of -1.80"):
        generator_samples.compare(kept, lambda _: changed, "int8")
