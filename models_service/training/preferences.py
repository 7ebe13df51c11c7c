"""Train a text generator from preferences, by LoRA or in full: Direct Preference Optimization (Rafailov et al. 2023).

For each pair of answers, by how much likelier the chosen one has become than it was to the base, less by how much the
rejected one has: that margin grows. What the base thinks of the answers is computed once, before the first step, so
that no second model is kept in memory; it lies in the run's folder, so that a run that goes on learns the same.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from models_service.engines.precision import device
from models_service.evaluation import bootstrap
from models_service.evaluation.preferences import Answer, log_probabilities, longest_of, pair_of
from models_service.formats.files import FormatError
from models_service.formats.preferences import Preference, read_preferences
from models_service.training import generator_model
from models_service.training.loop import pick_precision
from models_service.training.run_folder import RunFolder
from models_service.training.settings_preferences import PreferencesSettings

REFERENCE_FILE = "reference.safetensors"
READ_AT_ONCE = 16
"""Batches between two times that what the base thinks of them is kept."""
TIMED = 3
"""Batches, for an estimate."""
Pair = tuple[Answer, Answer]
"""The chosen answer and the rejected one."""


def dpo_loss(margins: torch.Tensor, beta: float, label_smoothing: float = 0.0) -> torch.Tensor:
    """The mean over the pairs of equation 7 of the paper; with smoothing cDPO's (Mitchell 2023), by which that share
    of the pairs is judged the wrong way round.

    Args:
        margins: (pairs,), in nats: log pi(chosen)/ref(chosen) - log pi(rejected)/ref(rejected).
    """
    right, wrong = (torch.nn.functional.logsigmoid(sign * beta * margins) for sign in (1, -1))
    return -((1 - label_smoothing) * right + label_smoothing * wrong).mean()


class PreferencesTask:
    """Gives the loop its model, batches and loss."""

    def __init__(self, settings: PreferencesSettings, run: RunFolder) -> None:
        self.settings = settings
        torch.manual_seed(settings.seed)
        self.model, self.tokenizer = generator_model.opened(settings.base, settings.method)
        self._longest = min(settings.max_length, longest_of(self.model))
        self._dtype = pick_precision(settings.precision, device())
        if settings.method != "full":
            self.model = generator_model.adapted(self.model, settings.rank)
        self.model.config.use_cache = False
        _leave_out_nothing(self.model)
        rows: list[Preference] = []
        for path in settings.data:
            found = read_preferences(path)
            run.say(f"{path.name}: {len(found)} pairs of answers")
            rows += found
        self._pairs = self._fitting(rows, run)
        rng = random.Random(settings.seed)
        self.batches = [batch for _ in range(settings.epochs) for batch in self._shuffled(rng)]
        held_out = read_preferences(settings.evaluation) if settings.evaluation else []
        if len(held_out) > settings.evaluation_limit:
            held_out = rng.sample(held_out, settings.evaluation_limit)
        self._held_out = self._fitting(held_out, run) if held_out else []
        self._reference: dict[str, torch.Tensor] = {}

    def _fitting(self, rows: Sequence[Preference], run: RunFolder) -> list[Pair]:
        """Half an answer is not what was judged, so that a pair that is too long is left out."""
        pairs = [pair_of(row, self.tokenizer) for row in rows]
        fitting = [pair for pair in pairs if max(len(one.ids) for one in pair) <= self._longest]
        if len(fitting) < len(pairs):
            run.say(f"{len(pairs) - len(fitting)} of {len(pairs)} pairs are left out: they have more than "
                    f"{self._longest} tokens")
        if not fitting:
            raise FormatError(f"no pair has up to {self._longest} tokens, conversation and answer together: raise "
                              "max_length if the base model reads more, or shorten the conversations")
        return fitting

    def _shuffled(self, rng: random.Random) -> list[list[int]]:
        order = list(range(len(self._pairs)))
        rng.shuffle(order)
        size = self.settings.batch_size
        return [order[begin : begin + size] for begin in range(0, len(order), size)]

    def prepare(self, run: RunFolder) -> None:
        """What the base thinks of all answers, computed before a checkpoint's weights are read; what is known from
        before, of a run that was stopped here or later, is read."""
        file = run.path / REFERENCE_FILE
        known = load_file(file) if file.is_file() else {}
        sides = {"train": self._pairs, "held_out": self._held_out}
        at_once = READ_AT_ONCE * self.settings.batch_size
        if missing := sum(map(len, sides.values())) - sum(map(len, known.values())):
            run.say(f"the base reads {missing} pairs of answers first")
        for side, pairs in sides.items():
            for begin in range(len(known.get(side, ())), len(pairs), at_once):
                read = self._without_gradient(pairs[begin : begin + at_once], self._as_the_base())
                known[side] = torch.cat([known[side], read]) if begin else read
                fresh = file.with_suffix(".new")
                save_file(known, fresh)
                fresh.replace(file)
        self._reference = known

    def seconds_to_prepare(self) -> float:
        """From a few pairs that are read."""
        pairs = [*self._pairs, *self._held_out]
        some = random.Random(self.settings.seed).sample(pairs, min(TIMED * self.settings.batch_size, len(pairs)))
        began = time.monotonic()
        self._without_gradient(some, self._as_the_base())
        return (time.monotonic() - began) * len(pairs) / len(some)

    def _as_the_base(self) -> AbstractContextManager[Any]:
        return self.model.disable_adapter() if self.settings.method != "full" else nullcontext()

    def _without_gradient(self, pairs: Sequence[Pair], manner: AbstractContextManager[Any]) -> torch.Tensor:
        """As `_log_probabilities`, on the CPU; in groups, and in the number format of the training."""
        self.model.eval()
        where = next(self.model.parameters()).device
        autocast = torch.autocast(where.type, dtype=self._dtype, enabled=self._dtype != torch.float32)
        size = self.settings.batch_size
        with torch.no_grad(), manner, autocast:
            return torch.cat([self._log_probabilities(pairs[begin : begin + size]).cpu()
                              for begin in range(0, len(pairs), size)])

    def _log_probabilities(self, pairs: Sequence[Pair]) -> torch.Tensor:
        """(pairs, 2): of the chosen answers and of the rejected ones."""
        answers = [chosen for chosen, _ in pairs] + [rejected for _, rejected in pairs]
        return log_probabilities(self.model, answers, self.tokenizer.pad_token_id).view(2, -1).T

    def cost(self, batch: list[int]) -> int:
        """Tokens, padding included."""
        return 2 * len(batch) * max(len(one.ids) for index in batch for one in self._pairs[index])

    def loss(self, batch: list[int], device: torch.device) -> torch.Tensor:
        pairs = [self._pairs[index] for index in batch]
        own = self._log_probabilities(pairs)
        # A pre-flight only times steps and has no reference.
        reference = self._reference["train"][batch].to(device) if self._reference else own.detach()
        loss = dpo_loss(_margins(own, reference), self.settings.beta, self.settings.label_smoothing)
        if self.settings.sft_weight:
            tokens = torch.tensor([chosen.tokens for chosen, _ in pairs], device=device)
            loss = loss - self.settings.sft_weight * (own[:, 0] / tokens).mean()
        return loss

    def evaluate(self) -> dict[str, float]:
        """Of the held-out pairs: the loss without smoothing; of the rewards, which are beta times how much likelier
        an answer has become than it was to the base, the margin and the share of pairs in which the chosen answer's
        is higher, with the ends of its 95 % interval; `accuracy` as `evaluation/preferences.py` has it."""
        if not self._held_out:
            return {}
        own = self._without_gradient(self._held_out, nullcontext())
        margins = _margins(own, self._reference["held_out"])
        lengths = torch.tensor([[one.tokens for one in pair] for pair in self._held_out])
        likelier = own / lengths
        is_right = (margins > 0).float().tolist()
        low, high = bootstrap.interval(is_right)
        return {
            "preference_loss": dpo_loss(margins, self.settings.beta).item(),
            "reward_margin": self.settings.beta * margins.mean().item(),
            "reward_accuracy": sum(is_right) / len(is_right),
            "reward_accuracy_low": low, "reward_accuracy_high": high,
            "accuracy": (likelier[:, 0] > likelier[:, 1]).float().mean().item(),
        }

    def save(self, run: RunFolder) -> None:
        generator_model.save(self.model, self.tokenizer, run, base=self.settings.base,
                             method=self.settings.method, merge=self.settings.merge)


def _leave_out_nothing(model: torch.nn.Module) -> None:
    """No dropout while training: the base was asked without it too, and the two are compared."""
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        if isinstance(getattr(module, "attention_dropout", None), float):
            module.attention_dropout = 0.0


def _margins(own: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    """(pairs,) of two (pairs, 2)."""
    gained = own - reference
    return gained[:, 0] - gained[:, 1]
