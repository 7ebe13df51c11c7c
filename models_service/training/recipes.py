"""The fine-tunes that there are: for each task its settings and its recipe. A new one is a file and a line here.

Nothing is imported before it is asked for: recipes bring the model libraries with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from models_service.training.settings import LoopSettings

TRAINING = "models_service.training"


@dataclass(frozen=True)
class Recipe:
    """`settings` and `task` are "module:name" within this package."""

    settings_at: str
    task_at: str

    @property
    def settings(self) -> type[LoopSettings]:
        return _load(self.settings_at)

    @property
    def task(self) -> Any:
        """Called with (settings, run) it gives the loop's Task."""
        return _load(self.task_at)


RECIPES = {
    "qa": Recipe("settings:QaSettings", "qa:QaTask"),
    "translate": Recipe("settings:TranslateSettings", "translate:TranslateTask"),
    "summarize": Recipe("settings:SummarizeSettings", "summarize:SummarizeTask"),
    "causal": Recipe("settings_causal:CausalSettings", "causal:CausalTask"),
}


def _load(place: str) -> Any:
    module, name = place.split(":")
    return getattr(import_module(f"{TRAINING}.{module}"), name)
