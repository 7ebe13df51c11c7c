"""Any `AutoModelForCausalLM` in this process: many texts in one running batch, a token each at every step.

A text joins between two steps, after its prompt has been read alone, and leaves between two steps when it is at its
end or nobody wants it any more. transformers has a continuous batching of its own; it knows no seeds for each request
and no stop strings, and its paged attention is for GPUs, so the step is taken here: a cache padded on the left.

The engine computes in the thread that calls it; `causal_generator.py` is its asynchronous side.
"""

from __future__ import annotations

import inspect
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from transformers import DynamicCache, PreTrainedTokenizerBase

from models_service.engines.causal_files import read_served, read_tokenizer
from models_service.engines.continuing import Continuation, Continued
from models_service.engines.generating import Finish, Generation, TokenChance
from models_service.engines.precision import device
from models_service.engines.sampling import Sampler, Spelling, chance
from models_service.errors import ModelsError
from models_service.memory import cache_tokens
from models_service.model_files import check_files

SLOTS_CPU = 32
SLOTS_GPU = 64
LONGEST_TEXT = 4096
"""Tokens, where the model does not say."""
log = logging.getLogger(__name__)


@dataclass(eq=False)
class Row:
    """One text in the making. `cached` counts the tokens that the cache holds of it; the last written one is not
    among them yet."""

    prompt: list[int]
    left: int
    sampler: Sampler
    spelling: Spelling
    chances: int | None = None
    """How many of the likeliest tokens are told beside each chosen one; None tells nothing of them."""
    told: Any = None
    """Belongs to whoever waits for the text."""
    written: list[int] = field(default_factory=list)
    logprobs: list[TokenChance] = field(default_factory=list)
    cached: int = 0
    unwanted: bool = False
    ended: bool = False

    @property
    def most(self) -> int:
        """Tokens that it may come to."""
        return len(self.prompt) + self.left


Told = tuple[Row, str | Finish | ModelsError]


class CausalEngine:
    """`name` is the model's registry name. Not to be used by two threads at once, but for `row`."""

    def __init__(self, name: str, directory: Path, dtype: str = "auto") -> None:
        self.name = name
        self.dtype = dtype
        self.slots = SLOTS_CPU if device().type == "cpu" else SLOTS_GPU
        self.cache_tokens = 0
        self.steps = 0
        self.largest_batch = 0
        self.arriving: deque[Row] = deque()
        self.rows: list[Row] = []
        self.ends: set[int] = set()
        self.longest = LONGEST_TEXT
        self.tokenizer: PreTrainedTokenizerBase
        self.model: Any = None
        self._directory = directory
        self._takes_positions = False
        self._cache: list[tuple[torch.Tensor, torch.Tensor]] = []

    @property
    def loaded(self) -> bool:
        return self.model is not None

    def load(self) -> None:
        """Raises ModelMissing, ModelUnusable."""
        check_files(self._directory, self.name)
        self.tokenizer = read_tokenizer(self._directory)
        model = read_served(self._directory, self.dtype).eval().requires_grad_(False)
        ends = model.generation_config.eos_token_id
        found = ends if isinstance(ends, list) else [ends]
        self.ends = {end for end in (*found, self.tokenizer.eos_token_id) if end is not None}
        own = getattr(model.config.get_text_config(), "max_position_embeddings", None) or LONGEST_TEXT
        self.cache_tokens = cache_tokens(self._directory, self.dtype)
        self.longest = min(own, self.cache_tokens)
        self._takes_positions = "position_ids" in inspect.signature(model.forward).parameters
        self.model = model

    def warm(self) -> None:
        """Compute something once, so that the first user does not wait for what is made on first use."""
        self.run([Continuation("a", length=2)])

    def close(self) -> None:
        """Let go of the weights."""
        self.model, self.rows, self._cache = None, [], []

    def row(self, given: Generation) -> Row:
        """The text that a request begins. Raises ModelsError when it cannot be begun."""
        prompt = self._prompt(given)
        room = self.longest - len(prompt)
        if not prompt:
            raise ModelsError("bad_request", "The text has no token.")
        if room < 1:
            raise ModelsError(
                "too_large", f"The text has {len(prompt)} tokens; the model {self.name} takes {self.longest - 1}."
            )
        return Row(prompt, min(given.max_tokens, room), Sampler(given), Spelling(self.tokenizer, given.stop),
                   given.logprobs)

    @torch.inference_mode()
    def step(self) -> list[Told]:
        """Let rows leave, let new ones join, and give each one token more."""
        self._leave()
        told: list[Told] = []
        if self.rows:
            self.largest_batch = max(self.largest_batch, len(self.rows))
            for row, logits in zip(self.rows, self._next(), strict=True):
                told += self._tell(row, logits)
        if self.arriving:
            self._leave()  # those that have just ended make room first
        while self.arriving and self._fits(self.arriving[0]):
            row = self.arriving.popleft()
            if row.unwanted:
                continue
            try:
                told += self._tell(row, self._read(row))
            except Exception as problem:
                log.exception("%s failed at a prompt of %d tokens", self.name, len(row.prompt))
                told.append((row, ModelsError("internal", f"The model failed: {type(problem).__name__}.")))
        self.steps += 1
        return told

    def give_up(self) -> list[Row]:
        """After a step that failed: the rows, which are taken out; the next ones begin anew."""
        rows, self.rows, self._cache = self.rows, [], []
        return rows

    @torch.inference_mode()
    def run(self, inputs: Sequence[Continuation]) -> list[Continued]:
        """Continue each text with its likeliest tokens, or weigh the given ones; here and now, for one caller."""
        return [self._continue(one) for one in inputs]

    def _continue(self, given: Continuation) -> Continued:
        prompt = self.tokenizer(given.prompt)["input_ids"][: self.longest // 2] or [0]
        tokens = list(given.tokens)
        chosen, leads = [], []
        if not tokens:
            for _ in range(given.length):
                ids = torch.tensor([prompt + tokens], device=self.model.device)
                tokens.append(int(self.model(input_ids=ids, use_cache=False).logits[0, -1].argmax()))
        ids = torch.tensor([prompt + tokens], device=self.model.device)
        logits = self.model(input_ids=ids, use_cache=False).logits[0, len(prompt) - 1 : -1].float().cpu()
        for token, row in zip(tokens, logits.log_softmax(-1), strict=True):
            chosen.append(float(row[token]))
            leads.append(float(row.max() - row[token]))
        return Continued(tuple(tokens), self.tokenizer.decode(tokens), tuple(chosen), tuple(leads))

    def _prompt(self, given: Generation) -> list[int]:
        if not given.messages:
            return self.tokenizer(given.prompt)["input_ids"]
        if not self.tokenizer.chat_template:
            raise ModelsError("bad_request", f"The model {self.name} has no chat template; give it a prompt.")
        text = self.tokenizer.apply_chat_template(
            [{"role": said.role, "content": said.content} for said in given.messages], tokenize=False,
            add_generation_prompt=True,
        )
        return self.tokenizer(text, add_special_tokens=False)["input_ids"]

    def _fits(self, row: Row) -> bool:
        """Whether the cache, in which every row is as long as the longest, stays within what was planned for it."""
        if row.unwanted or not self.rows:
            return True
        longest = max(row.most, *(other.most for other in self.rows))
        return len(self.rows) < self.slots and (1 + len(self.rows)) * longest <= self.cache_tokens

    def _tell(self, row: Row, logits: torch.Tensor) -> list[Told]:
        """Choose the row's next token, and what is to be told of it."""
        token = row.sampler.choose(logits)
        row.written.append(token)
        at_end = token in self.ends
        if row.chances is not None and not at_end:
            row.logprobs.append(chance(logits, token, row.chances, self.tokenizer))
        piece = "" if at_end else row.spelling.add(token)
        if not at_end and not row.spelling.stopped and len(row.written) < row.left:
            return [(row, piece)] if piece else []
        row.ended = True
        piece += row.spelling.end()
        reason = "stop" if at_end or row.spelling.stopped else "length"
        told = None if row.chances is None else tuple(row.logprobs)
        finish = Finish(reason, len(row.prompt), len(row.written), told)
        return [(row, piece), (row, finish)] if piece else [(row, finish)]

    def _read(self, row: Row) -> torch.Tensor:
        """Take the prompt into the cache, as its last row; the logits of what follows it."""
        cache = DynamicCache()
        ids = torch.tensor([row.prompt], device=self.model.device)
        logits = self.model(input_ids=ids, cache=cache, use_cache=True).logits[0, -1]
        row.cached = len(row.prompt)
        new = [(layer.keys, layer.values) for layer in cache.layers]
        if not self.rows:
            self._cache = new
        else:
            longest = max(self._cached(), row.cached)
            self._cache = [
                (
                    torch.cat([_padded(old_keys, longest), _padded(keys, longest)]),
                    torch.cat([_padded(old_values, longest), _padded(values, longest)]),
                )
                for (old_keys, old_values), (keys, values) in zip(self._cache, new, strict=True)
            ]
        self.rows.append(row)
        return logits

    def _next(self) -> torch.Tensor:
        """One step of all rows: the logits after their last tokens."""
        where = self.model.device
        lengths = torch.tensor([row.cached for row in self.rows], device=where)
        length = self._cached() + 1
        mask = (torch.arange(length, device=where)[None] >= length - 1 - lengths[:, None]).long()
        cache = DynamicCache(self._cache)
        more = {"position_ids": lengths[:, None]} if self._takes_positions else {}
        logits = self.model(
            input_ids=torch.tensor([[row.written[-1]] for row in self.rows], device=where), attention_mask=mask,
            cache=cache, use_cache=True, **more,
        ).logits[:, -1]
        self._cache = [(layer.keys, layer.values) for layer in cache.layers]
        for row in self.rows:
            row.cached += 1
        return logits

    def _leave(self) -> None:
        """Rows that are at their end or unwanted go, and the padding that only they needed."""
        kept = [place for place, row in enumerate(self.rows) if not (row.ended or row.unwanted)]
        if len(kept) == len(self.rows):
            return
        self.rows = [self.rows[place] for place in kept]
        longest = max((row.cached for row in self.rows), default=0)
        places = torch.tensor(kept, dtype=torch.long, device=self.model.device)
        self._cache = [
            (keys[places, :, keys.shape[2] - longest :], values[places, :, values.shape[2] - longest :])
            for keys, values in self._cache
        ] if kept else []

    def _cached(self) -> int:
        return self._cache[0][0].shape[2]


def _padded(states: torch.Tensor, length: int) -> torch.Tensor:
    """(rows, heads, tokens, size) with zeros before the tokens, up to `length` of them."""
    return torch.nn.functional.pad(states, (0, 0, length - states.shape[2], 0))
