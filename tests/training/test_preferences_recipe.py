"""The recipe that learns from preferences: its loss, its data's tokens, what it learns, by LoRA and in full."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from safetensors.numpy import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from models_service.engines.causal_files import read_causal, read_tokenizer
from models_service.evaluation.preferences import Answer, log_probabilities, pair_of, score
from models_service.formats.files import FormatError
from models_service.formats.preferences import Preference, read_preferences
from models_service.training import loop
from models_service.training.measure import measure
from models_service.training.plan import can_vary
from models_service.training.preferences import READ_AT_ONCE, REFERENCE_FILE, PreferencesTask, dpo_loss
from models_service.training.recipes import RECIPES
from models_service.training.run_folder import RunFolder
from models_service.training.settings_preferences import PreferencesSettings
from tests.training.runs import kill_at, write_spec

THINGS = ["bridge", "tower", "park", "strait", "lamp", "harbour", "train", "garden", "museum", "market"]
WORDS = ["old", "tall", "new", "small"]
SMALL = {"rank": 4, "batch_size": 4, "precision": "float32", "max_length": 128}


def rows(count: int, first: int = 0) -> list[dict[str, str]]:
    """Preferred is an answer that ends with "indeed"; which words stand before it says nothing."""
    made = []
    for number in range(first, first + count):
        thing, word = THINGS[number % len(THINGS)], WORDS[number // len(THINGS) % len(WORDS)]
        text = f"The {thing} {number} is {word}"
        made.append({"prompt": f"What of the {thing} {number}?", "chosen": f"{text}, indeed.",
                     "rejected": f"{text}, perhaps."})
    return made


def written(path: Path, lines: list[dict]) -> Path:
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


@pytest.fixture
def data(tmp_path: Path) -> dict[str, str]:
    return {"data": [str(written(tmp_path / "train.jsonl", rows(32)))],
            "evaluation": str(written(tmp_path / "held-out.jsonl", rows(12, 100)))}


def train(folder: Path, **values: object) -> dict[str, float]:
    settings, run, threads = PreferencesSettings.model_validate(values), RunFolder(folder), torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return loop.train(PreferencesTask(settings, run), settings, run, RECIPES["preferences"].goodness)
    finally:
        torch.set_num_threads(threads)


def test_the_loss_is_that_of_the_paper_worked_out_by_hand() -> None:
    """log pi(chosen) -4, ref -6; log pi(rejected) -5, ref -3: margin 2 - -2 = 4; the other pair's is -1."""
    margins = torch.tensor([(-4 - -6) - (-5 - -3), -1.0])
    first, other = 1 / (1 + math.exp(-0.4)), 1 / (1 + math.exp(0.1))
    assert dpo_loss(margins, 0.1).item() == pytest.approx(-(math.log(first) + math.log(other)) / 2)
    assert dpo_loss(torch.zeros(3), 0.1).item() == pytest.approx(math.log(2))
    smoothed = -(0.8 * math.log(first) + 0.2 * math.log(1 - first))
    assert dpo_loss(margins[:1], 0.1, 0.2).item() == pytest.approx(smoothed)


def test_the_gradient_of_the_loss_is_that_of_the_paper() -> None:
    """-beta * sigmoid(-beta * margin) for each pair: what is judged wrongly pulls hardest."""
    margins = torch.tensor([4.0, -1.0], requires_grad=True)
    dpo_loss(margins, 0.5).backward()
    expected = [-0.5 / (1 + math.exp(0.5 * margin)) / 2 for margin in (4, -1)]
    assert margins.grad.tolist() == pytest.approx(expected)


def test_a_batch_from_text_to_loss_is_what_trl_makes_of_it(
    tmp_path: Path, tiny_generator: Path, data: dict[str, str]
) -> None:
    """DPOTrainer.compute_loss of trl 1.16.0, loss_type "sigmoid", gave 0.674285 for these pairs as conversations."""
    run = RunFolder(tmp_path / "run")
    settings = PreferencesSettings(base=str(tiny_generator), method="full", **SMALL, **data)
    task = PreferencesTask(settings, run)
    task.prepare(run)
    noise = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for weights in task.model.parameters():
            weights.add_(0.02 * torch.randn(weights.shape, generator=noise))
    assert task.loss(list(range(8)), torch.device("cpu")).item() == pytest.approx(0.674285, abs=1e-5)


def test_only_the_last_answers_tokens_count_and_its_end_is_one_of_them(tiny_generator: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_generator)
    said = (("system", "Be brief."), ("user", "Where?"), ("assistant", "There."), ("user", "Why?"))
    chosen, rejected = pair_of(Preference("1", said, "It was built.", "No."), tokenizer)
    assert tokenizer.decode(chosen.ids[chosen.begin :]) == "It was built.<|end|>"
    assert tokenizer.decode(rejected.ids[rejected.begin :]) == "No.<|end|>"
    assert tokenizer.decode(chosen.ids[: chosen.begin]).endswith("There.<|end|><|user|>Why?<|end|><|assistant|>")


def test_log_probabilities_are_summed_over_the_answer_whatever_stands_beside_it_in_the_batch(
    tiny_generator: Path,
) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_generator).eval()
    answers = [Answer([5, 9, 13, 21, 8], 3), Answer([7, 30, 2, 40, 41, 42, 43, 9, 3], 2)]
    with torch.no_grad():
        both = log_probabilities(model, answers, 0)
        for one, value in zip(answers, both.tolist(), strict=True):
            logs = model(input_ids=torch.tensor([one.ids])).logits[0].log_softmax(-1)
            by_hand = sum(logs[place - 1, one.ids[place]].item() for place in range(one.begin, len(one.ids)))
            assert value == pytest.approx(by_hand, rel=1e-4)


@pytest.mark.parametrize(("method", "rate"), [("lora", 1e-2), ("full", 2e-3)])
def test_preferred_answers_become_likelier_and_held_out_pairs_are_told_apart(
    tmp_path: Path, tiny_generator: Path, data: dict[str, str], method: str, rate: float
) -> None:
    held_out = read_preferences(Path(data["evaluation"]))
    before = score(read_causal(tiny_generator).eval(), read_tokenizer(tiny_generator), held_out)
    metrics = train(tmp_path / "run", base=str(tiny_generator), method=method, learning_rate=rate, epochs=6, **SMALL,
                    **data)
    model = read_causal(tmp_path / "run" / "model").eval()
    after = score(model, read_tokenizer(tmp_path / "run" / "model"), held_out)
    assert np.mean(before["accuracy"]) < 0.7 and np.mean(after["accuracy"]) > 0.9
    assert np.mean(after["margin"]) > np.mean(before["margin"])
    assert metrics["reward_accuracy"] > 0.9 and metrics["reward_margin"] > 0
    assert metrics["preference_loss"] < math.log(2)
    assert metrics["reward_accuracy_low"] <= metrics["reward_accuracy"] <= metrics["reward_accuracy_high"]
    assert metrics["accuracy"] == pytest.approx(np.mean(after["accuracy"]))


def test_the_sft_term_keeps_chosen_answers_likely(
    tmp_path: Path, tiny_generator: Path, data: dict[str, str]
) -> None:
    held_out = read_preferences(Path(data["evaluation"]))
    likely = []
    for weight in (0.0, 1.0):
        run = tmp_path / f"weight-{weight}"
        train(run, base=str(tiny_generator), learning_rate=1e-2, epochs=3, sft_weight=weight, **SMALL, **data)
        model, tokenizer = read_causal(run / "model").eval(), read_tokenizer(run / "model")
        with torch.no_grad():
            chosen = [pair_of(row, tokenizer)[0] for row in held_out]
            likely.append(log_probabilities(model, chosen, 0).mean().item())
    assert likely[1] > likely[0]


def test_a_pre_flight_counts_what_comes_before_the_first_step(
    tmp_path: Path, tiny_generator: Path, data: dict[str, str], monkeypatch
) -> None:
    settings = PreferencesSettings(base=str(tiny_generator), **SMALL, **data)
    task = PreferencesTask(settings, RunFolder(tmp_path / "run"))
    monkeypatch.setattr(task, "seconds_to_prepare", lambda: 1000.0)
    assert 1000 < measure(task, settings).seconds < 2000
    monkeypatch.undo()
    assert task.seconds_to_prepare() > 0 and not (tmp_path / "run" / REFERENCE_FILE).exists()


def test_the_base_is_the_reference_and_nothing_is_gained_before_the_first_step(
    tmp_path: Path, tiny_generator: Path, data: dict[str, str]
) -> None:
    settings = PreferencesSettings(base=str(tiny_generator), **SMALL, **data)
    run = RunFolder(tmp_path / "run")
    task = PreferencesTask(settings, run)
    assert task.loss([0, 1], torch.device("cpu")).item() == pytest.approx(math.log(2))  # as a pre-flight does
    task.prepare(run)
    assert task.loss([0, 1, 2], torch.device("cpu")).item() == pytest.approx(math.log(2), abs=1e-4)
    metrics = task.evaluate()
    assert metrics["reward_margin"] == pytest.approx(0, abs=1e-4) and metrics["reward_accuracy"] == 0
    with torch.no_grad():  # an adapter that has learned something changes nothing of the reference
        for name, weights in task.model.named_parameters():
            if "lora_B" in name:
                weights.fill_(0.1)
    known = load_file(run.path / REFERENCE_FILE)
    (run.path / REFERENCE_FILE).unlink()
    task.prepare(run)
    for side, values in load_file(run.path / REFERENCE_FILE).items():
        np.testing.assert_array_equal(values, known[side])
    assert abs(task.evaluate()["reward_margin"]) > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_killed_run_ends_in_the_weights_of_an_uninterrupted_one(
    tmp_path: Path, tiny_generator: Path, data: dict[str, str], method: str
) -> None:
    settings = {"base": str(tiny_generator), "method": method, "epochs": 2, "checkpoint_seconds": 0.001,
                "learning_rate": 1e-3, **SMALL, **data}
    train(tmp_path / "whole", **settings)
    broken = write_spec(tmp_path / "broken", "preferences", settings)
    kill_at(broken, [1])
    train(broken, **settings)
    assert "resumed at step" in (broken / "log.txt").read_text()
    name = "adapter_model.safetensors" if method == "lora" else "model.safetensors"
    whole, resumed = (load_file(folder / "model" / name) for folder in (tmp_path / "whole", broken))
    assert whole.keys() == resumed.keys()
    for weight, values in whole.items():
        np.testing.assert_array_equal(resumed[weight], values, err_msg=weight)


def test_what_the_base_was_asked_before_a_kill_is_not_asked_again(
    tmp_path: Path, tiny_generator: Path, data: dict[str, str], monkeypatch
) -> None:
    settings = PreferencesSettings(base=str(tiny_generator), **{**SMALL, "batch_size": 1}, **data)
    runs = [RunFolder(tmp_path / name) for name in ("whole", "broken")]
    PreferencesTask(settings, runs[0]).prepare(runs[0])
    task = PreferencesTask(settings, runs[1])
    read, asked = task._without_gradient, []

    def once(pairs: list, manner: object) -> torch.Tensor:
        if asked:
            raise KeyboardInterrupt
        asked.append(len(pairs))
        return read(pairs, manner)

    monkeypatch.setattr(task, "_without_gradient", once)
    with pytest.raises(KeyboardInterrupt):
        task.prepare(runs[1])
    assert asked == [READ_AT_ONCE] and len(load_file(runs[1].path / REFERENCE_FILE)["train"]) == READ_AT_ONCE
    PreferencesTask(settings, runs[1]).prepare(runs[1])
    assert f"the base reads {32 + 12 - READ_AT_ONCE} pairs" in (runs[1].path / "log.txt").read_text()
    whole, resumed = (load_file(run.path / REFERENCE_FILE) for run in runs)
    for side, values in whole.items():
        np.testing.assert_array_equal(resumed[side], values)


def test_nothing_is_left_out_at_random(tmp_path: Path, data: dict[str, str], tiny_generator: Path) -> None:
    from transformers import AutoConfig, GPT2Config, GPT2LMHeadModel

    tokenizer = AutoTokenizer.from_pretrained(tiny_generator)
    torch.manual_seed(0)
    GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer), n_embd=32, n_layer=1, n_head=2, n_positions=256,
                               resid_pdrop=0.5, attn_pdrop=0.5, embd_pdrop=0.5)).save_pretrained(tmp_path / "gpt2")
    tokenizer.save_pretrained(tmp_path / "gpt2")
    assert AutoConfig.from_pretrained(tmp_path / "gpt2").attn_pdrop == 0.5
    run = RunFolder(tmp_path / "run")
    task = PreferencesTask(PreferencesSettings(base=str(tmp_path / "gpt2"), method="full", **SMALL, **data), run)
    task.prepare(run)
    task.model.train()
    assert task.loss([0, 1, 2], torch.device("cpu")).item() == pytest.approx(math.log(2), abs=1e-4)


def test_early_stopping_goes_by_the_held_out_loss(tmp_path: Path, tiny_generator: Path, data: dict[str, str]) -> None:
    metrics = train(tmp_path / "run", base=str(tiny_generator), learning_rate=2e-2, epochs=4, evaluate_every=4,
                    early_stopping=1, **SMALL, **data)
    events = [json.loads(line) for line in (tmp_path / "run" / "events.jsonl").read_text().splitlines()]
    seen = [event["metrics"]["preference_loss"] for event in events if event.get("metrics")]
    assert metrics["preference_loss"] == min(seen)


def test_an_adapter_as_base_is_merged_and_a_whole_model_comes_of_it(
    tmp_path: Path, tiny_generator: Path, data: dict[str, str]
) -> None:
    first = {"base": str(tiny_generator), "max_steps": 2, "learning_rate": 1e-2, **SMALL, **data}
    train(tmp_path / "first", **first)
    adapter = tmp_path / "first" / "model"
    assert json.loads((adapter / "adapter_config.json").read_text())["base_model_name_or_path"] == str(tiny_generator)
    train(tmp_path / "second", **{**first, "base": str(adapter)})
    made = tmp_path / "second" / "model"
    assert (made / "model.safetensors").is_file() and not (made / "adapter_config.json").exists()
    ids = torch.tensor([[5, 9, 13, 21]])
    with torch.no_grad():
        logits = [read_causal(folder).eval()(input_ids=ids).logits for folder in (tiny_generator, adapter, made)]
    assert not torch.allclose(logits[0], logits[1]) and not torch.allclose(logits[1], logits[2])


def test_pairs_that_do_not_fit_are_left_out_and_told(
    tmp_path: Path, tiny_generator: Path, data: dict[str, str]
) -> None:
    long = {"prompt": "Where? " * 200, "chosen": "Here.", "rejected": "There."}
    file = written(tmp_path / "long.jsonl", [*rows(4), long])
    run = RunFolder(tmp_path / "run")
    task = PreferencesTask(PreferencesSettings(base=str(tiny_generator), data=[file]), run)
    assert sum(map(len, task.batches)) == 4 and "1 of 5 pairs are left out" in (run.path / "log.txt").read_text()
    with pytest.raises(FormatError, match="no pair has up to 16 tokens"):
        PreferencesTask(PreferencesSettings(base=str(tiny_generator), data=[file], max_length=16), run)


def test_a_model_without_a_chat_template_is_refused(tmp_path: Path, tiny_generator: Path, data: dict) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_generator)
    tokenizer.chat_template = None
    AutoModelForCausalLM.from_pretrained(tiny_generator).save_pretrained(tmp_path / "bare")
    tokenizer.save_pretrained(tmp_path / "bare")
    with pytest.raises(FormatError, match="no chat template"):
        PreferencesTask(PreferencesSettings(base=str(tmp_path / "bare"), **data), RunFolder(tmp_path / "run"))


def test_settings_that_mean_nothing_are_refused_and_all_weights_move_gently() -> None:
    for values in ({"base": ""}, {"beta": 0}, {"label_smoothing": 0.5}, {}):
        with pytest.raises(ValidationError):
            PreferencesSettings.model_validate({"data": ["x"], **({"base": "b"} if values else {}), **values})
    assert PreferencesSettings(base="b", data=["x"], method="full").learning_rate == 1e-6
    assert "beta" not in can_vary(PreferencesSettings)  # losses of different ones cannot be compared
    assert PreferencesSettings(base="b", data=["x"], method="full", learning_rate=1e-4).learning_rate == 1e-4
