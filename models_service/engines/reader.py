"""The reader engine: a question and a passage in, scored answer spans and a no-answer score out.

A span's score is its start logit plus its end logit; the null score is the same for the first token. Their
difference compares spans across passages (Clark and Gardner 2018), because both are read from one window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer, PreTrainedTokenizerBase

from models_service import registry
from models_service.engines.base import Engine, like_sized
from models_service.engines.forms import Body, Choice
from models_service.engines.padding import padded
from models_service.engines.precision import device
from models_service.engines.reading import Reading, Span
from models_service.engines.span_windows import Window, cut_windows
from models_service.model_files import Form, tokenizer_folder
from models_service.protocol import Calibration

MAX_ANSWER_TOKENS = 30


@dataclass(frozen=True)
class Piece:
    """One window of a reading."""

    window: Window
    reading: Reading


PROBE = (
    Reading(
        "When was the bridge opened?",
        "The bridge over the strait was opened to traffic in 1973, fifty years after the republic was founded.",
    ),
    Reading("Who designed the tower?", "The tower was built by a company; Stephen Sauvestre designed it."),
)


class ReaderEngine(Engine[Reading, Piece, list[Span], list[Span]]):
    """Reads spans with any `AutoModelForQuestionAnswering` model."""

    def __init__(
        self,
        model: torch.nn.Module | None,
        tokenizer: PreTrainedTokenizerBase | None,
        *,
        max_length: int = 384,
        stride: int = 128,
        batch_tokens: int = 4096,
        name: str = "",
        directory: Path | None = None,
        choice: Choice | None = None,
    ) -> None:
        """From what is in memory, such as a model being trained; or from a `directory`, which `load` reads."""
        self.name = name
        self.batch_tokens = batch_tokens
        self.calibration: Calibration | None = None
        self._directory = directory
        self._model = model
        self._tokenizer = tokenizer
        self._max_length = max_length
        self._stride = stride
        self._tells_types = True
        self._choice = choice or Choice()
        self._body: Body | None = None

    @classmethod
    def at(cls, name: str, directory: Path, choice: Choice | None = None) -> ReaderEngine:
        """The reader in a directory, not yet loaded."""
        return cls(None, None, name=name, directory=directory, choice=choice)

    @property
    def form(self) -> Form:
        """What it computes in."""
        return self._body.form if self._body else "float32"

    def load(self) -> None:
        """Read model, tokenizer and calibration; a reader made in memory has them."""
        if self._directory is None:
            return
        where = device()
        self.batch_tokens = 4096 if where.type == "cpu" else 65536
        self.calibration = registry.calibration(self._directory)
        self._tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder(self._directory))
        self._model = read_model(self._directory).to(where).eval().requires_grad_(False)
        # peft does not hand token types on to a question-answering model, so an adapter was trained without them.
        self._tells_types = registry.adapter_base(self._directory) is None
        # The head stays exact: in bfloat16 a score of 10 is rounded to a sixteenth, and spans are compared by it.
        self._model.qa_outputs.register_forward_pre_hook(lambda _, given: (given[0].float(),))
        self._body = Body(self.name, self._model.base_model, self._tokenizer)
        base = registry.adapter_base(self._directory)
        # Not 8 bits unless they are wanted: of 700 questions (SQuADShifts, new wiki) 9 lost their answer by them and
        # 2 won it, for 15 % less time than bfloat16 takes.
        self._body.settle(self._choice, [self._directory, *([Path(base)] if base else [])], self._probe)

    def warm(self) -> None:
        self.run(PROBE)

    def split(self, inputs: Sequence[Reading]) -> list[list[Piece]]:
        windows = cut_windows(
            self._tokenizer, [one.question for one in inputs], [one.passage for one in inputs],
            max_length=self._max_length, stride=self._stride,
        )
        pieces: list[list[Piece]] = [[] for _ in inputs]
        for window in windows:
            pieces[window.pair].append(Piece(window, inputs[window.pair]))
        return pieces

    def cost(self, piece: Piece) -> int:
        return len(piece.window)

    def compute(self, pieces: Sequence[Piece]) -> list[list[Span]]:
        found: list[list[Span]] = [[] for _ in pieces]
        for batch in like_sized(pieces, self.cost, self.batch_tokens):
            start_logits, end_logits = self._logits([pieces[i].window for i in batch])
            for row, index in enumerate(batch):
                window, reading = pieces[index].window, pieces[index].reading
                found[index] = _spans(
                    start_logits[row, : len(window)], end_logits[row, : len(window)], window,
                    reading.passage, reading.n_best,
                )
        return found

    def join(self, given: Reading, results: Sequence[list[Span]]) -> list[Span]:
        return _best_apart([span for spans in results for span in spans], given.n_best)

    def read_pairs(self, pairs: Sequence[tuple[str, str]], n_best: int = 5) -> list[list[Span]]:
        """For each (question, passage) the `n_best` non-overlapping spans, best first; empty for an empty passage."""
        return self.run([Reading(question, passage, n_best) for question, passage in pairs])

    def close(self) -> None:
        self._model = self._body = None

    def _probe(self) -> np.ndarray:
        """Start and end scores on the probe about their mean, to be compared between number formats."""
        windows = [piece.window for pieces in self.split(PROBE) for piece in pieces]
        scores = [logits - logits.mean() for window in windows for logits in self._logits([window])]
        return np.concatenate(scores, axis=1)

    @torch.inference_mode()
    def _logits(self, windows: Sequence[Window]) -> tuple[np.ndarray, np.ndarray]:
        ids = [window.input_ids for window in windows]
        types = [window.token_type_ids for window in windows] if self._tells_types else None
        if self._body is not None:
            states = self._body.int8_states(ids, types)
            if states is not None:
                starts, ends = self._model.qa_outputs(states).unbind(-1)
                return starts.numpy(), ends.numpy()
        where = next(self._model.parameters()).device
        inputs = padded(ids, types, most=self._max_length, pad_id=self._tokenizer.pad_token_id, where=where)
        self._model.eval()
        out = self._model(**inputs)
        longest = max(map(len, ids))
        starts, ends = out.start_logits[:, :longest], out.end_logits[:, :longest]
        return starts.float().cpu().numpy(), ends.float().cpu().numpy()


def read_model(directory: Path) -> torch.nn.Module:
    """A whole model, or a base model with the directory's adapter merged into it."""
    base = registry.adapter_base(directory)
    model = AutoModelForQuestionAnswering.from_pretrained(
        base or directory, use_safetensors=True, dtype=torch.float32
    )
    if base is None:
        return model
    from peft import PeftModel

    return PeftModel.from_pretrained(model, str(directory)).merge_and_unload()


def make_types_alike(model: torch.nn.Module) -> None:
    """An adapter is trained and served without token types, which the model takes as the first type for all tokens.
    Whoever reads the export will tell the types, so both are made to mean the first."""
    table = getattr(getattr(model.base_model, "embeddings", None), "token_type_embeddings", None)
    if table is not None:
        with torch.no_grad():
            table.weight.copy_(table.weight[:1].expand_as(table.weight))


def _spans(starts: np.ndarray, ends: np.ndarray, window: Window, passage: str, n_best: int) -> list[Span]:
    """Score every start and end pair of the window at once; keep the best `n_best` that do not overlap."""
    inside = np.flatnonzero(window.offsets[:, 0] >= 0)
    if not inside.size:
        return []
    null = float(starts[0] + ends[0])
    low, high = inside[0], inside[-1] + 1
    table = starts[low:high, None] + ends[None, low:high]
    rows, columns = np.indices(table.shape, sparse=True)
    table = np.where((columns >= rows) & (columns < rows + MAX_ANSWER_TOKENS), table, -np.inf)
    best_end = table.argmax(axis=1)
    best = table[np.arange(len(best_end)), best_end]
    found: list[Span] = []
    for row in np.argsort(-best):
        begin = int(window.offsets[low + row, 0])
        end = int(window.offsets[low + best_end[row], 1])
        if _apart(begin, end, found):
            found.append(Span(passage[begin:end], begin, end, float(best[row]) - null))
        if len(found) == n_best:
            break
    return found


def _best_apart(spans: Sequence[Span], n_best: int) -> list[Span]:
    """The best spans of all windows of a passage, dropping any that overlaps a better one."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda s: -s.score):
        if len(kept) == n_best:
            break
        if _apart(span.start, span.end, kept):
            kept.append(span)
    return kept


def _apart(start: int, end: int, others: Sequence[Span]) -> bool:
    return all(end <= other.start or start >= other.end for other in others)
