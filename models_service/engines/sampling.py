"""The next token and the text that tokens make. Knows one request's settings, and no model."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import PreTrainedTokenizerBase

from models_service.engines.generating import Generation, TokenChance

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
        self.stopped = False
        self._tokenizer = tokenizer
        self._stop = stop
        self._tokens: list[int] = []
        self._told = 0
        self._context = 0
        """Tokens are spelled after those from here on, for some spell otherwise at a text's beginning."""
        self._held = ""

    def add(self, token: int) -> str:
        """What can be shown now."""
        self._tokens.append(token)
        known = self._spell(self._context, self._told)
        text = self._spell(self._context, len(self._tokens))
        if text.endswith(BROKEN) and len(self._tokens) - self._told < LONGEST_CHARACTER:
            return ""
        self._context, self._told = self._told, len(self._tokens)
        return self._until_stop(text[len(known) :])

    def end(self) -> str:
        """What was held back and stays."""
        if self.stopped:
            return ""
        known = self._spell(self._context, self._told)
        text = self._spell(self._context, len(self._tokens))[len(known) :]
        self._told = len(self._tokens)
        shown = self._until_stop(text)
        held, self._held = self._held, ""
        return shown if self.stopped else shown + held

    def _until_stop(self, text: str) -> str:
        text = self._held + text
        found = [place for place in (text.find(stop) for stop in self._stop) if place >= 0]
        if found:
            self.stopped, self._held = True, ""
            return text[: min(found)]
        hold = max((_overlap(text, stop) for stop in self._stop), default=0)
        self._held = text[len(text) - hold :]
        return text[: len(text) - hold]

    def _spell(self, start: int, end: int) -> str:
        return self._tokenizer.decode(
            self._tokens[start:end], skip_special_tokens=True, clean_up_tokenization_spaces=False
        )


def _overlap(text: str, stop: str) -> int:
    """How many of the text's last characters may be the beginning of `stop`."""
    return next((size for size in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:size])), 0)
