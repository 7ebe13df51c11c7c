"""The forms that a sequence-to-sequence model can be computed in, one face for all; and the original, transformers.

A form sees token ids, never text. Every form searches alike: a beam that ends when it holds `beam` finished texts, at
least a token each, ranked by the mean log-probability a token. `score` is that mean, the end's token counted.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoModelForSeq2SeqLM

from models_service.engines.base import like_sized


@dataclass(frozen=True)
class Source:
    """One sequence to be read, its end included. `begin` is a token that the target begins with; `most` limits how
    many tokens are written."""

    ids: tuple[int, ...]
    begin: int | None
    most: int


@dataclass(frozen=True)
class Hypothesis:
    """`ids` without begin and end; `finished`: the end was written."""

    ids: list[int]
    score: float
    finished: bool


class Form(ABC):
    name: str

    @abstractmethod
    def search(self, sources: Sequence[Source], beam: int, n_best: int) -> list[list[Hypothesis]]:
        """For each source its `n_best` hypotheses, best first; `beam` is at least `n_best`."""

    @abstractmethod
    def score(self, sources: Sequence[Source], targets: Sequence[Sequence[int]]) -> list[float]:
        """The mean log-probability a token of each target, which ends with the end."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the weights."""


class TransformersForm(Form):
    """The model as it was saved, in float32."""

    name = "transformers float32"

    def __init__(self, folder: Path, where: torch.device, never: Sequence[int], end: int, batch_tokens: int) -> None:
        """`never` is not written; `end` ends a text; `batch_tokens` is how many are read at once."""
        self._model = AutoModelForSeq2SeqLM.from_pretrained(folder, use_safetensors=True, dtype=torch.float32)
        self._model.to(where).eval().requires_grad_(False)
        self._never = list(never)
        self._end = end
        self._batch_tokens = batch_tokens
        settings = self._model.generation_config
        # What the model's folder says of sampling or of lengths is for other uses.
        settings.update(do_sample=False, num_beams=1, max_length=None, min_length=None, bad_words_ids=None,
                        suppress_tokens=None, forced_bos_token_id=None, forced_eos_token_id=None)

    @torch.inference_mode()
    def search(self, sources: Sequence[Source], beam: int, n_best: int) -> list[list[Hypothesis]]:
        found: list[list[Hypothesis]] = [[] for _ in sources]
        for batch in self._batches(sources):
            chosen = [sources[i] for i in batch]
            ids, mask = self._padded([source.ids for source in chosen])
            begins = {source.begin for source in chosen}
            assert len(begins) == 1, "one target language a batch"
            begin = begins.pop()
            before = 1 if begin is None else 2
            out = self._model.generate(
                input_ids=ids, attention_mask=mask, num_beams=beam, num_return_sequences=n_best,
                max_new_tokens=max(source.most for source in chosen) + before - 1, min_new_tokens=before,
                suppress_tokens=self._never, forced_bos_token_id=begin, renormalize_logits=True,
                return_dict_in_generate=True, output_scores=True,
                **({"length_penalty": 1.0, "early_stopping": True} if beam > 1 else {}),
            )
            scores = out.sequences_scores if beam > 1 else self._greedy_scores(out)
            for row, (sequence, score) in enumerate(zip(out.sequences.tolist(), scores.tolist(), strict=True)):
                written = sequence[before:]
                finished = self._end in written
                written = written[: written.index(self._end)] if finished else written
                found[batch[row // n_best]].append(Hypothesis(written, score, finished))
        return found

    @torch.inference_mode()
    def score(self, sources: Sequence[Source], targets: Sequence[Sequence[int]]) -> list[float]:
        scores = [0.0] * len(sources)
        for batch in self._batches(sources):
            ids, mask = self._padded([sources[i].ids for i in batch])
            begins = [[] if sources[i].begin is None else [sources[i].begin] for i in batch]
            start = self._model.generation_config.decoder_start_token_id
            given = [[start, *begin, *targets[i][:-1]] for begin, i in zip(begins, batch, strict=True)]
            inputs, seen = self._padded(given)
            out = self._model(
                input_ids=ids, attention_mask=mask, decoder_input_ids=inputs, decoder_attention_mask=seen
            )
            chances = torch.log_softmax(out.logits.float(), dim=-1)
            for row, (begin, i) in enumerate(zip(begins, batch, strict=True)):
                places = range(len(begin), len(begin) + len(targets[i]))
                own = [chances[row, place, id_] for place, id_ in zip(places, targets[i], strict=True)]
                scores[i] = float(torch.stack(own).mean())
        return scores

    def close(self) -> None:
        del self._model

    def _batches(self, sources: Sequence[Source]) -> list[list[int]]:
        return like_sized(sources, lambda source: len(source.ids), self._batch_tokens)

    def _padded(self, sequences: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """With padding at the end, and the mask that hides it."""
        longest = max(map(len, sequences))
        padding = self._model.config.pad_token_id or 0
        ids = torch.tensor([[*one, *[padding] * (longest - len(one))] for one in sequences])
        mask = torch.tensor([[1] * len(one) + [0] * (longest - len(one)) for one in sequences])
        return ids.to(self._model.device), mask.to(self._model.device)

    @staticmethod
    def _greedy_scores(out) -> torch.Tensor:
        """A search of one beam gives its scores step by step."""
        steps = torch.stack([torch.log_softmax(step.float(), dim=-1) for step in out.scores], dim=1)
        written = out.sequences[:, -steps.shape[1] :]
        chances = steps.gather(2, written[:, :, None])[:, :, 0]
        own = torch.isfinite(chances)
        return torch.where(own, chances, 0).sum(dim=1) / own.sum(dim=1).clamp(min=1)
