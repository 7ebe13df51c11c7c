"""Promoting and rolling back while the service serves: nothing is dropped, and what cannot serve does not."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from models_service import admission
from models_service.client import ModelService
from models_service.errors import ModelsError
from models_service.protocol import ReadDone, ReadRequest
from models_service.registry import READER, Registry, versions_in
from models_service.service import Service
from models_service.versions import Versions
from tests.models_service.conftest import ServiceProcess
from tests.models_service.tiny_reader import save_tiny_reader

PASSAGES = ["The bridge over the strait was opened to traffic in 1973, fifty years after the republic was founded."]
READERS_AT_ONCE = 8


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Versions:
    """Three readers, the first of them promoted; the third does not give what its samples say."""
    folder = tmp_path_factory.mktemp("registry")
    registered = versions_in(folder / "models")
    for seed in (1, 2, 3):
        save_tiny_reader(folder / f"reader{seed}", seed)
        admission.register(registered, folder / f"reader{seed}", READER)
    samples = (registered.directory(READER, "v2") / "samples.json").read_bytes()
    (registered.directory(READER, "v3") / "samples.json").write_bytes(samples)
    record = registered.record(READER, "v3")
    record.files["samples.json"] = registered.record(READER, "v2").files["samples.json"]
    (registered.directory(READER, "v3") / "version.json").write_text(record.model_dump_json())
    registered.promote(READER, "v1")
    return registered


@pytest.fixture(scope="module")
def process(versions: Versions) -> Iterator[ServiceProcess]:
    service = ServiceProcess(None, models=versions.folder, OMP_NUM_THREADS="1")
    service.start()
    try:
        service.wait_until_ready()
        yield service
    finally:
        service.stop()


def _state(process: ServiceProcess) -> dict:
    return json.loads(process.get("/readyz")[1])


async def _until(process: ServiceProcess, holds: Callable[[dict], bool]) -> dict:
    async with asyncio.timeout(120):
        while not holds(state := await asyncio.to_thread(_state, process)):
            await asyncio.sleep(0.05)
    return state


async def test_five_swaps_under_load_fail_no_request(versions: Versions, process: ServiceProcess) -> None:
    swapped = asyncio.Event()
    answers: list[ReadDone] = []

    async def keep_asking(models: ModelService, client: str) -> None:
        while not swapped.is_set() or len(answers) < 300:
            answers.append(await models.read("When was the bridge opened?", PASSAGES, client=client))

    async with ModelService([process.url], patience_seconds=1) as models:
        asking = [asyncio.create_task(keep_asking(models, str(number))) for number in range(READERS_AT_ONCE)]
        for _ in range(5):
            versions.promote(READER, "v2")
            await _until(process, lambda state: state["versions"][READER] == "v2")
            versions.rollback(READER)
            await _until(process, lambda state: state["versions"][READER] == "v1")
        swapped.set()
        await asyncio.gather(*asking)
    served = Counter(answer.version for answer in answers)
    assert set(served) == {"v1", "v2"} and served.total() >= 300
    spans = {answer.version: answer.spans for answer in answers}
    for answer in answers:
        assert [s.text for s in answer.spans[0]] == [s.text for s in spans[answer.version][0]], "of its own version"
    assert [s.text for s in spans["v1"][0]] != [s.text for s in spans["v2"][0]]


async def test_a_version_that_gives_something_else_than_its_samples_does_not_go_live(
    versions: Versions, process: ServiceProcess
) -> None:
    versions.promote(READER, "v3")
    state = await _until(process, lambda state: READER in state["refused"])
    assert state["versions"][READER] == "v1" and state["models"][READER] == "ready"
    assert "v3 does not serve" in state["refused"][READER] and "when it was registered" in state["refused"][READER]
    assert str(versions.folder) not in state["refused"][READER]
    async with ModelService([process.url]) as models:
        assert (await models.read("When?", PASSAGES)).version == "v1"
    versions.rollback(READER)
    await _until(process, lambda state: not state["refused"])


async def test_a_service_that_starts_with_a_version_that_cannot_serve_serves_the_one_before(
    versions: Versions,
) -> None:
    versions.promote(READER, "v2")
    versions.promote(READER, "v3")
    service = Service(Registry(folder=versions.folder))
    try:
        done = await service.answer(_asked(READER), lambda: None)
        assert done.version == "v2" and "v3 does not serve" in service.refused()[READER]
    finally:
        await service.close()
        versions.promote(READER, "v1")


def _asked(model: str) -> ReadRequest:
    return ReadRequest(id="1", model=model, question="When was it opened?", passages=PASSAGES)


@pytest.fixture
def three_more(tmp_path: Path) -> Registry:
    """Readers under names of their own, beside the defaults: 13 MB while one loads, 9 once it serves."""
    registered = versions_in(tmp_path / "models")
    for seed, name in enumerate(("one", "two", "three")):
        save_tiny_reader(tmp_path / name, seed)
        admission.register(registered, tmp_path / name, name)
        registered.promote(name, "v1")
    return Registry(folder=registered.folder)


async def test_models_beyond_the_budget_push_out_the_one_asked_for_longest_ago(three_more: Registry) -> None:
    service = Service(three_more, memory_limit=25_000_000)
    try:
        for name in ("one", "two", "one", "three"):
            done = await service.answer(_asked(name), lambda: None)
            assert (done.model, done.version) == (name, "v1")
        assert set(service.states()) == {"one", "three"}
        assert (await service.answer(_asked("two"), lambda: None)).model == "two", "it comes back when asked for"
    finally:
        await service.close()


async def test_a_model_that_fits_in_no_way_is_refused_with_the_sum(three_more: Registry) -> None:
    service = Service(three_more, memory_limit=10_000_000)
    try:
        with pytest.raises(ModelsError, match=r"weights 4 \+ .* = 13 MB, and 10 of 10 MB are free") as caught:
            await service.answer(_asked("one"), lambda: None)
        assert (caught.value.code, caught.value.retryable) == ("unavailable", False)
        assert service.states()["one"].startswith("no room")
    finally:
        await service.close()
