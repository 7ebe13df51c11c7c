"""Fine-tune an extractive reader: an encoder with a span head, by LoRA or in full.

Start and end of the answer are predicted per token, with the first token ([CLS]) standing for "not answered
here" (Devlin et al. 2019, section 4.3). Where annotators differ, the target is their average.
"""

from __future__ import annotations

import copy
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

from models_service.base_models import resolve
from models_service.compression.magnitude import keep_zeros
from models_service.engines.padding import padded
from models_service.engines.reader import ReaderEngine, make_types_alike, read_model
from models_service.engines.span_windows import Window, cut_windows
from models_service.evaluation import reading
from models_service.formats.squad import Question, read_squad
from models_service.model_files import CALIBRATION_FILE, tokenizer_folder
from models_service.training.adapter_files import slim
from models_service.training.augmentation import augmented, shares_of
from models_service.training.distilling import likeness, measured
from models_service.training.run_folder import RunFolder
from models_service.training.settings import QaSettings
from models_service.training.shrinking import shrink
from models_service.training.unanswerable import unanswerable


@dataclass(frozen=True)
class Example:
    """A window and where its answer starts and ends: (token, weight) lists whose weights add up to 1."""

    window: Window
    starts: list[tuple[int, float]]
    ends: list[tuple[int, float]]


class QaTask:
    """Gives the loop its model, batches and loss."""

    def __init__(self, settings: QaSettings, run: RunFolder) -> None:
        self.settings = settings
        torch.manual_seed(settings.seed)
        self._base = Path(resolve(settings.base))
        self._is_adapted = (self._base / "adapter_config.json").is_file()
        self.tokenizer = AutoTokenizer.from_pretrained(
            tokenizer_folder(self._base) if self._is_adapted else resolve(settings.base)
        )
        model = self._open_model()
        switch_off_dropout(model)
        self._teacher: torch.nn.Module | None = None
        if settings.method == "lora":
            model = get_peft_model(model, lora_config(settings.rank))
        else:
            if settings.method == "distil":
                self._teacher = model.eval().requires_grad_(False)
                model = self._student(model)
            model.base_model.embeddings.requires_grad_(False)
        if settings.keep_zeros:
            keep_zeros(model)
        self.model = model
        first = self._examples(settings.first, run)
        main = self._examples(settings.data, run)
        self._all = first + main
        rng = random.Random(settings.seed)
        self.batches = _length_grouped(range(len(first)), self._all, settings.batch_size, rng)
        for _ in range(settings.epochs):
            self.batches += _length_grouped(
                range(len(first), len(self._all)), self._all, settings.batch_size, rng
            )
        self._held_out = read_squad(settings.evaluation) if settings.evaluation else []
        if len(self._held_out) > settings.evaluation_limit:
            self._held_out = rng.sample(self._held_out, settings.evaluation_limit)

    def _open_model(self) -> torch.nn.Module:
        # On CPU in bfloat16 the plain attention is a fifth faster than the fused one at 200 tokens (measured).
        attention = "sdpa" if torch.cuda.is_available() else "eager"
        if not self._is_adapted:
            return AutoModelForQuestionAnswering.from_pretrained(
                resolve(self.settings.base), attn_implementation=attention
            )
        model = read_model(self._base)
        make_types_alike(model)
        model.set_attn_implementation(attention)
        return model

    def _student(self, teacher: torch.nn.Module) -> torch.nn.Module:
        if not self._is_adapted and "QuestionAnswering" not in str(teacher.config.architectures):
            raise ValueError("only a reader can be distilled: choose one as the base")
        if self.settings.student:
            student = read_model(Path(self.settings.student))
            switch_off_dropout(student)
            return student
        layers = self.settings.layers or max(1, teacher.config.num_hidden_layers // 2)
        return shrink(teacher, layers, self.settings.feed_forward).requires_grad_(True)

    def cost(self, batch: list[int]) -> int:
        """Tokens, padding included."""
        return len(batch) * max(len(self._all[i].window) for i in batch)

    def _examples(self, paths: Sequence[Path], run: RunFolder) -> list[Example]:
        made: list[Example] = []
        for path in paths:
            questions = read_squad(path)
            without = unanswerable(questions, self.settings.unanswerable_share, self.settings.seed)
            questions += without
            questions = augmented(questions, shares_of(self.settings), self.settings.seed, run,
                                  text_of=lambda question: question.question,
                                  with_text=lambda question, text: replace(question, question=text))
            windows = cut_windows(
                self.tokenizer,
                [question.question for question in questions],
                [question.context for question in questions],
                max_length=self.settings.max_length,
                stride=self.settings.stride,
            )
            made += [_label(window, questions[window.pair]) for window in windows]
            run.say(f"{path.name}: {len(questions)} questions, {len(without)} of them made unanswerable")
        return made

    def loss(self, batch: list[int], device: torch.device) -> torch.Tensor:
        examples = [self._all[i] for i in batch]
        windows = [example.window for example in examples]
        inputs = padded(
            [window.input_ids for window in windows], [window.token_type_ids for window in windows],
            most=self.settings.max_length, pad_id=self.tokenizer.pad_token_id, where=device,
        )
        out = self.model(**inputs)
        allowed = torch.from_numpy(_allowed(examples, inputs["input_ids"].shape)).to(device)
        starts = torch.from_numpy(_targets([e.starts for e in examples], allowed.shape)).to(device)
        ends = torch.from_numpy(_targets([e.ends for e in examples], allowed.shape)).to(device)
        total = out.start_logits.new_zeros((), dtype=torch.float32)
        for logits, target in ((out.start_logits, starts), (out.end_logits, ends)):
            scores = logits.float().masked_fill(~allowed, -1e4).log_softmax(-1)
            total = total - (target * scores).sum(-1).mean() / 2
        if self._teacher is None:
            return total
        with torch.no_grad():
            taught = self._teacher.to(device)(**inputs)
        masked = [(own.float().masked_fill(~allowed, -1e4), shown.float().masked_fill(~allowed, -1e4)) for own, shown
                  in ((out.start_logits, taught.start_logits), (out.end_logits, taught.end_logits))]
        return (total + sum(likeness(*pair) for pair in masked) / 2) / 2

    def evaluate(self) -> dict[str, float]:
        """EM and F1 (0 to 100) on the held-out questions, each beside its own paragraph."""
        if not self._held_out:
            return {}
        values = reading.score(self._engine(self.model), self._held_out)
        return {name: 100 * float(np.mean(own)) for name, own in values.items()}

    def _engine(self, model: torch.nn.Module) -> ReaderEngine:
        return ReaderEngine(
            model, self.tokenizer, max_length=self.settings.max_length, stride=self.settings.stride
        )

    def save(self, run: RunFolder) -> None:
        self.tokenizer.save_pretrained(run.model)
        if (self._base / CALIBRATION_FILE).is_file():
            # A reader that is trained further scores on the scale of the one that it comes from.
            shutil.copyfile(self._base / CALIBRATION_FILE, run.model / CALIBRATION_FILE)
        if self.settings.method == "lora" and (self.settings.merge or self._is_adapted):
            merged = copy.deepcopy(self.model).merge_and_unload()
            make_types_alike(merged)  # as above: adapters are trained without token types
            merged.save_pretrained(run.model)
            return
        self.model.save_pretrained(run.model)
        if self.settings.method == "lora":
            slim(run.model, self.settings.base)
        if self._teacher is not None:
            run.event(result={"compressed": {
                name: measured(self._engine(model), model, self._held_out)
                for name, model in (("before", self._teacher), ("after", self.model))
            }})


def lora_config(rank: int) -> LoraConfig:
    return LoraConfig(
        r=rank, lora_alpha=2 * rank, lora_dropout=0.0, task_type="QUESTION_ANS",
        target_modules=["query", "key", "value", "dense"], modules_to_save=["qa_outputs"],
    )


def switch_off_dropout(model: torch.nn.Module) -> None:
    """One or two passes over the data do not overfit, and on CPU dropout costs a third of the time (measured)."""
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0


def _label(window: Window, question: Question) -> Example:
    """Point at the answer's first and last token; at token 0 when the window does not hold all of it."""
    first, last = window.offsets[:, 0], window.offsets[:, 1]
    found = []
    for text, start in dict.fromkeys(question.answers):
        end = start + len(text)
        begins = np.flatnonzero((first <= start) & (last > start) & (first >= 0))
        finishes = np.flatnonzero((first < end) & (last >= end) & (first >= 0))
        if begins.size and finishes.size and finishes[0] >= begins[0]:
            weight = sum(answer == (text, start) for answer in question.answers)
            found.append((int(begins[0]), int(finishes[0]), float(weight)))
    if not found:
        return Example(window, [(0, 1.0)], [(0, 1.0)])
    total = sum(weight for *_, weight in found)
    return Example(window, [(s, w / total) for s, _, w in found], [(e, w / total) for _, e, w in found])


def _length_grouped(
    indices: Sequence[int], examples: Sequence[Example], batch_size: int, rng: random.Random
) -> list[list[int]]:
    """One epoch's batches in random order, each of windows of like length, so that little is padding."""
    shuffled = list(indices)
    rng.shuffle(shuffled)
    batches = []
    for chunk in range(0, len(shuffled), batch_size * 40):
        group = sorted(shuffled[chunk : chunk + batch_size * 40], key=lambda i: len(examples[i].window))
        batches += [group[i : i + batch_size] for i in range(0, len(group), batch_size)]
    rng.shuffle(batches)
    return batches


def _allowed(examples: Sequence[Example], shape: tuple[int, int]) -> np.ndarray:
    allowed = np.zeros(shape, dtype=bool)
    for row, example in enumerate(examples):
        allowed[row, : len(example.window)] = example.window.offsets[:, 0] >= 0
        allowed[row, 0] = True
    return allowed


def _targets(positions: Sequence[list[tuple[int, float]]], shape: Sequence[int]) -> np.ndarray:
    target = np.zeros(tuple(shape), dtype=np.float32)
    for row, pairs in enumerate(positions):
        for token, weight in pairs:
            target[row, token] += weight
    return target
