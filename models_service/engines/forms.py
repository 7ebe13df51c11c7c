"""In which form a model of the BERT family computes on this machine: float32, bfloat16 or 8 bits.

By default the fastest one that agrees. Each form is compared with float32 on the engine's own probe before it may
serve, and the difference is logged; which one is fastest is measured once, by a short run, and remembered. Vectors of
two forms stay comparable: an index does not care which of them made it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from models_service.engines import conversions, int8
from models_service.engines.precision import agreement, has_bfloat16
from models_service.model_files import FORMS, LEAST_AGREEMENT, Form

RUNS = 2
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choice:
    """`wanted` is None for the fastest. Without a `cache` nothing is converted or measured."""

    wanted: Form | None = None
    cache: Path | None = None


class Body:
    """A model's layers below its head. Made in float32; `settle` brings it into its form."""

    def __init__(self, name: str, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
        self.form: Form = "float32"
        self._name = name
        self._model = model
        self._tokenizer = tokenizer
        self._exact: dict[str, torch.Tensor] | None = None
        self._int8: int8.Int8Body | None = None

    def int8_states(self, ids: Sequence[list[int]], types: Sequence[list[int]] | None = None) -> torch.Tensor | None:
        """The last hidden states, float32 (texts, longest, hidden); None in the other forms, where the model itself
        is to be asked."""
        return self._int8.states(ids, types) if self._int8 else None

    def settle(
        self, choice: Choice, folders: Sequence[Path], probe: Callable[[], np.ndarray],
        work: Callable[[], object] | None = None,
    ) -> None:
        """
        Args:
            folders: those that the model was read from.
            probe: gives rows of results on sample inputs.
            work: computes a batch of the usual size, to be timed. Without it nothing is measured, and 8 bits are
                taken only where they are wanted.
        """
        place = conversions.place(choice.cache, *folders) if choice.cache else None
        able = self._able(place)
        wanted = choice.wanted or (_remembered(place) if place and work else None)
        if wanted == self.form:
            return
        exact = probe()
        if wanted is None and place is not None and work is not None and able:
            wanted = self._fastest(able, place, exact, probe, work)
        elif wanted is None:
            wanted = "bfloat16" if "bfloat16" in able else "float32"
        if wanted == "float32":
            self._take("float32", place)
        elif wanted != self.form and not (wanted in able and self._agrees(wanted, place, exact, probe)):
            log.warning("%s computes in float32, for it cannot in %s", self._name, wanted)
            self._take("float32", place)
        self._exact = None
        if self._int8 is not None:
            self._model.to("meta")  # its memory is free again

    def _able(self, place: Path | None) -> list[Form]:
        found: list[Form] = ["bfloat16"] if has_bfloat16(self._model.device) else []
        return [*found, "int8"] if place is not None and int8.convertible(self._model) else found

    def _fastest(
        self, able: Sequence[Form], place: Path, exact: np.ndarray, probe: Callable[[], np.ndarray],
        work: Callable[[], object],
    ) -> Form:
        seconds = {"float32": self._seconds(work)}
        seconds |= {form: self._seconds(work) for form in able if self._agrees(form, place, exact, probe)}
        best = min(FORMS, key=lambda form: seconds.get(form, np.inf))
        log.info("%s computes in %s; milliseconds of a batch: %s", self._name, best,
                 ", ".join(f"{form} {1000 * taken:.0f}" for form, taken in seconds.items()))
        conversions.remember(place, best)
        return best

    def _seconds(self, work: Callable[[], object]) -> float:
        """Of a batch in the form of now."""
        work()
        taken = []
        for _ in range(RUNS):
            began = time.perf_counter()
            work()
            taken.append(time.perf_counter() - began)
        return min(taken)

    def _agrees(self, form: Form, place: Path | None, exact: np.ndarray, probe: Callable[[], np.ndarray]) -> bool:
        """Whether it computes in this form now, and right. What does not work is no reason not to serve."""
        try:
            self._take(form, place)
            found = agreement(exact, probe())
        except Exception as problem:  # whatever a conversion's libraries raise
            log.warning("%s cannot compute in %s: %s: %s", self._name, form, type(problem).__name__, problem)
            return False
        log.info("%s in %s agrees %.5f with float32", self._name, form, found)
        return found >= LEAST_AGREEMENT[form]

    def _take(self, form: Form, place: Path | None) -> None:
        self._int8 = None
        if self._exact is None:
            self._exact = {name: values.clone() for name, values in self._model.state_dict().items()}
        if form == "bfloat16":
            self._model.to(torch.bfloat16)
        elif self.form == "bfloat16":
            self._model.to(torch.float32)
            self._model.load_state_dict(self._exact)
        self.form = form
        if form == "int8" and place is not None:
            self._int8 = int8.Int8Body(int8.converted(self._model, self._tokenizer, place / "int8"))


def _remembered(place: Path) -> Form | None:
    return next((form for form in FORMS if form == conversions.remembered(place)), None)
