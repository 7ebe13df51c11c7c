"""A generator in this process: any `AutoModelForCausalLM`, many texts in one running batch.

A text joins between two steps, after its prompt has been read alone, and leaves between two steps when it is at its
end or nobody wants it any more. transformers has a continuous batching of its own; it knows no seeds for each request
and no stop strings, and its paged attention is for GPUs, so the step is taken here: a cache padded on the left.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections import deque
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache, PreTrainedTokenizerBase

from models_service.engines.generating import Finish, Generation, Generator
from models_service.engines.precision import device, has_bfloat16
from models_service.engines.sampling import Sampler, Spelling
from models_service.errors import ModelsError, ModelsUnavailable
from models_service.model_files import ModelMissing, ModelUnusable, check_files

SLOTS_CPU = 16
SLOTS_GPU = 64
LONGEST_TEXT = 4096
"""Tokens, where the model does not say."""
log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Row:
    """One text in the making. `cached` counts the tokens that the cache holds of it; `last` is not among them yet."""

    prompt: list[int]
    left: int
    sampler: Sampler
    spelling: Spelling
    pieces: asyncio.Queue[str | Finish | ModelsError] = field(default_factory=asyncio.Queue)
    cached: int = 0
    last: int = 0
    written: int = 0
    unwanted: bool = False
    ended: bool = False


class CausalGenerator(Generator):
    """Belongs to the event loop that it is used in; computes in a thread of its own."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self.slots = SLOTS_CPU if device().type == "cpu" else SLOTS_GPU
        self.steps = 0
        self.largest_batch = 0
        self._directory = directory
        self._model: torch.nn.Module
        self._tokenizer: PreTrainedTokenizerBase
        self._ends: set[int] = set()
        self._longest = LONGEST_TEXT
        self._takes_positions = False
        self._arriving: deque[_Row] = deque()
        self._rows: list[_Row] = []
        self._cache: list[tuple[torch.Tensor, torch.Tensor]] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"write-{name}")
        self._opening: asyncio.Task[None] | None = None
        self._running: asyncio.Task[None] | None = None

    async def open(self) -> None:
        if self._opening is None:
            self._opening = asyncio.create_task(self._in_thread(self._load))
        try:
            await asyncio.shield(self._opening)
        except (ModelMissing, ModelUnusable) as problem:
            log.error("%s", problem)
            sentence = f"The model {self.name} cannot be used; the model service's log says why."
            raise ModelsUnavailable(sentence, retryable=False) from None

    async def stream(self, given: Generation) -> AsyncGenerator[str | Finish, None]:
        await self.open()
        prompt = await asyncio.to_thread(self._prompt, given)
        room = self._longest - len(prompt)
        if room < 1:
            raise ModelsError(
                "too_large", f"The text has {len(prompt)} tokens; the model {self.name} takes {self._longest - 1}."
            )
        row = _Row(prompt, min(given.max_tokens, room), Sampler(given), Spelling(self._tokenizer, given.stop))
        self._arriving.append(row)
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run(), name=f"steps of {self.name}")
        try:
            while True:
                piece = await row.pieces.get()
                if isinstance(piece, ModelsError):
                    raise piece
                yield piece
                if isinstance(piece, Finish):
                    return
        finally:
            row.unwanted = True

    async def close(self) -> None:
        for task in (self._opening, self._running):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        self._thread.shutdown(wait=False)

    def _load(self) -> None:
        check_files(self._directory, self.name)
        where = device()
        kind = torch.bfloat16 if where.type == "cuda" and has_bfloat16(where) else torch.float32
        self._tokenizer = AutoTokenizer.from_pretrained(self._directory)
        try:
            model = AutoModelForCausalLM.from_pretrained(self._directory, use_safetensors=True, dtype=kind)
        except (OSError, ValueError) as problem:
            raise ModelUnusable(f"{self._directory} is no causal language model: {problem}") from None
        self._model = model.to(where).eval().requires_grad_(False)
        ends = model.generation_config.eos_token_id
        found = ends if isinstance(ends, list) else [ends]
        self._ends = {end for end in (*found, self._tokenizer.eos_token_id) if end is not None}
        self._longest = getattr(model.config.get_text_config(), "max_position_embeddings", None) or LONGEST_TEXT
        self._takes_positions = "position_ids" in inspect.signature(model.forward).parameters
        warm = _Row([0], 1, Sampler(Generation(temperature=0)), Spelling(self._tokenizer, ()), ended=True)
        self._read(warm)
        self._leave()

    def _prompt(self, given: Generation) -> list[int]:
        if not given.messages:
            return self._tokenizer(given.prompt)["input_ids"]
        if not self._tokenizer.chat_template:
            raise ModelsError("bad_request", f"The model {self.name} has no chat template; give it a prompt.")
        text = self._tokenizer.apply_chat_template(
            [{"role": said.role, "content": said.content} for said in given.messages], tokenize=False,
            add_generation_prompt=True,
        )
        return self._tokenizer(text, add_special_tokens=False)["input_ids"]

    async def _run(self) -> None:
        while self._arriving or self._rows:
            try:
                told = await self._in_thread(self._step)
            except Exception as problem:
                log.exception("%s failed at a step", self.name)
                failure = ModelsError("internal", f"The model failed: {type(problem).__name__}.")
                told = [(row, failure) for row in self._rows]
                self._rows, self._cache = [], []
            for row, piece in told:
                row.pieces.put_nowait(piece)

    @torch.inference_mode()
    def _step(self) -> list[tuple[_Row, str | Finish | ModelsError]]:
        """Let rows leave, let new ones join, and give each one token more."""
        self._leave()
        told: list[tuple[_Row, str | Finish | ModelsError]] = []
        if self._rows:
            self.largest_batch = max(self.largest_batch, len(self._rows))
            for row, logits in zip(self._rows, self._next(), strict=True):
                told += self._tell(row, logits)
        if self._arriving:
            self._leave()  # those that have just ended make room first
        while self._arriving:
            row = self._arriving.popleft()
            if row.unwanted:
                continue
            try:
                told += self._tell(row, self._read(row))
            except Exception as problem:
                log.exception("%s failed at a prompt of %d tokens", self.name, len(row.prompt))
                told.append((row, ModelsError("internal", f"The model failed: {type(problem).__name__}.")))
        self.steps += 1
        return told

    def _tell(self, row: _Row, logits: torch.Tensor) -> list[tuple[_Row, str | Finish]]:
        """Choose the row's next token, and what is to be told of it."""
        token = row.sampler.choose(logits)
        row.written += 1
        row.last = token
        at_end = token in self._ends
        piece = "" if at_end else row.spelling.add(token)
        if not at_end and not row.spelling.stopped and row.written < row.left:
            return [(row, piece)] if piece else []
        row.ended = True
        piece += row.spelling.end()
        reason = "stop" if at_end or row.spelling.stopped else "length"
        finish = Finish(reason, len(row.prompt), row.written)
        return [(row, piece), (row, finish)] if piece else [(row, finish)]

    def _read(self, row: _Row) -> torch.Tensor:
        """Take the prompt into the cache, as its last row; the logits of what follows it."""
        cache = DynamicCache()
        ids = torch.tensor([row.prompt], device=self._model.device)
        with torch.inference_mode():
            logits = self._model(input_ids=ids, cache=cache, use_cache=True).logits[0, -1]
        row.cached = len(row.prompt)
        new = [(layer.keys, layer.values) for layer in cache.layers]
        if not self._rows:
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
        self._rows.append(row)
        return logits

    def _next(self) -> torch.Tensor:
        """One step of all rows: the logits after their last tokens."""
        where = self._model.device
        lengths = torch.tensor([row.cached for row in self._rows], device=where)
        length = self._cached() + 1
        mask = (torch.arange(length, device=where)[None] >= length - 1 - lengths[:, None]).long()
        cache = DynamicCache(self._cache)
        more = {"position_ids": lengths[:, None]} if self._takes_positions else {}
        logits = self._model(
            input_ids=torch.tensor([[row.last] for row in self._rows], device=where), attention_mask=mask,
            cache=cache, use_cache=True, **more,
        ).logits[:, -1]
        self._cache = [(layer.keys, layer.values) for layer in cache.layers]
        for row in self._rows:
            row.cached += 1
        return logits

    def _leave(self) -> None:
        """Rows that are at their end or unwanted go, and the padding that only they needed."""
        kept = [place for place, row in enumerate(self._rows) if not (row.ended or row.unwanted)]
        if len(kept) == len(self._rows):
            return
        self._rows = [self._rows[place] for place in kept]
        longest = max((row.cached for row in self._rows), default=0)
        places = torch.tensor(kept, dtype=torch.long, device=self._model.device)
        self._cache = [
            (keys[places, :, keys.shape[2] - longest :], values[places, :, values.shape[2] - longest :])
            for keys, values in self._cache
        ] if kept else []

    def _cached(self) -> int:
        return self._cache[0][0].shape[2]

    async def _in_thread(self, work):
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _padded(states: torch.Tensor, length: int) -> torch.Tensor:
    """(rows, heads, tokens, size) with zeros before the tokens, up to `length` of them."""
    return torch.nn.functional.pad(states, (0, 0, length - states.shape[2], 0))
