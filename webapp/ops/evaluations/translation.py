"""`translate`: held-out sentences translated by the form that is served, against their references."""

from __future__ import annotations

import time

from sacrebleu.metrics.chrf import CHRF

from models_service.evaluation.report import Report
from models_service.evaluation.translation import scores, translated
from models_service.formats.parallel import read_pairs
from models_service.opening import loaded
from models_service.registry import TRANSLATOR, named_or_directory
from models_service.translating import choose, offers_of
from webapp.ops.evaluations.task import Order, Task


def _translate(order: Order) -> Report:
    pairs = read_pairs(order.data, order.source, order.target)[: order.limit]
    model = named_or_directory(order.model, "translator", order.models_folder)
    offered = choose(offers_of(model), order.source, order.target, None).pair
    engine = loaded(model, order.models_folder)
    began = time.monotonic()
    made = translated(engine.run, [offered.rewriting(text) for text, _ in pairs], order.progress)
    seconds = time.monotonic() - began
    engine.close()
    told = scores(made, [reference for _, reference in pairs], order.target)
    sentence = CHRF()
    for number, ((source, reference), given) in enumerate(zip(pairs, made, strict=True)):
        chrf = sentence.sentence_score(given, [reference]).score / 100
        order.keep({"id": str(number), "asked": source, "expected": [reference], "given": given,
                    "chrf": round(chrf, 4)})
    return Report(
        task="translate", model=order.model, data=order.data.name, n=len(pairs), metrics=told.metrics,
        intervals=told.intervals, seconds=round(seconds, 1),
        signature="; ".join(f"{name} {signature}" for name, signature in told.signatures.items()),
    )


TRANSLATE = Task("sentences against their translations", "JSONL with a key a language", TRANSLATOR, _translate,
                 needs=("source", "target"))
