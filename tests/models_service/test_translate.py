"""Translation through the service: a registered translator serves its pairs, and what is not offered is said."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from models_service import admission, samples
from models_service.client import ModelService
from models_service.errors import ModelsError, ModelsUnavailable
from models_service.in_process import InProcessModels
from models_service.model_files import ModelUnusable
from models_service.opening import load_translator
from models_service.protocol import LanguagesRequest, TranslateRequest
from models_service.registry import TRANSLATOR, Registry, versions_in
from models_service.service import Service
from models_service.versions import Versions
from tests.models_service.conftest import ServiceProcess
from tests.models_service.tiny_translator import save_tiny_translator

TEXTS = ["Where is the nearest station?", "The train leaves at 7:45.", "I have never seen such a beautiful garden."]


@pytest.fixture(scope="module")
def translator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_translator(tmp_path_factory.mktemp("tiny-translator"))


@pytest.fixture(scope="module")
def versions(translator: Path, tmp_path_factory: pytest.TempPathFactory) -> Versions:
    """A registry in which the tiny translator is served."""
    versions = versions_in(tmp_path_factory.mktemp("models"))
    admission.register(versions, translator, TRANSLATOR)
    versions.promote(TRANSLATOR, "v1")
    return versions


@pytest.fixture(scope="module")
def process(versions: Versions) -> Iterator[ServiceProcess]:
    process = ServiceProcess(None, models=versions.folder, OMP_NUM_THREADS="1")
    process.start()
    try:
        process.wait_until_ready()
        yield process
    finally:
        process.stop()


async def test_a_registered_translator_translates_over_the_socket_as_it_does_in_process(
    process: ServiceProcess, versions: Versions
) -> None:
    async with ModelService([process.url]) as models, InProcessModels(folder=versions.folder) as local:
        pairs = await models.languages()
        assert {(pair.source, pair.target) for pair in pairs} == {("en", "de"), ("de", "en"), ("en", "zh")}
        assert pairs[0].model == TRANSLATOR and pairs[0].figures == {"bleu": 1.5, "data": "made up", "n": 3}
        assert pairs == await local.languages()
        done = await models.translate(TEXTS, source="en", target="de", n_best=2)
        here = await local.translate(TEXTS, source="en", target="de", n_best=2)
    assert (done.model, done.version) == (TRANSLATOR, "v1")
    assert [len(candidates) for candidates in done.translations] == [2, 2, 2]
    assert all(first.score >= second.score for first, second in done.translations)
    assert done.translations == here.translations


async def test_what_cannot_be_translated_is_said(process: ServiceProcess) -> None:
    async with ModelService([process.url]) as models:
        with pytest.raises(ModelsError, match="No model translates en into fr; there are: .*en-de") as caught:
            await models.translate(TEXTS, source="en", target="fr")
        assert (caught.value.code, caught.value.retryable) == ("not_found", False)
        with pytest.raises(ModelsError, match="no translator named 'mine'; there are: wenda-translator"):
            await models.translate(TEXTS, source="en", target="de", model="mine")
        for wrong in ({"texts": []}, {"texts": ["a" * 2001]}, {"n_best": 6}, {"source": "English"}):
            with pytest.raises(ModelsError) as caught:
                await models.translate(**({"texts": TEXTS, "source": "en", "target": "de"} | wrong))
            assert caught.value.code == "bad_request"
        done = await models.translate(["", " \n"], source="en", target="de")
        assert [candidates[0].text for candidates in done.translations] == ["", ""]


async def test_without_a_translator_there_are_no_languages_and_a_clear_refusal(tmp_path: Path) -> None:
    registry = Registry(folder=tmp_path)
    registry._starters.pop(TRANSLATOR)  # as where the starter is not installed
    service = Service(registry)
    try:
        assert (await service.answer(LanguagesRequest(id="1"), lambda: None)).pairs == []
        with pytest.raises(ModelsUnavailable, match="No translator is installed"):
            await service.answer(TranslateRequest(id="2", texts=["a"], source="en", target="de"), lambda: None)
    finally:
        await service.close()


async def test_what_a_reader_of_the_translation_should_know_is_noted(process: ServiceProcess) -> None:
    long = "Where is the nearest station, " * 20
    async with ModelService([process.url]) as models:
        done = await models.translate([TEXTS[0], long, "Where is 😀 the Ωstation?"], source="en", target="de")
    notes = {(note.index, note.kind): note.what for note in done.notes}
    assert (1, "pieces") in notes and (0, "pieces") not in notes
    assert notes[2, "unknown"] == "😀Ω" and (0, "unknown") not in notes


async def test_a_cancelled_request_leaves_the_engine_to_the_next(process: ServiceProcess) -> None:
    async with ModelService([process.url]) as models:
        await models.translate(TEXTS, source="en", target="de")
        long = asyncio.create_task(models.translate(TEXTS * 150, source="en", target="de", beam_size=10, client="a"))
        started = 'wenda_models_requests_total{outcome="cancelled",type="translate"}'
        before = process.metric(started)
        await models.translate(TEXTS[:1], source="en", target="de", client="b")  # another client gets a turn between
        assert not long.done()
        long.cancel()
        await asyncio.gather(long, return_exceptions=True)
        done = await models.translate(TEXTS[:1], source="en", target="zh")
        assert len(done.translations) == 1 and process.metric(started) == before + 1


async def test_a_request_that_gets_no_turn_in_time_is_told_so(versions: Versions) -> None:
    service = Service(Registry(folder=versions.folder))
    request = TranslateRequest(id="1", texts=TEXTS, source="en", target="de", deadline_ms=1)
    try:
        with pytest.raises(ModelsError) as caught:  # loading takes longer
            await service.answer(request, lambda: None)
        assert (caught.value.code, caught.value.retryable) == ("deadline", True)
    finally:
        await service.close()


def test_what_does_not_translate_as_it_did_does_not_go_live(versions: Versions, tmp_path: Path) -> None:
    folder = versions.folder.parent / "other"
    shutil.copytree(versions.directory(TRANSLATOR, "v1"), folder)
    kept = json.loads((folder / "samples.json").read_text())
    assert {one["pair"]["target"] for one in kept["translations"]} == {"de", "en", "zh"}
    samples.check(folder, "translator", load_translator(str(folder)))
    other = save_tiny_translator(tmp_path / "other", seed=1)
    with pytest.raises(ModelUnusable, match="does not translate as it did when it was registered"):
        samples.check(folder, "translator", load_translator(str(other)))
