"""Train a classifier of texts: an encoder with a head that gives each label a share, by LoRA or in full."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from models_service.base_models import resolve
from models_service.engines.classifier import ClassifierEngine
from models_service.engines.padding import padded
from models_service.evaluation import classification
from models_service.formats.files import FormatError
from models_service.formats.labelled import LabelledText, read_labelled
from models_service.training.augmentation import augmented, shares_of
from models_service.training.labelling_model import labels_of, open_model
from models_service.training.run_folder import RunFolder
from models_service.training.settings_classification import ClassificationSettings


class ClassificationTask:
    """Gives the loop its model, batches and loss."""

    def __init__(self, settings: ClassificationSettings, run: RunFolder) -> None:
        self.settings = settings
        torch.manual_seed(settings.seed)
        rows: list[LabelledText] = []
        for path in settings.data:
            found = read_labelled(path)
            run.say(f"{path.name}: {len(found)} texts, {len({row.label for row in found})} labels")
            rows += found
        self._opened = open_model(settings, _labels(settings, rows), "text")
        self.model = self._opened.model
        rows = augmented(rows, shares_of(settings), settings.seed, run, text_of=lambda row: row.text,
                         with_text=lambda row, text: replace(row, text=text))
        self._texts = [row.text for row in rows]
        place = {label: number for number, label in enumerate(self._opened.labels)}
        self._targets = [place[row.label] for row in rows]
        self._weights = balanced(self._targets, len(place)) if settings.class_weights == "balanced" else None
        rng = random.Random(settings.seed)
        self.batches = [batch for _ in range(settings.epochs) for batch in _shuffled(len(rows), settings, rng)]
        held_out = read_labelled(settings.evaluation) if settings.evaluation else []
        self.private = None
        if settings.private_epsilon:
            if {row.text for row in rows} & {row.text for row in held_out}:
                raise FormatError("a text of the data is held out too; a private training does not cover what is "
                                  "measured, so that no text may stand on both sides")
            from models_service.training.private import PrivateTraining  # it loads opacus

            self.private = PrivateTraining(len(rows), settings, settings.private_epsilon, settings.private_delta)
        if len(held_out) > settings.evaluation_limit:
            held_out = rng.sample(held_out, settings.evaluation_limit)
        self._held_out = held_out

    def cost(self, batch: list[int]) -> int:
        """Characters, padding included: tokens go with them."""
        return len(batch) * max(len(self._texts[index]) for index in batch)

    def loss(self, batch: list[int], device: torch.device) -> torch.Tensor:
        tokenizer = self._opened.tokenizer
        tokens = tokenizer([self._texts[index] for index in batch], truncation=True,
                           max_length=self.settings.max_length)
        inputs = padded(tokens["input_ids"], tokens.get("token_type_ids"), most=self.settings.max_length,
                        pad_id=tokenizer.pad_token_id, where=device)
        targets = torch.tensor([self._targets[index] for index in batch], device=device)
        weights = None if self._weights is None else self._weights.to(device)
        return torch.nn.functional.cross_entropy(self.model(**inputs).logits.float(), targets, weights)

    def evaluate(self) -> dict[str, float]:
        """As `evaluation/classification.py` has them, of the held-out texts."""
        if not self._held_out:
            return {}
        self.model.eval()
        engine = ClassifierEngine.of(self.model, self._opened.tokenizer, "text")
        return classification.metrics(classification.score(engine, self._held_out))

    def save(self, run: RunFolder) -> None:
        self._opened.save(run, self.settings)


def _labels(settings: ClassificationSettings, rows: Sequence[LabelledText]) -> list[str]:
    """The outputs of a new head.

    Raises:
        FormatError: the data has others than are named, or a private training would learn them from the data.
    """
    found = {row.label for row in rows}
    if settings.labels:
        if others := sorted(found - set(settings.labels))[:10]:
            raise FormatError(f"the data has labels that the setting “labels” does not name: {', '.join(others)}")
        return list(dict.fromkeys(settings.labels))
    if settings.private_epsilon and not labels_of(Path(resolve(settings.base)), "text"):
        raise FormatError("a private training must not take from the data which labels there are, as one row could "
                          "bring one: name them in the setting “labels”, or start from a classifier that has them")
    return sorted(found)


def balanced(targets: Sequence[int], labels: int) -> torch.Tensor:
    """A weight a label, so that all labels together count the same; 0 for one that is not there."""
    counts = Counter(targets)
    return torch.tensor([len(targets) / (len(counts) * counts[number]) if counts[number] else 0.0
                         for number in range(labels)])


def _shuffled(rows: int, settings: ClassificationSettings, rng: random.Random) -> list[list[int]]:
    order = list(range(rows))
    rng.shuffle(order)
    return [order[begin : begin + settings.batch_size] for begin in range(0, rows, settings.batch_size)]
