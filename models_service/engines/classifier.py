"""The classifier engine: labels for a text (sentiment, topic) or for the words in it (named entities).

A text that is longer than the model sees is read in windows: a text's shares are their mean by length; a word's are
those of the window in which it stands farthest from an edge. Computed in float32, for the head decides between scores
that may be close.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
    PreTrainedTokenizerBase,
)

from models_service.engines.base import Engine, like_sized
from models_service.engines.labelling import Labelled, Task, Word, entities
from models_service.engines.lengths import longest_input
from models_service.engines.padding import padded
from models_service.engines.precision import device
from models_service.model_files import ModelUnusable, adapter_base, classifier_labels, tokenizer_folder

OVERLAP_TOKENS = 64
PROBE = ("The bridge was opened in 1973 by the president.", "It was good.")


@dataclass(frozen=True)
class Window:
    """A stretch of a text. `words` are (number in the text, start, end, place of the first token)."""

    input_ids: list[int]
    token_type_ids: list[int]
    words: list[tuple[int, int, int, int]]


@dataclass(frozen=True)
class Seen:
    """What a window gave: of a text (labels,), of tokens (words, labels)."""

    window: Window
    shares: np.ndarray


class ClassifierEngine(Engine[str, Window, Seen, list[Labelled]]):
    """Any `AutoModelForSequenceClassification` or `AutoModelForTokenClassification`, or an adapter to one."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self.task: Task = "text"
        self.batch_tokens = 0
        self._directory = directory
        self._model: torch.nn.Module
        self._tokenizer: PreTrainedTokenizerBase
        self._labels: list[str] = []
        self._several = False
        self._tells_types = False

    @classmethod
    def of(cls, model: torch.nn.Module, tokenizer: PreTrainedTokenizerBase, task: Task) -> ClassifierEngine:
        """Over a model that is in memory, as it is while it is trained."""
        made = cls("in training", Path())
        made._take(task, model, copy.deepcopy(tokenizer))
        return made

    @property
    def labels(self) -> list[str]:
        return self._labels

    @property
    def gives_several(self) -> bool:
        """Whether a text may have several labels at once, whose scores do not add up to 1."""
        return self._several

    def load(self) -> None:
        task, _ = classifier_labels(self._directory)
        model = read_classifier(self._directory).to(device()).eval().requires_grad_(False)
        self._take(task, model, AutoTokenizer.from_pretrained(tokenizer_folder(self._directory)))

    def _take(self, task: Task, model: torch.nn.Module, tokenizer: PreTrainedTokenizerBase) -> None:
        self.batch_tokens = 4096 if next(model.parameters()).device.type == "cpu" else 65536
        self.task, self._model, self._tokenizer = task, model, tokenizer
        config = model.config
        self._labels = [config.id2label[number] for number in range(config.num_labels)]
        self._several = config.problem_type == "multi_label_classification"
        if not tokenizer.is_fast:
            raise ModelUnusable(f"{self.name} has no tokenizer.json, which tells where a word stands.")
        tokenizer.model_max_length = longest_input(model, tokenizer)
        self._tells_types = "token_type_ids" in tokenizer.model_input_names

    def warm(self) -> None:
        self.run(PROBE)

    def split(self, inputs: Sequence[str]) -> list[list[Window]]:
        encoded = self._tokenizer(
            list(inputs), truncation=True, stride=min(OVERLAP_TOKENS, self._tokenizer.model_max_length // 4),
            return_overflowing_tokens=True, return_offsets_mapping=True, return_attention_mask=False,
            return_token_type_ids=True,
        )
        windows: list[list[Window]] = [[] for _ in inputs]
        for row, number in enumerate(encoded["overflow_to_sample_mapping"]):
            words = words_of(inputs[number], encoded.word_ids(row), encoded["offset_mapping"][row])
            windows[number].append(Window(encoded["input_ids"][row], encoded["token_type_ids"][row], words))
        return windows

    def cost(self, piece: Window) -> int:
        return len(piece.input_ids)

    def compute(self, pieces: Sequence[Window]) -> list[Seen]:
        seen: dict[int, Seen] = {}
        for batch in like_sized(pieces, self.cost, self.batch_tokens):
            for index, own in zip(batch, self._shares([pieces[i] for i in batch]), strict=True):
                first = [place for _, _, _, place in pieces[index].words]
                seen[index] = Seen(pieces[index], own if self.task == "text" else own[first])
        return [seen[index] for index in range(len(pieces))]

    def join(self, given: str, results: Sequence[Seen]) -> list[Labelled]:
        if self.task == "tokens":
            return entities(_best_seen(results), self._labels)
        lengths = [len(one.window.input_ids) for one in results]
        shares = np.average([one.shares for one in results], axis=0, weights=lengths)
        return sorted(
            (Labelled(label, float(share)) for label, share in zip(self._labels, shares, strict=True)),
            key=lambda one: -one.score,
        )

    def close(self) -> None:
        del self._model

    @torch.inference_mode()
    def _shares(self, pieces: Sequence[Window]) -> np.ndarray:
        """Of windows of like length, longest first."""
        where = next(self._model.parameters()).device
        inputs = padded(
            [piece.input_ids for piece in pieces],
            [piece.token_type_ids for piece in pieces] if self._tells_types else None,
            most=self._tokenizer.model_max_length, pad_id=self._tokenizer.pad_token_id, where=where,
        )
        logits = self._model(**inputs).logits
        return (logits.sigmoid() if self._several else logits.softmax(-1)).float().cpu().numpy()


def read_classifier(directory: Path) -> torch.nn.Module:
    """A whole model, or a base model with the directory's adapter and head merged into it."""
    base = adapter_base(directory)
    task, labels = classifier_labels(directory)
    kind = AutoModelForSequenceClassification if task == "text" else AutoModelForTokenClassification
    if base is None:
        return kind.from_pretrained(directory, use_safetensors=True, dtype=torch.float32)
    from peft import PeftModel

    names = dict(enumerate(labels))
    config = AutoConfig.from_pretrained(base, id2label=names, label2id={name: i for i, name in names.items()})
    model = kind.from_pretrained(base, config=config, use_safetensors=True, dtype=torch.float32)
    return PeftModel.from_pretrained(model, str(directory)).merge_and_unload()


def words_of(
    text: str, numbers: Sequence[int | None], offsets: Sequence[tuple[int, int]]
) -> list[tuple[int, int, int, int]]:
    """The words of one window, without the white space that some tokenizers count to them."""
    words: dict[int, tuple[int, int, int]] = {}
    for place, (number, (start, end)) in enumerate(zip(numbers, offsets, strict=True)):
        if number is None or start == end:
            continue
        begin, _, first = words.get(number, (start, end, place))
        words[number] = (begin, end, first)
    found = []
    for number, (start, end, first) in words.items():
        start += len(text[start:end]) - len(text[start:end].lstrip())
        if start < end:
            found.append((number, start, end, first))
    return found


def _best_seen(results: Sequence[Seen]) -> list[Word]:
    """Each word of a text once, as the window saw it that holds most on both sides of it."""
    best: dict[int, tuple[int, Word]] = {}
    for one in results:
        for (number, start, end, first), own in zip(one.window.words, one.shares, strict=True):
            context = min(first, len(one.window.input_ids) - first)
            if number not in best or context > best[number][0]:
                best[number] = (context, Word(start, end, own))
    return [word for _, (_, word) in sorted(best.items())]
