"""Entities in texts: what rows say, how spans are counted, training on them, and the dashboard's part."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from models_service import admission
from models_service.engines.classifier import ClassifierEngine
from models_service.evaluation import spans
from models_service.formats.entities import Marked, marked_of, read_marked
from models_service.formats.files import FormatError
from models_service.registry import versions_in
from models_service.training.__main__ import main
from models_service.training.loop import train
from models_service.training.run_folder import RunFolder
from models_service.training.settings_classification import TokenClassificationSettings
from models_service.training.token_classification import TokenClassificationTask
from tests.training.conftest import PEOPLE, PLACES
from tests.training.runs import write_spec
from webapp.training import datasets, labelling_tables, sentences, subjects

SENTENCES = ("{person} Lee lives in {place}.", "In {place} it rains.", "A letter came for {person} Lee today.",
             "Nothing happened.")


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng, rows = random.Random(0), []
    for number in range(60):
        told = {"person": rng.choice(PEOPLE), "place": rng.choice(PLACES)}
        text = SENTENCES[number % 4].format(**told)
        marked = [{"start": text.index(word), "end": text.index(word) + len(word), "label": label}
                  for word, label in ((f"{told['person']} Lee", "PER"), (told["place"], "LOC")) if word in text]
        rows.append({"text": text, "entities": marked})
    path = tmp_path_factory.mktemp("names") / "names.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_tokens_with_tags_are_the_same_as_a_text_with_places() -> None:
    by_tags = marked_of({"tokens": ["Marie", "Curie", "met", "Lee", "in", "Oslo"],
                         "tags": ["B-PER", "I-PER", "O", "B-PER", "O", "I-LOC"]})
    by_places = marked_of({"text": "Marie Curie met Lee in Oslo", "entities": [
        {"start": 23, "end": 27, "label": "LOC"}, {"start": 0, "end": 11, "label": "PER"},
        {"start": 16, "end": 19, "label": "PER"}]})
    assert by_tags == by_places
    assert marked_of({"tokens": ["我", "在", "北", "京"], "tags": ["O", "O", "B-LOC", "I-LOC"]}) == (
        "我在北京", (Marked(2, 4, "LOC"),))


@pytest.mark.parametrize(("row", "field", "code"), [
    ({"tokens": ["a"]}, "tags", "missing"), ({"tokens": ["a", "b"], "tags": ["O"]}, "tags", "other_number"),
    ({"tokens": "a b", "tags": ["O"]}, "tokens", "no_words"), ({"tokens": ["a", ""], "tags": ["O", "O"]}, "tokens",
                                                               "no_words"),
    ({"text": "a"}, "entities", "no_entities"), ({"text": "", "entities": []}, "text", "empty"),
    ({"text": "abc", "entities": [{"start": 1, "end": 4, "label": "X"}]}, "entities[1]", "no_place"),
    ({"text": "abc", "entities": [{"start": "0", "end": 1, "label": "X"}]}, "entities[1]", "no_place"),
    ({"text": "abc", "entities": [{"start": 0, "end": 1}]}, "entities[1].label", "no_label"),
    ({"text": "abc", "entities": [{"start": 0, "end": 2, "label": "X"}, {"start": 1, "end": 3, "label": "Y"}]},
     "entities", "overlapping"),
    ({"text": "abc", "entities": [7]}, "entities[1]", "no_object"),
])
@pytest.mark.django_db
def test_a_row_that_is_wrong_is_named_with_its_field(
    admin, tmp_path: Path, row: dict[str, Any], field: str, code: str
) -> None:
    good = {"text": "In Oslo.", "entities": [{"start": 3, "end": 7, "label": "LOC"}]}
    lines = "\n".join(map(json.dumps, [good, row]))
    (tmp_path / "bad.jsonl").write_text(lines)
    with pytest.raises(FormatError, match=f'row 2, "{field}"'.replace("[", r"\[")):
        read_marked(tmp_path / "bad.jsonl")
    version = datasets.create_with_file("Names", "token-classification", admin, "n.jsonl", [lines.encode()])
    assert [(one["row"], one["field"], one["code"]) for one in version.report["problems"]] == [(2, field, code)]
    assert sentences.problem(version.report["problems"][0]).startswith(f"Row 2, {field}:")


def test_spans_are_counted_as_seqeval_counts_them() -> None:
    # The example of seqeval's own page: y_true [O O O B-MISC I-MISC I-MISC O, B-PER I-PER O], y_pred begins MISC one
    # token too early; it gives f1 0.50 over all, 0.00 for MISC, 1.00 for PER.
    told = []
    for expected, given in (("O O O B-MISC I-MISC I-MISC O", "O O B-MISC I-MISC I-MISC I-MISC O"),
                            ("B-PER I-PER O", "B-PER I-PER O")):
        sides = [marked_of({"tokens": list("abcdefg"[: len(tags.split())]), "tags": tags.split()})[1]
                 for tags in (expected, given)]
        told.append(spans.compared(*sides))
    found = spans.spans_of(told)
    assert spans.metrics(found) == {"precision": 0.5, "recall": 0.5, "f1_micro": 0.5, "f1_macro": 0.5}
    by_label = {one.label: (one.precision, one.recall, one.f1, one.texts) for one in spans.labelling(found).labels}
    assert by_label == {"MISC": (0, 0, 0, 1), "PER": (1, 1, 1, 1)}
    for name, (low, high) in spans.intervals(found).items():
        assert low <= spans.metrics(found)[name] <= high
    assert spans.differences(found, found) == dict.fromkeys(spans.metrics(found), (0, 0, 0))
    none = spans.spans_of([{}])
    assert set(spans.metrics(none).values()) == {1.0}
    assert labelling_tables.tables(spans.labelling(found).model_dump()).matrix == []


def test_a_span_with_another_label_or_end_is_wrong_on_both_counts() -> None:
    expected = [Marked(0, 5, "PER"), Marked(9, 13, "LOC")]
    given = [Marked(0, 5, "LOC"), Marked(9, 12, "LOC")]
    assert spans.compared(expected, given) == {"LOC": (0, 2, 1), "PER": (0, 0, 1)}


@pytest.mark.parametrize("method", ["lora", "full"])
def test_it_learns_finds_and_is_registered(names: Path, small_base: Path, tmp_path: Path, method: str) -> None:
    run = RunFolder(tmp_path / "run")
    settings = TokenClassificationSettings(base=str(small_base), data=[names], evaluation=names, max_length=32,
                                           epochs=8, learning_rate=1e-2, method=method)
    metrics = train(TokenClassificationTask(settings, run), settings, run)
    assert metrics["f1_micro"] > 0.85
    engine = ClassifierEngine("trained", run.model)
    engine.load()
    assert engine.labels == ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]
    served = spans.metrics(spans.score(engine, read_marked(names)))
    assert served == pytest.approx(metrics, abs=0.05)
    versions = versions_in(tmp_path / "models")
    assert admission.register(versions, run.model, "wenda-tagger").kind == "classifier"


def test_folds_are_made_of_it_and_a_long_text_is_learned_from_in_windows(
    names: Path, small_base: Path, tmp_path: Path
) -> None:
    settings = {"base": str(small_base), "data": [str(names)], "max_length": 32, "epochs": 1}
    folder = write_spec(tmp_path / "folds", "token-classification", settings, plan={"folds": 2})
    assert main(folder) == 0
    told = json.loads((folder / "events.jsonl").read_text().splitlines()[-1])
    assert sum(fold["rows"] for fold in told["result"]["folds"]) == len({row.text for row in read_marked(names)})
    long = tmp_path / "long.jsonl"
    text = "It rains. " * 30 + "Ada lives in Oslo."
    at = text.index("Oslo")
    long.write_text(json.dumps({"text": text, "entities": [{"start": at, "end": at + 4, "label": "LOC"}]}))
    task = TokenClassificationTask(
        TokenClassificationSettings(base=str(small_base), data=[long], max_length=32), RunFolder(tmp_path / "run"))
    assert len(task._examples) > 3
    assert any(1 in one.targets for one in task._examples), "the entity at the end is in a window"


@pytest.mark.django_db
def test_the_dashboard_shows_what_is_marked_and_keeps_the_two_kinds_of_classifier_apart(
    admin, client, names: Path
) -> None:
    version = datasets.create_with_file("Names", "token-classification", admin, "n.jsonl", [names.read_bytes()])
    assert {one["label"] for one in version.report["labels"]} == {"PER", "LOC"}
    client.force_login(admin)
    page = client.get(f"/dashboard/datasets/{version.dataset_id}/").content.decode()
    assert '<mark>Oslo</mark> <span class="badge">LOC</span>' in page
    assert client.get("/dashboard/jobs/new/?task=token-classification").status_code == 200
    assert subjects.SUBJECTS["token-classification"].kind != subjects.SUBJECTS["classification"].kind
