"""The causal recipe: what it learns of texts and conversations, from scratch, in full and by LoRA."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from safetensors.numpy import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from models_service.formats.corpus import Document, read_corpus
from models_service.formats.files import FormatError
from models_service.formats.tokens import tokens_of
from models_service.training.packing import NOT_LEARNED, pack
from models_service.training.settings_causal import CausalSettings
from tests.small_generator import train
from tests.training.runs import kill_at, write_spec

CONVERSATION = (("system", "Be brief."), ("user", "Where is it?"), ("assistant", "In the park."), ("user", "Why?"),
                ("assistant", "It was built there."))
SIZES = {"vocabulary": 300, "hidden": 32, "layers": 1, "heads": 2, "context": 32, "batch_size": 4,
         "precision": "float32"}


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "texts.jsonl"
    lines = [{"text": f"The bridge number {number} was opened in {1900 + number}."} for number in range(60)]
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return path


def test_a_model_from_scratch_learns_its_texts(tmp_path: Path, texts: Path) -> None:
    model = train(tmp_path / "run", data=[str(texts)], evaluation=str(texts), epochs=12, learning_rate=1e-2, **SIZES)
    events = [json.loads(line) for line in (tmp_path / "run" / "events.jsonl").read_text().splitlines()]
    metrics = [event["metrics"] for event in events if "metrics" in event][-1]
    assert metrics["perplexity"] == pytest.approx(np.exp(metrics["cross_entropy"]))
    assert metrics["perplexity"] < 30 < np.exp([event["loss"] for event in events if "loss" in event][0])
    assert AutoModelForCausalLM.from_pretrained(model).config.max_position_embeddings == SIZES["context"]
    tokenizer = AutoTokenizer.from_pretrained(model)
    assert tokenizer.decode(tokenizer("Grüße, 世界! 🙂")["input_ids"]) == "Grüße, 世界! 🙂"
    assert tokenizer.apply_chat_template([{"role": "user", "content": "x"}], tokenize=False) == "<|user|>x<|end|>"


def test_a_killed_run_ends_in_the_weights_of_an_uninterrupted_one(tmp_path: Path, texts: Path) -> None:
    settings = {"data": [str(texts)], "epochs": 4, "checkpoint_seconds": 0.001, **SIZES}
    whole = load_file(train(tmp_path / "whole", **settings) / "model.safetensors")
    broken = write_spec(tmp_path / "broken", "causal", settings)
    kill_at(broken, [1])
    resumed = load_file(train(broken, **settings) / "model.safetensors")
    assert "resumed at step" in (broken / "log.txt").read_text()
    for name, weights in whole.items():
        np.testing.assert_array_equal(resumed[name], weights, err_msg=name)


def test_lora_on_conversations_changes_what_the_model_answers(tmp_path: Path, small_generator: Path) -> None:
    from peft import PeftModel

    chats = tmp_path / "chats.jsonl"
    line = {"messages": [{"role": "user", "content": "Which colour?"}, {"role": "assistant", "content": "Orange."}]}
    chats.write_text("\n".join([json.dumps(line)] * 64))
    adapter = train(tmp_path / "run", base=str(small_generator), data=[str(chats)], method="lora", epochs=24, rank=8,
                    batch_size=2, context=64, learning_rate=5e-3, precision="float32")
    config = json.loads((adapter / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == str(small_generator)
    base = AutoModelForCausalLM.from_pretrained(small_generator).eval()
    ids, learned = tokens_of(Document(messages=(("user", "Which colour?"), ("assistant", "Orange."))),
                             AutoTokenizer.from_pretrained(adapter))
    labels = torch.tensor([[token if wanted else -100 for token, wanted in zip(ids, learned, strict=True)]])
    asked = torch.tensor([ids[: learned.index(True)]])
    with torch.inference_mode():
        before = base(input_ids=torch.tensor([ids]), labels=labels).loss
        model = PeftModel.from_pretrained(base, adapter).eval()
        after = model(input_ids=torch.tensor([ids]), labels=labels).loss
        written = model.generate(input_ids=asked, max_new_tokens=6, do_sample=False)[0, asked.shape[1] :]
    assert AutoTokenizer.from_pretrained(adapter).decode(written).startswith("Orange.")
    assert after < before / 2  # the small model's output embeddings, which LoRA leaves alone, allow about 0.4


def test_of_a_conversation_only_what_the_assistant_says_is_learned(small_generator: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(small_generator)
    ids, learned = tokens_of(Document(messages=CONVERSATION), tokenizer)
    said = tokenizer.decode([token for token, wanted in zip(ids, learned, strict=True) if wanted])
    assert said == "In the park.<|end|>It was built there.<|end|>"


def test_packed_texts_are_cut_into_full_blocks_that_begin_anew(small_generator: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(small_generator)
    documents = [Document(text) for text in ("One bridge.", "Two towers in the park.", "Three.")] * 5
    packed = pack(documents, tokenizer)
    blocks = [packed.block(number, 16) for number in range(packed.blocks(16))]
    joined = np.concatenate([ids for ids, _, _ in blocks])[: len(packed.ids)]
    assert tokenizer.decode(joined) == "".join(document.text + "<|end|>" for document in documents)
    for ids, labels, positions in blocks:
        assert len(ids) == len(labels) == len(positions) == 16
        assert positions[0] == 0 and labels[0] == NOT_LEARNED
        assert all(labels[place] == (NOT_LEARNED if positions[place] == 0 else ids[place]) for place in range(16))


def test_a_packed_text_is_learned_as_if_it_stood_alone(small_generator: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(small_generator)
    model = AutoModelForCausalLM.from_pretrained(small_generator).eval()
    documents = [Document("The bridge was opened."), Document("A tower stands in the park.")]
    packed = pack(documents, tokenizer)
    ids, _, positions = (torch.tensor(part)[None] for part in packed.block(0, len(packed.ids)))
    with torch.inference_mode():
        together = model(input_ids=ids, position_ids=positions, use_cache=False).logits[0]
        alone = model(input_ids=ids[:, packed.begins.nonzero()[0][1] :], use_cache=False).logits[0]
    torch.testing.assert_close(together[-len(alone) :], alone, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("name", "content", "texts"), [
    ("a.txt", "Two\n\nparagraphs.", ["Two\n\nparagraphs."]),
    ("a.md", "{not JSON, but Markdown}", ["{not JSON, but Markdown}"]),
    ("a.jsonl", '{"text": "One."}\n\n{"text": "Two."}\n', ["One.", "Two."]),
    ("a.jsonl", '{"en": "Go.", "de": "Geh."}\n', ["Go."]),
    ("a.json", '{"data": [{"paragraphs": [{"context": "P.", "qas": [{"id": 1, "question": "?", "answers": []}, '
               '{"id": 2, "question": "??", "answers": []}]}]}]}', ["P."]),
])
def test_texts_are_read_from_each_form(tmp_path: Path, name: str, content: str, texts: list[str]) -> None:
    (tmp_path / name).write_text(content)
    assert [document.text for document in read_corpus(tmp_path / name)] == texts


@pytest.mark.parametrize(("content", "complaint"), [
    (b"", "no text in it"), (b" \n", "no text in it"), (b"\xff\xfe\x00", "not UTF-8"),
    (b"\x1f\x8b\x08broken", "not UTF-8"), (b'{"txt": "x"}', 'line 1: expected a text under "text"'),
    (b'{"text": 1}', "line 1"), (b'{"messages": [{"role": "judge", "content": ""}]}', "role"),
    (b'{"messages": [{"role": "user", "content": "x"}]}', "nothing to learn"),
    (b'{"messages": "x"}', "must be a list"),
])
def test_what_is_no_text_is_refused_with_its_place(tmp_path: Path, content: bytes, complaint: str) -> None:
    (tmp_path / "data").write_bytes(content)
    with pytest.raises(FormatError, match=complaint):
        read_corpus(tmp_path / "data")


@pytest.mark.parametrize(("values", "complaint"), [
    ({"method": "lora"}, "give a base"), ({"hidden": 30, "heads": 4}, "even number"),
    ({"context": 3}, "greater than"),
])
def test_settings_that_do_not_fit_together_are_refused(values: dict, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        CausalSettings(data=["x"], **values)


def test_going_on_with_all_weights_of_a_model_is_gentle_unless_told_otherwise() -> None:
    assert CausalSettings(data=["x"], base="b").learning_rate == 5e-5
    assert CausalSettings(data=["x"], base="b", learning_rate=1e-3).learning_rate == 1e-3
    assert CausalSettings(data=["x"], base="b", method="lora").learning_rate == 1e-3
