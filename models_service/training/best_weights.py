"""Early stopping: the weights that did best on the held-out rows are kept, and training ends when they stay the best.

What is known lies in the run's folder, so that a run that was interrupted goes on as if it had not been.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from models_service.training.run_folder import RunFolder

Goodness = Callable[[Mapping[str, float]], float]
"""Of an evaluation's metrics; higher is better."""


class BestWeights:
    """`patience`: training ends after so many evaluations in a row that were no better."""

    def __init__(
        self, run: RunFolder, trained: Mapping[str, torch.nn.Parameter], goodness: Goodness, patience: int
    ) -> None:
        self._trained = trained
        self._goodness = goodness
        self._patience = patience
        self._state = run.path / "best.json"
        self._weights = run.path / "best.safetensors"
        self._known: dict[str, Any] = json.loads(self._state.read_text()) if self._state.is_file() else {}

    @property
    def seen_at(self) -> int:
        """The step of the last evaluation that was taken into account."""
        return self._known.get("seen_at", 0)

    @property
    def stops(self) -> bool:
        return self._known.get("no_better", 0) >= self._patience

    def see(self, step: int, metrics: Mapping[str, float]) -> None:
        """The weights as they stand now gave these metrics."""
        value = self._goodness(metrics)
        if not self._known or value > self._known["value"]:
            save_file({name: p.detach().cpu().contiguous() for name, p in self._trained.items()},
                      fresh := self._weights.with_suffix(".new"))
            fresh.replace(self._weights)
            self._known = {"step": step, "value": value, "metrics": dict(metrics), "no_better": 0}
        else:
            self._known["no_better"] += 1
        self._known["seen_at"] = step
        fresh = self._state.with_suffix(".new")
        fresh.write_text(json.dumps(self._known))
        fresh.replace(self._state)

    @torch.no_grad()
    def put_back(self) -> tuple[int, dict[str, float]]:
        """The best weights where the last ones are; the step and the metrics they were seen with."""
        kept = load_file(self._weights)
        for name, p in self._trained.items():
            p.copy_(kept[name])
        return self._known["step"], self._known["metrics"]
