"""Which form a sequence-to-sequence model is computed in: the fastest of those that give what the original gives.

Each form is tried once on a few sentences, beside the original in float32: how far its scores part from the
original's, and how long it takes. What came of it is remembered, so that the next start only opens the form that was
chosen.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from models_service import translation_samples
from models_service.engines import conversions
from models_service.engines import seq2seq_ctranslate2 as fast
from models_service.engines.seq2seq_forms import Form, TransformersForm
from models_service.translation_samples import TranslatorSamples

TRIALS = 2
"""Of a form; the quicker one counts, for the first also pays for what is made on first use."""
log = logging.getLogger(__name__)

Shared = tuple[Sequence[int], int, int]
"""What all forms are told: tokens that are never written, the end, and how many tokens are read at once."""
RunWith = Callable[[Form], Callable[[Sequence[Any]], list[Any]]]


def best_form(
    name: str, folder: Path, cache: Path, where: torch.device, shared: Shared, run_with: RunWith
) -> Form:
    """The form that was chosen before, opened; or else chosen now. Whatever goes wrong with CTranslate2, the model as
    it was saved remains."""
    kept = conversions.place(cache, folder)
    try:
        kept.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        log.warning("%s is computed by transformers: %s", name, problem)
        return TransformersForm(folder, where, *shared)
    remembered = conversions.remembered(kept)
    if remembered:
        try:
            return _open(remembered, folder, kept, where, shared)
        except Exception as problem:
            log.warning("%s cannot be computed in the form %s any more: %s", name, remembered, problem)
    return _choose(name, folder, kept, where, shared, run_with)


def _choose(name: str, folder: Path, kept: Path, where: torch.device, shared: Shared, run_with: RunWith) -> Form:
    original = TransformersForm(folder, where, *shared)
    run = run_with(original)
    samples = translation_samples.made(folder, run)
    best: Form = original
    seconds = {original.name: _seconds(samples, run)}
    for form in _others(name, folder, kept, where, shared):
        run = run_with(form)
        try:
            differs = translation_samples.difference(samples, run)
            seconds[form.name] = _seconds(samples, run)
        except Exception as problem:  # whatever the library says of a model that it converted
            log.warning("%s cannot be computed as %s: %s", name, form.name, problem)
            form.close()
            continue
        log.info("%s as %s: %s; %.2f s on %d sentences, against %.2f s of the original", name, form.name, differs,
                 seconds[form.name], len(samples.translations), seconds[original.name])
        if differs.small and seconds[form.name] < seconds[best.name]:
            best = form
            break  # those that follow have more bits
        log.warning("%s is not computed as %s: it %s", name, form.name,
                    "is no faster" if differs.small else "differs too much from the original")
        form.close()
    if best is not original:
        original.close()
    conversions.remember(kept, best.name)
    return best


def _others(name: str, folder: Path, kept: Path, where: torch.device, shared: Shared) -> Iterator[Form]:
    """CTranslate2's forms, the fastest first; none of a model that it does not cover."""
    for kind in fast.compute_types(where.type):
        try:
            yield _open(f"ctranslate2 {kind}", folder, kept, where, shared)
        except fast.NotConverted as problem:
            log.warning("%s is computed by transformers, for CTranslate2 cannot: %s", name, problem)
            return
        except (RuntimeError, ValueError, OSError) as problem:
            log.warning("%s cannot be computed as ctranslate2 %s: %s", name, kind, problem)


def _open(form: str, folder: Path, kept: Path, where: torch.device, shared: Shared) -> Form:
    library, _, kind = form.partition(" ")
    if library == "transformers":
        return TransformersForm(folder, where, *shared)
    return fast.CTranslate2Form(fast.converted(folder, kept, kind), where.type, kind, *shared)


def _seconds(samples: TranslatorSamples, run: Callable[[Sequence[Any]], list[Any]]) -> float:
    inputs = [one.pair.rewriting(one.text) for one in samples.translations]
    taken = []
    for _ in range(TRIALS):
        began = time.perf_counter()
        run(inputs)
        taken.append(time.perf_counter() - began)
    return round(min(taken), 4)
