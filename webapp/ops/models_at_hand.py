"""The models for a command: those of the running site's model service, or else loaded in this process."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from django.conf import settings

from models_service.client import Models
from webapp.chat import answering
from webapp.ops import health
from webapp.settings.places import models_folder


@asynccontextmanager
async def site_models() -> AsyncIterator[Models]:
    models = await _site_models()
    try:
        yield models
    finally:
        close = getattr(models, "close", None)
        if close is not None:
            await close()


async def _site_models() -> Models:
    if await asyncio.to_thread(health.models) == "ok":
        return answering.model_service()
    from models_service.engines.remote import RemoteGenerator, RemoteServer
    from models_service.in_process import InProcessModels, registered_generator

    remote = RemoteServer.of(os.environ)
    folder = models_folder(settings.DATA_DIR)
    writing = RemoteGenerator(remote) if remote else registered_generator(folder, settings.GENERATOR)
    return InProcessModels(generator=writing, folder=folder)
