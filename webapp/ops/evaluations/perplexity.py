"""`perplexity`: how well a causal language model foretells texts."""

from __future__ import annotations

import time

from models_service.evaluation.report import Report
from models_service.formats.corpus import read_corpus
from models_service.formats.files import FormatError
from webapp.ops.evaluations.generator import generator
from webapp.ops.evaluations.task import Order, Task

DATA = "text, JSON Lines (text, messages or a key a language) or SQuAD JSON, whose paragraphs are read; gzip allowed"


def _perplexity(order: Order) -> Report:
    documents = read_corpus(order.data, order.source or "en")[: order.limit]
    name, model = generator(order, "Perplexity is")
    from models_service.engines.causal_files import read_causal, read_tokenizer  # these take seconds
    from models_service.evaluation import perplexity

    began = time.monotonic()
    folder = model.directory()
    measured = read_causal(folder).eval(), read_tokenizer(folder)
    scored = perplexity.score(*measured, documents, progress=order.progress)
    try:
        metrics = perplexity.metrics(scored)
    except ValueError as problem:
        raise FormatError(f"{order.data}: {problem}") from None
    return Report(
        task="perplexity", model=name, data=order.data.name, n=len(documents),
        metrics={name: round(value, 4) for name, value in metrics.items()},
        intervals={name: (round(low, 4), round(high, 4))
                   for name, (low, high) in perplexity.intervals(scored).items()},
        seconds=round(time.monotonic() - began, 1),
        signature=f"nats a token of the model's own vocabulary, end tokens included; windows of "
                  f"{perplexity.context_of(measured[0])} tokens that overlap by half; "
                  f"{sum(one.tokens for one in scored)} tokens",
    )


PERPLEXITY = Task("how well a text generator foretells texts", DATA, "", _perplexity, takes=("source",))
