"""`preferences`: whether a causal language model finds the answers likelier that people preferred."""

from __future__ import annotations

import time

from models_service.evaluation.report import Report, from_examples
from models_service.formats.files import FormatError
from models_service.formats.preferences import read_preferences
from webapp.ops.evaluations.generator import generator
from webapp.ops.evaluations.task import Order, Task

DATA = "JSON Lines, CSV or Parquet with prompt (or messages), chosen and rejected"


def _preferences(order: Order) -> Report:
    rows = read_preferences(order.data)[: order.limit]
    name, model = generator(order, "Preferences are")
    from models_service.engines.causal_files import read_causal, read_tokenizer  # these take seconds
    from models_service.evaluation import preferences

    began = time.monotonic()
    measured = read_causal(model.directory()).eval()
    values = preferences.score(measured, read_tokenizer(model.directory()), rows, order.progress, order.keep)
    seconds = time.monotonic() - began
    if not values["accuracy"]:
        raise FormatError(f"{order.data}: no pair fits the model, which reads "
                          f"{preferences.longest_of(measured)} tokens at once; shorten the conversations")
    report = from_examples("preferences", name, order.data.name, values, len(rows), seconds)
    left_out = len(rows) - len(values["accuracy"])
    report.signature = ("mean log-probability of an answer's tokens, its end token included; margin in nats a token"
                        + (f"; left out, as they do not fit the model: {left_out}" if left_out else ""))
    return report


PREFERENCES = Task("whether a text generator finds the preferred answers likelier, token by token", DATA, "",
                   _preferences)
