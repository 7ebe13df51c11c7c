"""Train a summarizer's sentence scorer over an encoder that stays as it is.

Of each text the network is to tell which one sentence comes nearest to the reference summaries by ROUGE; its target
is a distribution over the text's sentences, in which a better one has more (`temperature`).
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from models_service.base_models import resolve
from models_service.engines.encoder import EncoderEngine
from models_service.engines.forms import Choice
from models_service.engines.sentence_features import NAMES, look
from models_service.engines.sentence_scorer import WEIGHTS_FILE, ScorerConfig, vector_inputs
from models_service.evaluation import rouge
from models_service.formats.summaries import Summarized, read_summaries
from models_service.sentences import sentences
from models_service.training.run_folder import RunFolder
from models_service.training.settings import SummarizeSettings
from models_service.words import count_words

MEASURES = ("rouge1", "rouge2", "rougeL")
"""Their mean is what a sentence is worth."""
LONGEST_QUANTILE = 0.99
"""Longer texts than this share of the training's are none that the scorer knows."""
FEWEST_SENTENCES = 2


class SentenceNet(nn.Module):
    """The twin of `SentenceScorer.learned`, which serves its weights."""

    def __init__(self, vector: int, settings: SummarizeSettings) -> None:
        super().__init__()
        self.look = nn.Linear(vector, settings.projection)
        self.inner = nn.Linear(len(NAMES) + settings.projection, settings.hidden_size)
        self.outer = nn.Linear(settings.hidden_size, 1, bias=False)
        self.straight = nn.Linear(len(NAMES), 1, bias=False)
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, features: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
        seen = torch.tanh(self.look(self.dropout(vectors)))
        inner = torch.relu(self.inner(torch.cat([features, seen], dim=-1)))
        return (self.outer(self.dropout(inner)) + self.straight(features))[..., 0]


@dataclass(frozen=True)
class Example:
    """One row a sentence; `worth` holds ROUGE by MEASURES, 0 to 1."""

    features: np.ndarray
    vectors: np.ndarray
    worth: np.ndarray


class SummarizeTask:
    """Gives the loop its model, batches and loss."""

    def __init__(self, settings: SummarizeSettings, run: RunFolder) -> None:
        self.settings = settings
        torch.manual_seed(settings.seed)
        encoder = EncoderEngine("encoder", Path(resolve(settings.base)), Choice(wanted="float32"))
        encoder.load()
        self._examples = [one for path in settings.data for one in self._read(path, encoder, run)]
        held_out = self._read(settings.evaluation, encoder, run) if settings.evaluation else []
        rng = random.Random(settings.seed)
        self._held_out = rng.sample(held_out, min(len(held_out), settings.evaluation_limit))
        encoder.close()
        if not self._examples:
            raise ValueError("No text of the data has two sentences or more: there is nothing to choose from.")
        self.model = SentenceNet(self._examples[0].vectors.shape[1], settings)
        self.batches = [batch for _ in range(settings.epochs) for batch in self._shuffled(rng)]

    def cost(self, batch: list[int]) -> int:
        """Sentences, padding included."""
        return len(batch) * max(len(self._examples[index].worth) for index in batch)

    def loss(self, batch: list[int], device: torch.device) -> torch.Tensor:
        examples = [self._examples[index] for index in batch]
        features, vectors, there = (array.to(device) for array in _padded(examples))
        worth = torch.zeros(there.shape)
        for row, example in enumerate(examples):
            worth[row, : len(example.worth)] = torch.from_numpy(example.worth.mean(axis=1))
        target = (worth.to(device) / self.settings.temperature).masked_fill(~there, -1e4).softmax(-1)
        told = self.model(features, vectors).masked_fill(~there, -1e4).log_softmax(-1)
        return -(target * told).sum(-1).mean()

    @torch.inference_mode()
    def evaluate(self) -> dict[str, float]:
        """ROUGE (0 to 100) of the one sentence that is told best, on the held-out texts."""
        if not self._held_out:
            return {}
        self.model.eval()
        where = next(self.model.parameters()).device
        chosen = []
        for example in self._held_out:
            features, vectors, _ = (array.to(where) for array in _padded([example]))
            chosen.append(example.worth[int(self.model(features, vectors)[0].argmax())])
        return dict(zip(MEASURES, (100 * np.mean(chosen, axis=0)).tolist(), strict=True))

    def save(self, run: RunFolder) -> None:
        """`full` is the training texts' median length in sentences, `none` nearly their greatest."""
        counts = [len(example.worth) for example in self._examples]
        full, none = (round(float(np.quantile(counts, share))) for share in (0.5, LONGEST_QUANTILE))
        run.model.mkdir(exist_ok=True)
        config = ScorerConfig(encoder=self.settings.base, full=full, none=none)
        (run.model / "config.json").write_text(config.model_dump_json(indent=2) + "\n", encoding="utf-8")
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in self.model.state_dict().items()}
        save_file(tensors, run.model / WEIGHTS_FILE, metadata={"format": "pt"})

    def _read(self, path: Path, encoder: EncoderEngine, run: RunFolder) -> list[Example]:
        rows = [(row, _split(row.text)) for row in read_summaries(path)]
        rows = [(row, split) for row, split in rows if len(split) >= FEWEST_SENTENCES]
        run.say(f"{path.name}: {len(rows)} texts of two sentences or more; reading their sentences")
        vectors = iter(encoder.run([sentence for _, split in rows for sentence in split]))
        return [_example(row, split, np.stack([next(vectors) for _ in split])) for row, split in rows]

    def _shuffled(self, rng: random.Random) -> list[list[int]]:
        order = list(range(len(self._examples)))
        rng.shuffle(order)
        return [order[i : i + self.settings.batch_size] for i in range(0, len(order), self.settings.batch_size)]


def _split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


def _example(row: Summarized, split: list[str], vectors: np.ndarray) -> Example:
    looked = look(split, vectors, [count_words(sentence) for sentence in split])
    worth = [list(rouge.of_sentence(sentence, row.summaries).values()) for sentence in split]
    return Example(looked.features, vector_inputs(vectors), np.asarray(worth, dtype=np.float32))


def _padded(examples: list[Example]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Features, vectors and which sentences are there, of texts that differ in their number of sentences."""
    longest = max(len(example.worth) for example in examples)
    features = torch.zeros(len(examples), longest, examples[0].features.shape[1])
    vectors = torch.zeros(len(examples), longest, examples[0].vectors.shape[1])
    there = torch.zeros(len(examples), longest, dtype=torch.bool)
    for row, example in enumerate(examples):
        count = len(example.worth)
        features[row, :count] = torch.from_numpy(example.features)
        vectors[row, :count] = torch.from_numpy(example.vectors)
        there[row, :count] = True
    return features, vectors, there
