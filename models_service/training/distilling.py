"""What a smaller reader learns from the one that it was made of, and what it came to beside that one."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

import torch
from torch.nn.functional import kl_div

from models_service.engines.reader import ReaderEngine
from models_service.evaluation import reading
from models_service.formats.squad import Question

TEMPERATURE = 2.0
"""Flattens what the teacher says, so that the second-best answers are learned too (Hinton et al. 2015)."""
TIMED = 30
"""Questions whose time is taken, one after another."""


def likeness(logits: torch.Tensor, taught: torch.Tensor) -> torch.Tensor:
    """How far the student is from the teacher, both (texts, tokens), with what may not be chosen masked out."""
    said, shown = ((values / TEMPERATURE).log_softmax(-1) for values in (logits, taught))
    return TEMPERATURE**2 * kl_div(said, shown, log_target=True, reduction="batchmean")


def measured(engine: ReaderEngine, model: torch.nn.Module, questions: Sequence[Question]) -> dict[str, float]:
    """Parameters; on held-out questions also EM, F1 (0 to 100) and the milliseconds of one question, the median."""
    told: dict[str, float] = {"parameters": sum(p.numel() for p in model.parameters())}
    if not questions:
        return told
    values = reading.score(engine, questions)
    taken = []
    for one in questions[:TIMED]:
        began = time.perf_counter()
        engine.read_pairs([(one.question, one.context)], n_best=1)
        taken.append(1000 * (time.perf_counter() - began))
    told |= {name: round(100 * sum(own) / len(own), 2) for name, own in values.items()}
    return {**told, "milliseconds": round(statistics.median(taken), 2)}
