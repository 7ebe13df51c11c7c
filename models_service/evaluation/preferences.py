"""Which of two answers a causal language model finds likelier, for pairs of which people preferred one.

Compared is the mean log-probability of an answer's tokens, its end token included: the sum alone would favour short
answers whatever they say. An answer is read after the whole conversation; of one that does not fit the model nothing
is said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import PreTrainedTokenizerBase

from models_service.engines.padding import padded
from models_service.formats.preferences import Preference
from models_service.formats.tokens import answer_tokens

LONGEST = 4096
"""Tokens of a conversation with its answer where the model takes more."""
CHARACTERS_KEPT = 2_000


@dataclass(frozen=True)
class Answer:
    """`ids[begin:]` are the answer's tokens, those before, one at least, are the conversation's."""

    ids: list[int]
    begin: int

    @property
    def tokens(self) -> int:
        return len(self.ids) - self.begin


def longest_of(model: torch.nn.Module) -> int:
    """How many tokens are read at once."""
    own = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    return min(own or LONGEST, LONGEST)


def pair_of(row: Preference, tokenizer: PreTrainedTokenizerBase) -> tuple[Answer, Answer]:
    """The chosen and the rejected answer. FormatError where the chat template does not allow it."""
    chosen, rejected = (Answer(*answer_tokens(row.messages, text, tokenizer)) for text in (row.chosen, row.rejected))
    return chosen, rejected


def log_probabilities(model: torch.nn.Module, answers: Sequence[Answer], pad_id: int | None) -> torch.Tensor:
    """float32 (answers,): the sum over each answer's tokens, in nats; its gradient reaches the model."""
    longest = max(len(one.ids) for one in answers)
    where = next(model.parameters()).device
    inputs = padded([one.ids for one in answers], None, most=longest, pad_id=pad_id, where=where)
    logits = model(**inputs, use_cache=False).logits
    places = [(row, place) for row, one in enumerate(answers) for place in range(one.begin, len(one.ids))]
    rows, columns = (torch.tensor(part, device=where) for part in zip(*places, strict=True))
    losses = torch.nn.functional.cross_entropy(  # a token is foretold by the place before it
        logits[rows, columns - 1].float(), inputs["input_ids"][rows, columns], reduction="none")
    return -torch.zeros(len(answers), device=where).index_add(0, rows, losses)


@torch.inference_mode()
def score(
    model: torch.nn.Module, tokenizer: PreTrainedTokenizerBase, rows: Sequence[Preference],
    progress: Callable[[int, int], None] = lambda done, of: None,
    keep: Callable[[dict[str, Any]], None] = lambda row: None,
) -> dict[str, list[float]]:
    """`accuracy`, 1 where the chosen answer is the likelier one, and `margin`, by how many nats a token; of each row
    that fits the model.

    Args:
        keep: is given each row's result; of one that does not fit both values are None.
    """
    values: dict[str, list[float]] = {"accuracy": [], "margin": []}
    for number, row in enumerate(rows, start=1):
        pair = pair_of(row, tokenizer)
        own: dict[str, float | None] = {"accuracy": None, "margin": None}
        if max(len(one.ids) for one in pair) <= longest_of(model):
            chosen, rejected = log_probabilities(model, pair, tokenizer.pad_token_id).tolist()
            margin = chosen / pair[0].tokens - rejected / pair[1].tokens
            own = {"accuracy": float(margin > 0), "margin": margin}
            for name, value in own.items():
                values[name].append(value)
        keep({"id": row.id, "asked": row.messages[-1][1][-CHARACTERS_KEPT:], "expected": [row.chosen],
              "given": _preferred(row, own["accuracy"]), **own})
        if number % 10 == 0 or number == len(rows):
            progress(number, len(rows))
    return values


def _preferred(row: Preference, accuracy: float | None) -> str:
    return "" if accuracy is None else row.chosen if accuracy else row.rejected
