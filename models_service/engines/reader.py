"""The reader engine: a question and a passage in, scored answer spans and a no-answer score out.

A span's score is its start logit plus its end logit; the null score is the same for the first token. Their
difference compares spans across passages (Clark and Gardner 2018), because both are read from one window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from transformers import PreTrainedTokenizerBase

from models_service.engines.span_windows import Window, cut_windows, pad

MAX_ANSWER_TOKENS = 30


@dataclass(frozen=True)
class Span:
    """An answer candidate: `text` is passage[start:end]; `score` is its logit margin over "not answered here"."""

    text: str
    start: int
    end: int
    score: float


class ReaderEngine:
    """Reads spans with any `AutoModelForQuestionAnswering` model."""

    def __init__(
        self,
        model: torch.nn.Module,
        tokenizer: PreTrainedTokenizerBase,
        *,
        max_length: int = 384,
        stride: int = 128,
        batch_tokens: int = 6144,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._max_length = max_length
        self._stride = stride
        self._batch_tokens = batch_tokens
        self._dtype = dtype

    def read_pairs(self, pairs: Sequence[tuple[str, str]], n_best: int = 5) -> list[list[Span]]:
        """For each (question, passage) the `n_best` non-overlapping spans, best first; empty for an empty passage."""
        windows = cut_windows(
            self._tokenizer, [q for q, _ in pairs], [p for _, p in pairs],
            max_length=self._max_length, stride=self._stride,
        )
        found: list[list[Span]] = [[] for _ in pairs]
        for batch in _by_length(windows, self._batch_tokens):
            start_logits, end_logits = self._logits(batch)
            for row, window in enumerate(batch):
                found[window.pair] += _spans(
                    start_logits[row, : len(window)], end_logits[row, : len(window)], window,
                    pairs[window.pair][1], n_best,
                )
        return [_best_apart(spans, n_best) for spans in found]

    @torch.inference_mode()
    def _logits(self, windows: Sequence[Window]) -> tuple[np.ndarray, np.ndarray]:
        device = next(self._model.parameters()).device
        inputs = {k: torch.from_numpy(v).to(device) for k, v in pad(windows, self._tokenizer.pad_token_id).items()}
        self._model.eval()
        with torch.autocast(device.type, dtype=self._dtype, enabled=self._dtype != torch.float32):
            out = self._model(**inputs)
        return out.start_logits.float().cpu().numpy(), out.end_logits.float().cpu().numpy()


def _by_length(windows: Sequence[Window], batch_tokens: int) -> list[list[Window]]:
    """Batches of at most `batch_tokens` padded tokens, longest first so that the peak of memory comes first."""
    batches: list[list[Window]] = []
    for window in sorted(windows, key=len, reverse=True):
        if batches and (len(batches[-1]) + 1) * len(batches[-1][0]) <= batch_tokens:
            batches[-1].append(window)
        else:
            batches.append([window])
    return batches


def _spans(starts: np.ndarray, ends: np.ndarray, window: Window, passage: str, n_best: int) -> list[Span]:
    """Score every start and end pair of the window at once; keep the best `n_best` at different starts."""
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
    found = []
    for row in np.argsort(-best)[:n_best]:
        begin = int(window.offsets[low + row, 0])
        end = int(window.offsets[low + best_end[row], 1])
        found.append(Span(passage[begin:end], begin, end, float(best[row]) - null))
    return found


def _best_apart(spans: Sequence[Span], n_best: int) -> list[Span]:
    """The best spans of all windows of a passage, dropping any that overlaps a better one."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda s: -s.score):
        if len(kept) == n_best:
            break
        if all(span.end <= other.start or span.start >= other.end for other in kept):
            kept.append(span)
    return kept
