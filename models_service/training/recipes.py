"""The fine-tunes that there are: for each task its settings and its recipe. A new one is a file and a line here.

Nothing is imported before it is asked for: recipes bring the model libraries with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from models_service.training.settings import LoopSettings

TRAINING = "models_service.training"


@dataclass(frozen=True)
class Recipe:
    """`settings` and `task` are "module:name" within this package; `rows` is the name of its data's rows in
    `formats/checking.py`; `watched` is the metric by which two trainings are compared."""

    settings_at: str
    task_at: str
    rows: str
    watched: str
    is_lower_better: bool = False

    @property
    def settings(self) -> type[LoopSettings]:
        return _load(self.settings_at)

    @property
    def task(self) -> Any:
        """Called with (settings, run) it gives the loop's Task."""
        return _load(self.task_at)

    def value(self, metrics: Mapping[str, float]) -> float:
        """The watched metric; its mean where there is one a language pair, as in "bleu en-de"."""
        found = [value for name, value in metrics.items() if name.split()[0] == self.watched]
        return sum(found) / len(found)

    def goodness(self, metrics: Mapping[str, float]) -> float:
        """The watched metric, turned round where lower is better."""
        return -self.value(metrics) if self.is_lower_better else self.value(metrics)


RECIPES = {
    "qa": Recipe("settings:QaSettings", "qa:QaTask", "qa", "f1"),
    "translate": Recipe("settings:TranslateSettings", "translate:TranslateTask", "translate", "bleu"),
    "summarize": Recipe("settings:SummarizeSettings", "summarize:SummarizeTask", "summarize", "rougeL"),
    "causal": Recipe("settings_causal:CausalSettings", "causal:CausalTask", "chat", "perplexity",
                     is_lower_better=True),
    "classification": Recipe("settings_classification:ClassificationSettings", "classification:ClassificationTask",
                             "classification", "accuracy"),
    "token-classification": Recipe("settings_classification:TokenClassificationSettings",
                                   "token_classification:TokenClassificationTask", "token-classification",
                                   "f1_micro"),
    "preferences": Recipe("settings_preferences:PreferencesSettings", "preferences:PreferencesTask", "preferences",
                          "preference_loss", is_lower_better=True),
    "retrieval": Recipe("settings_retrieval:RetrievalSettings", "retrieval:RetrievalTask", "retrieval", "ndcg@10"),
}


def _load(place: str) -> Any:
    module, name = place.split(":")
    return getattr(import_module(f"{TRAINING}.{module}"), name)
