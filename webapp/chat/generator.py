"""Whether answers are quoted or written by a text generator, and by which.

A matter of the settings, or of the registry: a generator that is promoted writes from the next question on.
"""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from models_service.registry import ModelMissing, ModelUnusable, Registry
from webapp.settings.places import models_folder


def writes() -> bool:
    """Whether a text generator writes the answers."""
    return bool(settings.HAS_GENERATOR or name())


def name() -> str:
    """The generator's, as it is asked for; "" where answers are quoted."""
    if settings.GENERATOR:
        return Path(settings.GENERATOR).resolve().name if Path(settings.GENERATOR).is_dir() else settings.GENERATOR
    if settings.HAS_GENERATOR:
        return settings.GENERATOR_MODEL
    try:
        return Registry(folder=models_folder(settings.DATA_DIR)).default_name("generator")
    except (ModelMissing, ModelUnusable):
        return ""
