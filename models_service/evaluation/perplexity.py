"""How well a causal language model foretells texts: cross-entropy, in nats a token of the model's own vocabulary, and
perplexity, e to that power.

Both weigh every token alike. A text longer than the model's context is read in windows that overlap: each window
measures only what the one before has not, so that every token past the first window has at least `context - stride`
tokens before it. A text's first token has nothing before it and is not measured, unless the model begins texts with a
token of its own; its end token is measured. Figures of models with different vocabularies cannot be compared.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from transformers import PreTrainedTokenizerBase

from models_service.evaluation.bootstrap import LEVEL, RESAMPLES, SEED
from models_service.formats.corpus import Document
from models_service.formats.tokens import tokens_of

LONGEST_CONTEXT = 1024
"""Tokens of a window where the model takes more: what a window costs grows faster than it."""
LARGEST = 700.0
"""Nats; e to more than that is no number any more."""


@dataclass(frozen=True)
class Scored:
    """One text: the sum of its tokens' cross-entropies, in nats, and how many tokens that are."""

    nats: float
    tokens: int


def context_of(model: torch.nn.Module) -> int:
    """The longest window that this model is measured with."""
    own = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    return min(own or LONGEST_CONTEXT, LONGEST_CONTEXT)


@torch.inference_mode()
def score(
    model: torch.nn.Module, tokenizer: PreTrainedTokenizerBase, documents: Sequence[Document], *,
    context: int | None = None, stride: int | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> list[Scored]:
    """Of each document; of a conversation only what the assistant says is measured.

    Args:
        context: tokens of a window, by default what the model takes, 1,024 at most.
        stride: how far a window is moved on, by default half of it.
    """
    context = min(context or context_of(model), context_of(model))
    stride = stride or context // 2
    if not 1 <= stride < context:
        raise ValueError(f"the stride must be from 1 to {context - 1} tokens")
    scored = []
    for number, document in enumerate(documents, start=1):
        ids, measured = tokens_of(document, tokenizer)
        scored.append(_score(model, ids, measured, context, stride))
        if number % 50 == 0 or number == len(documents):
            progress(number, len(documents))
    return scored


def _score(
    model: torch.nn.Module, ids: Sequence[int], measured: Sequence[bool], context: int, stride: int
) -> Scored:
    where = next(model.parameters()).device
    nats, tokens, done = 0.0, 0, 1
    for begin in range(0, max(len(ids) - 1, 0), stride):
        end = min(begin + context, len(ids))
        if end <= done:
            continue
        window = torch.tensor([ids[begin:end]], device=where)
        logits = model(input_ids=window, use_cache=False).logits[0, :-1].float()
        losses = torch.nn.functional.cross_entropy(logits, window[0, 1:], reduction="none").cpu().double()
        fresh = torch.tensor(measured[begin + 1 : end])
        fresh[: done - begin - 1] = False
        nats += float(losses[fresh].sum())
        tokens += int(fresh.sum())
        done = end
        if end == len(ids):
            break
    return Scored(nats, tokens)


def metrics(scored: Sequence[Scored]) -> dict[str, float]:
    """`cross_entropy` and `perplexity` over all tokens. Raises ValueError when there is no token to measure."""
    tokens = sum(one.tokens for one in scored)
    if not tokens:
        raise ValueError("no text has two tokens, so nothing can be measured")
    mean = sum(one.nats for one in scored) / tokens
    return {"cross_entropy": mean, "perplexity": _perplexity(mean)}


def intervals(scored: Sequence[Scored]) -> dict[str, tuple[float, float]]:
    """95 % intervals, from resampled texts: tokens of one text are not independent of each other."""
    nats = np.array([one.nats for one in scored])
    tokens = np.array([one.tokens for one in scored])
    rng = np.random.default_rng(SEED)
    means = []
    for _ in range(RESAMPLES):
        drawn = rng.integers(len(scored), size=len(scored))
        if tokens[drawn].sum():
            means.append(nats[drawn].sum() / tokens[drawn].sum())
    low, high = (float(bound) for bound in np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]))
    return {"cross_entropy": (low, high), "perplexity": (_perplexity(low), _perplexity(high))}


def _perplexity(nats: float) -> float:
    return math.exp(min(nats, LARGEST))
