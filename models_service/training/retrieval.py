"""Train an encoder to put a question's vector beside that of the passage that answers it, by LoRA or in full.

In a batch, each question's own passage is told from all others' (Henderson et al. 2017; InfoNCE), and from wrong
passages that the data names or that the base itself ranks high (`negative_mining.py`).
"""

from __future__ import annotations

import copy
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from torch.utils.checkpoint import checkpoint
from transformers import AutoModel, AutoTokenizer

from models_service.base_models import resolve
from models_service.engines.encoder import pools_first_token
from models_service.engines.lengths import longest_input
from models_service.engines.padding import padded
from models_service.engines.precision import device
from models_service.evaluation import ranking
from models_service.formats.beir import Query, RetrievalData, read_retrieval
from models_service.model_files import check_files
from models_service.training.negative_mining import mined
from models_service.training.run_folder import RunFolder
from models_service.training.settings_retrieval import RetrievalSettings

RANKED = 100
"""How far the reciprocal rank looks."""
TEXTS_AT_ONCE = 16
"""In memory while training: each group's inner values are computed again when its gradient is wanted, so that the
batch, which teaches more the larger it is, is not bounded by memory (Gao et al. 2021)."""
SENTENCE_TRANSFORMERS = ("modules.json", "sentence_bert_config.json", "config_sentence_transformers.json",
                         "1_Pooling", "2_Normalize")
"""What a directory of that library says of pooling and length."""


@dataclass(frozen=True)
class Example:
    """A question and a passage that is right for it; documents by their place in the task's list."""

    query: str
    positive: int
    negatives: tuple[int, ...]
    relevant: frozenset[int]


class RetrievalTask:
    """Gives the loop its model, batches and loss."""

    def __init__(self, settings: RetrievalSettings, run: RunFolder) -> None:
        self.settings = settings
        torch.manual_seed(settings.seed)
        base = resolve(settings.base)
        self._folder = Path(base)
        if self._folder.is_dir():
            check_files(self._folder, settings.base)
        self.tokenizer = AutoTokenizer.from_pretrained(base)
        self._first_token = pools_first_token(self._folder)
        self.model = AutoModel.from_pretrained(base, use_safetensors=True, dtype=torch.float32)
        self._longest = min(settings.max_length, longest_input(self.model, self.tokenizer))
        self._takes_types = getattr(self.model.config, "type_vocab_size", 0) > 1
        self.model.to(device())
        self._documents: list[str] = []
        self._examples = self._read(run)
        if settings.method == "lora":
            self.model = get_peft_model(self.model, _lora(self.model, settings.rank))
        else:
            self.model.get_input_embeddings().requires_grad_(False)
        rng = random.Random(settings.seed)
        self.batches = [batch for _ in range(settings.epochs) for batch in self._shuffled(rng)]
        self._held_out = read_retrieval(settings.evaluation) if settings.evaluation else None

    def _read(self, run: RunFolder) -> list[Example]:
        examples = []
        for path in self.settings.data:
            data = read_retrieval(path)
            examples += self._examples_of(data)
            run.say(f"{path.name}: {len(data.queries)} questions, {len(data.documents)} passages")
        wanted = self.settings.mined_negatives
        if not wanted:
            return examples
        run.say(f"looking for wrong passages that are like the right ones: {len(self._documents)} passages")
        found = mined(self.vectors([one.query for one in examples]), self.vectors(self._documents),
                      [one.relevant for one in examples], wanted)
        return [Example(one.query, one.positive, tuple(dict.fromkeys((*one.negatives, *more))), one.relevant)
                for one, more in zip(examples, found, strict=True)]

    def _examples_of(self, data: RetrievalData) -> list[Example]:
        first = len(self._documents)
        place = {name: first + number for number, name in enumerate(data.documents)}
        self._documents += data.documents.values()
        made = []
        for query in data.queries:
            judged = {place[name]: grade for name, grade in query.grades.items() if name in place}
            relevant = frozenset(number for number, grade in judged.items() if grade > 0)
            negatives = tuple(number for number, grade in judged.items() if grade <= 0)
            made += [Example(query.text, positive, negatives, relevant) for positive in sorted(relevant)]
        return made

    def _shuffled(self, rng: random.Random) -> list[list[int]]:
        """Of one passage's questions no two in a batch while others are left: they would teach each other nothing."""
        waiting = list(range(len(self._examples)))
        rng.shuffle(waiting)
        batches = []
        while waiting:
            batch, passed_over, taken = [], [], set()
            for index in waiting:
                positive = self._examples[index].positive
                if len(batch) < self.settings.batch_size and positive not in taken:
                    batch.append(index)
                    taken.add(positive)
                else:
                    passed_over.append(index)
            batches.append(batch)
            waiting = passed_over
        return [batch for batch in batches if len(batch) > 1 or any(self._examples[i].negatives for i in batch)]

    def cost(self, batch: list[int]) -> int:
        """Characters of the passages, padding included: tokens go with them."""
        documents = self._documents_of(batch)
        return len(documents) * min(max(len(self._documents[i]) for i in documents), 8 * self._longest)

    def _documents_of(self, batch: Sequence[int]) -> list[int]:
        examples = [self._examples[index] for index in batch]
        own = [one.positive for one in examples]
        wrong = (number for one in examples for number in one.negatives)
        return list(dict.fromkeys([*own, *wrong]))

    def loss(self, batch: list[int], device: torch.device) -> torch.Tensor:
        examples = [self._examples[index] for index in batch]
        documents = self._documents_of(batch)
        asked = self._encode_in_groups([one.query for one in examples])
        found = self._encode_in_groups([self._documents[number] for number in documents])
        scores = (asked @ found.T).float() / self.settings.temperature
        place = {number: column for column, number in enumerate(documents)}
        targets = torch.tensor([place[one.positive] for one in examples], device=device)
        also_right = torch.tensor([[number in one.relevant and number != one.positive for number in documents]
                                   for one in examples], device=device)
        return torch.nn.functional.cross_entropy(scores.masked_fill(also_right, -torch.inf), targets)

    def _encode_in_groups(self, texts: Sequence[str]) -> torch.Tensor:
        """`_encode` of texts of like length together."""
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        groups = [order[begin : begin + TEXTS_AT_ONCE] for begin in range(0, len(order), TEXTS_AT_ONCE)]
        of_groups = [checkpoint(self._encode, [texts[index] for index in group], use_reentrant=False)
                     if len(groups) > 1 else self._encode([texts[index] for index in group]) for group in groups]
        place = {index: row for row, index in enumerate(order)}
        return torch.cat(of_groups)[[place[index] for index in range(len(texts))]]

    def _encode(self, texts: Sequence[str]) -> torch.Tensor:
        """A vector of L2 norm 1 a text, as the encoder engine computes it."""
        ids = self.tokenizer(list(texts), truncation=True, max_length=self._longest, return_attention_mask=False,
                             return_token_type_ids=False)["input_ids"]
        types = [[0] * len(one) for one in ids] if self._takes_types else None
        inputs = padded(ids, types, most=self._longest, pad_id=self.tokenizer.pad_token_id,
                        where=self.model.device)
        states = self.model(**inputs).last_hidden_state
        if self._first_token:
            pooled = states[:, 0]
        else:
            weights = inputs["attention_mask"].unsqueeze(-1).to(states.dtype)
            pooled = (states * weights).sum(1) / weights.sum(1)
        return torch.nn.functional.normalize(pooled.float(), dim=-1)

    @torch.inference_mode()
    def vectors(self, texts: Sequence[str]) -> np.ndarray:
        """float32 (texts, dimension)."""
        self.model.eval()
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        made: dict[int, np.ndarray] = {}
        for begin in range(0, len(order), TEXTS_AT_ONCE):
            some = order[begin : begin + TEXTS_AT_ONCE]
            encoded = self._encode([texts[index] for index in some]).cpu().numpy()
            made.update(zip(some, encoded, strict=True))
        return np.stack([made[index] for index in range(len(texts))])

    def evaluate(self) -> dict[str, float]:
        """By vectors alone, where the site fuses them with words: recall@1, mrr and ndcg@10 of the held-out rows."""
        if self._held_out is None:
            return {}
        names = np.array(list(self._held_out.documents))
        queries = self._queries()
        scores = self.vectors([query.text for query in queries]) @ self.vectors(
            list(self._held_out.documents.values())).T
        depth = min(RANKED, len(names))
        values = []
        for query, own in zip(queries, scores, strict=True):
            found = names[np.argsort(-own, kind="stable")[:depth]].tolist()
            values.append((ranking.recall(found, query.grades, 1), ranking.reciprocal_rank(found, query.grades),
                           ranking.ndcg(found, query.grades, 10)))
        return dict(zip(("recall@1", "mrr", "ndcg@10"), np.mean(values, axis=0).tolist(), strict=True))

    def _queries(self) -> list[Query]:
        queries = self._held_out.queries
        if len(queries) <= self.settings.evaluation_limit:
            return queries
        return random.Random(self.settings.seed).sample(queries, self.settings.evaluation_limit)

    def save(self, run: RunFolder) -> None:
        """A whole encoder: what an index was made with must not hang on another model's files."""
        self.tokenizer.save_pretrained(run.model)
        model = copy.deepcopy(self.model).merge_and_unload() if self.settings.method == "lora" else self.model
        model.save_pretrained(run.model)
        for name in SENTENCE_TRANSFORMERS:
            if (self._folder / name).is_dir():
                shutil.copytree(self._folder / name, run.model / name, dirs_exist_ok=True)
            elif (self._folder / name).is_file():
                shutil.copyfile(self._folder / name, run.model / name)


def _lora(model: torch.nn.Module, rank: int) -> LoraConfig:
    """On every linear layer but the pooler, which a vector does not go through."""
    linear = [name for name, module in model.named_modules()
              if isinstance(module, torch.nn.Linear) and "pooler" not in name.split(".")]
    return LoraConfig(r=rank, lora_alpha=2 * rank, lora_dropout=0.0, target_modules=linear,
                      task_type="FEATURE_EXTRACTION")
