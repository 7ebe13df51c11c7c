"""The next token and the text that tokens make. Knows one request's settings, and no model."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import PreTrainedTokenizerBase

from models_service.engines.generating import Generation, TokenChance
from models_service.engines.stopping import UntilStop

BROKEN = "\ufffd"
LONGEST_CHARACTER = 8
"""Tokens. When as many give no whole character, what they give is shown."""


class Sampler:
    """Chooses tokens; with a seed the same ones whoever else is in the batch, as far as the logits are the same."""

    def __init__(self, given: Generation) -> None:
        self._given = given
        self._random = torch.Generator()
        if given.seed is None:
            self._random.seed()
        else:
            self._random.manual_seed(given.seed)

    def choose(self, logits: torch.Tensor) -> int:
        """`logits` are one row."""
        if self._given.temperature == 0:
            return int(logits.argmax())
        scores = logits.float().cpu() / self._given.temperature
        if self._given.top_k is not None and self._given.top_k < len(scores):
            scores[scores < scores.topk(self._given.top_k).values[-1]] = -torch.inf
        shares = scores.softmax(-1)
        if self._given.top_p < 1:
            ordered, places = shares.sort(descending=True)
            ordered[ordered.cumsum(-1) - ordered >= self._given.top_p] = 0  # the first always stays
            shares = torch.zeros_like(shares).scatter(0, places, ordered)
        return int(torch.multinomial(shares, 1, generator=self._random))


def chance(logits: torch.Tensor, token: int, top: int, tokenizer: PreTrainedTokenizerBase) -> TokenChance:
    """How likely the model itself, whatever was asked of the sampler, holds this token and the likeliest others."""
    scores = logits.float().cpu().log_softmax(-1)
    best = scores.topk(min(top, len(scores)))
    likeliest = zip(best.indices.tolist(), best.values.tolist(), strict=True)
    return TokenChance(
        tokenizer.decode([token]), float(scores[token]),
        tuple((tokenizer.decode([one]), score) for one, score in likeliest),
    )


class Spelling:
    """Text from tokens as they come: never half a character, never a part of a stop string."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, stop: Sequence[str]) -> None:
        self._tokenizer = tokenizer
        self._until = UntilStop(stop)
        self._tokens: list[int] = []
        self._told = 0
        self._context = 0
        """Tokens are spelled after those from here on, for some spell otherwise at a text's beginning."""

    @property
    def stopped(self) -> bool:
        return self._until.stopped

    def add(self, token: int) -> str:
        """What can be shown now."""
        self._tokens.append(token)
        known = self._spell(self._context, self._told)
        text = self._spell(self._context, len(self._tokens))
        if text.endswith(BROKEN) and len(self._tokens) - self._told < LONGEST_CHARACTER:
            return ""
        self._context, self._told = self._told, len(self._tokens)
        return self._until.add(text[len(known) :])

    def end(self) -> str:
        """What was held back and stays."""
        if self.stopped:
            return ""
        known = self._spell(self._context, self._told)
        text = self._spell(self._context, len(self._tokens))[len(known) :]
        self._told = len(self._tokens)
        shown = self._until.add(text)
        return shown if self.stopped else shown + self._until.end()

    def _spell(self, start: int, end: int) -> str:
        return self._tokenizer.decode(
            self._tokens[start:end], skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
