"""Train a classifier of words, which finds entities: each word's first token gets a tag as in B-PER, I-PER or O."""

from __future__ import annotations

import random
from dataclasses import dataclass

import torch

from models_service.engines.classifier import OVERLAP_TOKENS, ClassifierEngine, words_of
from models_service.engines.labelling import NOTHING
from models_service.engines.padding import padded
from models_service.evaluation import spans
from models_service.formats.entities import MarkedText, read_marked
from models_service.training.labelling_model import open_model
from models_service.training.run_folder import RunFolder
from models_service.training.settings_classification import TokenClassificationSettings

NOT_LEARNED = -100
"""The target of a token that is not the first of its word."""


@dataclass(frozen=True)
class Example:
    """A window of a text, a target a token."""

    input_ids: list[int]
    token_type_ids: list[int]
    targets: list[int]


class TokenClassificationTask:
    """Gives the loop its model, batches and loss."""

    def __init__(self, settings: TokenClassificationSettings, run: RunFolder) -> None:
        self.settings = settings
        torch.manual_seed(settings.seed)
        rows: list[MarkedText] = []
        for path in settings.data:
            found = read_marked(path)
            run.say(f"{path.name}: {len(found)} texts, {sum(len(row.entities) for row in found)} entities")
            rows += found
        kinds = sorted({one.label for row in rows for one in row.entities})
        tags = [NOTHING, *(f"{part}-{kind}" for kind in kinds for part in "BI")]
        self._opened = open_model(settings, tags, "tokens")
        self.model = self._opened.model
        self._place = {tag: number for number, tag in enumerate(self._opened.labels)}
        self._examples = [example for row in rows for example in self._windows(row)]
        rng = random.Random(settings.seed)
        self.batches: list[list[int]] = []
        for _ in range(settings.epochs):
            order = list(range(len(self._examples)))
            rng.shuffle(order)
            self.batches += [order[i : i + settings.batch_size] for i in range(0, len(order), settings.batch_size)]
        held_out = read_marked(settings.evaluation) if settings.evaluation else []
        if len(held_out) > settings.evaluation_limit:
            held_out = rng.sample(held_out, settings.evaluation_limit)
        self._held_out = held_out

    def _windows(self, row: MarkedText) -> list[Example]:
        encoded = self._opened.tokenizer(
            row.text, truncation=True, max_length=self.settings.max_length,
            stride=min(OVERLAP_TOKENS, self.settings.max_length // 4), return_overflowing_tokens=True,
            return_offsets_mapping=True, return_token_type_ids=True,
        )
        made = []
        for window, ids in enumerate(encoded["input_ids"]):
            targets = [NOT_LEARNED] * len(ids)
            for _number, start, end, first in words_of(row.text, encoded.word_ids(window),
                                                       encoded["offset_mapping"][window]):
                targets[first] = self._place[_tag(row, start, end)]
            made.append(Example(ids, encoded["token_type_ids"][window], targets))
        return made

    def cost(self, batch: list[int]) -> int:
        """Tokens, padding included."""
        return len(batch) * max(len(self._examples[index].input_ids) for index in batch)

    def loss(self, batch: list[int], device: torch.device) -> torch.Tensor:
        examples = [self._examples[index] for index in batch]
        tokenizer = self._opened.tokenizer
        told = "token_type_ids" in tokenizer.model_input_names
        types = [one.token_type_ids for one in examples] if told else None
        inputs = padded([one.input_ids for one in examples], types, most=self.settings.max_length,
                        pad_id=tokenizer.pad_token_id, where=device)
        targets = torch.full(inputs["input_ids"].shape, NOT_LEARNED)
        for row, one in enumerate(examples):
            targets[row, : len(one.targets)] = torch.tensor(one.targets)
        logits = self.model(**inputs).logits.float()
        return torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.to(device).flatten(), reduction="sum",
                                                 ignore_index=NOT_LEARNED) / (targets >= 0).sum().clamp(min=1)

    def evaluate(self) -> dict[str, float]:
        """As `evaluation/spans.py` has them, of the held-out texts."""
        if not self._held_out:
            return {}
        self.model.eval()
        engine = ClassifierEngine.of(self.model, self._opened.tokenizer, "tokens")
        return spans.metrics(spans.score(engine, self._held_out))

    def save(self, run: RunFolder) -> None:
        self._opened.save(run, self.settings)


def _tag(row: MarkedText, start: int, end: int) -> str:
    """Of a word: B where an entity begins in it, I where it goes on."""
    for one in row.entities:
        if one.start < end and start < one.end:
            return f"{'B' if start <= one.start else 'I'}-{one.label}"
    return NOTHING
