"""Which models a client of OpenAI's interface may name, and what each of them does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from django.conf import settings
from django.utils.translation import gettext as _

from models_service.registry import ModelMissing, ModelUnusable, Registry
from webapp.api.openai.errors import NoSuchModel
from webapp.chat import generator
from webapp.settings.places import models_folder

WENDA = "wenda"
"""Answers from the collections: written by the site's generator, or quoted where there is none."""
READER = "wenda-reader"
"""Answers from the collections, always quoted."""

Purpose = Literal["answers", "quotes", "writes", "embeds"]


@dataclass(frozen=True)
class Listed:
    """`created` is in seconds since 1970: when the served version was registered, 0 for what came with the site."""

    id: str
    purpose: Purpose
    created: int = 0

    def body(self) -> dict[str, object]:
        return {"id": self.id, "object": "model", "created": self.created, "owned_by": "wenda",
                "purpose": self.purpose}


def listed() -> list[Listed]:
    """The default of each kind first."""
    return list({one.id: one for one in _listed()}.values())


def find(name: str, *purposes: Purpose) -> Listed:
    """The model of this name that does one of these things. Raises NoSuchModel."""
    fitting = [one for one in listed() if not purposes or one.purpose in purposes]
    found = next((one for one in fitting if one.id == name), None)
    if found is None and name == WENDA and "embeds" in purposes:
        found = fitting[0]
    if found is None:
        raise NoSuchModel(_("There is no model %(name)s for this; there is: %(known)s.") % {
            "name": repr(name[:80]), "known": ", ".join(one.id for one in fitting)})
    return found


def _listed() -> Iterator[Listed]:
    yield Listed(WENDA, "answers")
    yield Listed(READER, "quotes")
    registry = Registry(folder=models_folder(settings.DATA_DIR))
    if own := generator.name():
        yield Listed(own, "writes", _created(registry, own))
    encoder = registry.default_name("encoder")
    yield Listed(encoder, "embeds", _created(registry, encoder))
    for name in registry.names():
        if registry.versions and registry.versions.kind(name) == "generator" and registry.live(name).current:
            yield Listed(name, "writes", _created(registry, name))


def _created(registry: Registry, name: str) -> int:
    try:
        current = registry.live(name).current
        if registry.versions is None or not current:
            return 0
        return int(registry.versions.record(name, current).registered.timestamp())
    except (ModelMissing, ModelUnusable):
        return 0
