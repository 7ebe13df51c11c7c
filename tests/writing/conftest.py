"""A model service with a tiny translator (its words mean nothing, all around them is real), and what speaks to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from models_service import admission
from models_service.registry import TRANSLATOR, versions_in
from tests.chat.conftest import HOST, Socket, _signed_in
from tests.model_service import RunningModels, running_models
from tests.models_service.tiny_translator import save_tiny_translator

PAIRS = (("en", "de"), ("de", "en"), ("en", "zh"), ("zh", "en"))


@pytest.fixture(scope="session")
def translators_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningModels]:
    versions = versions_in(tmp_path_factory.mktemp("models"))
    admission.register(versions, save_tiny_translator(tmp_path_factory.mktemp("tiny"), pairs=PAIRS), TRANSLATOR)
    versions.promote(TRANSLATOR, "v1")
    with running_models(versions.folder, OMP_NUM_THREADS="1") as running:
        yield running


@pytest.fixture
def translators(translators_process: RunningModels, settings: Any) -> Iterator[RunningModels]:
    """The site's model service."""
    from webapp.chat import answering
    from webapp.writing import translating

    settings.MODELS_SERVICE_URLS = [translators_process.url]
    answering.model_service.cache_clear()
    translating.recent_sentences.__init__()
    translating._pairs.update(at=0.0, pairs=[])
    yield translators_process
    answering.model_service.cache_clear()
    translating._pairs.update(at=0.0, pairs=[])


@pytest.fixture
async def connect(redis_url: str) -> AsyncIterator[Any]:
    """Opens sockets of the translating page: `await connect(user)`."""
    opened: list[Socket] = []

    async def connect(user: Any = None) -> Socket:
        cookies = []
        if user is not None:
            session = await _signed_in(user)
            cookies = [(b"cookie", f"sessionid={session.session_key}".encode())]
        socket = Socket([(b"host", HOST.encode()), *cookies], "/ws/translate/")
        assert await socket.open()
        opened.append(socket)
        return socket

    yield connect
    for socket in opened:
        await socket.leave()
