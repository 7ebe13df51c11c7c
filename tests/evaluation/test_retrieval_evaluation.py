"""Evaluating retrieval: the measures against a reference, BEIR folders good and bad, a reranker's effect."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator
from sklearn.metrics import ndcg_score

from models_service.evaluation import ranking
from models_service.formats.beir import read_retrieval
from models_service.formats.files import FormatError
from tests.models_service.tiny_cross_encoder import save_tiny_cross_encoder

DOCUMENTS = {
    "tower": ("Eiffel Tower", "It is 330 metres tall. It was finished in 1889 as the entrance of the World's Fair."),
    "bridge": ("Golden Gate Bridge", "It opened in 1937. Its colour is called international orange."),
    "wall": ("Great Wall", "It was built over many centuries to protect the north of China."),
    "question": ("", "How tall is the Eiffel Tower?"),
}
QUERIES = {
    "question": "How tall is the Eiffel Tower?", "q2": "When did the Golden Gate Bridge open?", "unjudged": "?",
}
QRELS = [("question", "tower", 2), ("question", "wall", 0), ("q2", "bridge", 1), ("q2", "never stored", 0)]


def write_beir(folder: Path, packed: bool = False, **changed: str) -> Path:
    """A BEIR folder; `changed` replaces the text of corpus, queries or qrels."""
    texts = {
        "corpus.jsonl": "\n".join(json.dumps({"_id": name, "title": title, "text": text, "metadata": {}})
                                  for name, (title, text) in DOCUMENTS.items()),
        "queries.jsonl": "\n".join(json.dumps({"_id": name, "text": text}) for name, text in QUERIES.items()),
        "qrels/test.tsv": "query-id\tcorpus-id\tscore\n" + "".join(f"{q}\t{d}\t{g}\n" for q, d, g in QRELS),
    }
    (folder / "qrels").mkdir(parents=True)
    for name, text in texts.items():
        text = changed.get(name.split("/")[0].split(".")[0], text)
        file = folder / (f"{name}.gz" if packed else name)
        file.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    return folder


def evaluate(*arguments: object) -> dict:
    out = StringIO()
    call_command("evaluate", "retrieval", *map(str, arguments), "--json", stdout=out)
    return json.loads(out.getvalue())


def test_a_hand_worked_ranking():
    grades = {"a": 3, "b": 1, "c": 0, "missed": 2}
    found = ["c", "b", "x", "a"]
    assert ranking.recall(found, grades, 1) == 0 and ranking.recall(found, grades, 5) == pytest.approx(2 / 3)
    assert ranking.reciprocal_rank(found, grades) == 1 / 2
    # gained: 1 at rank 2, 3 at rank 4; at best 3, 2, 1 at ranks 1, 2, 3
    gained = 1 / math.log2(3) + 3 / math.log2(5)
    assert ranking.ndcg(found, grades, 10) == pytest.approx(gained / (3 + 2 / math.log2(3) + 1 / 2))
    assert ranking.ndcg(["a", "missed", "b"], grades, 10) == 1
    assert ranking.reciprocal_rank(["x"], grades) == ranking.ndcg(["x"], grades, 10) == 0
    with pytest.raises(ValueError, match="no document is relevant"):
        ranking.recall(found, {"a": 0}, 1)


names = [f"d{number}" for number in range(12)]
rankings = st.permutations(names)


@settings(deadline=None)
@given(rankings, st.lists(st.integers(0, 4), min_size=12, max_size=12).filter(any))
def test_graded_ndcg_equals_that_of_scikit_learn(order, grades):
    place = {name: -rank for rank, name in enumerate(order)}
    expected = ndcg_score([grades], [[place[name] for name in names]], k=10)
    assert ranking.ndcg(order, dict(zip(names, grades, strict=True)), 10) == pytest.approx(expected)


@settings(deadline=None)
@given(rankings, st.sets(st.sampled_from(names), min_size=1))
def test_recall_reciprocal_rank_and_ndcg_equal_those_of_sentence_transformers(order, relevant):
    grades = dict.fromkeys(relevant, 1)
    texts = dict.fromkeys(names, "")
    judge = InformationRetrievalEvaluator({"q": ""}, texts, {"q": set(relevant)}, mrr_at_k=[12], ndcg_at_k=[10],
                                          accuracy_at_k=[1], precision_recall_at_k=[1, 5], map_at_k=[1])
    expected = judge.compute_metrics([[{"corpus_id": name, "score": -rank} for rank, name in enumerate(order)]])
    assert ranking.reciprocal_rank(order, grades) == pytest.approx(expected["mrr@k"][12])
    assert ranking.ndcg(order, grades, 10) == pytest.approx(expected["ndcg@k"][10])
    for depth in (1, 5):
        assert ranking.recall(order, grades, depth) == pytest.approx(expected["recall@k"][depth])


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_beir_folder_is_read_with_titles_grades_and_judged_queries_only(tmp_path: Path, packed: bool) -> None:
    data = read_retrieval(write_beir(tmp_path / "beir", packed))
    assert data.documents["wall"].startswith("Great Wall\n\nIt was built")
    assert data.documents["question"] == "How tall is the Eiffel Tower?"
    assert [(query.id, query.grades) for query in data.queries] == [
        ("question", {"tower": 2, "wall": 0}), ("q2", {"bridge": 1, "never stored": 0}),
    ]


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"corpus": '{"_id": "a"}'}, 'corpus.jsonl, line 1: expected "_id"'),
        ({"corpus": "[1]"}, "corpus.jsonl, line 1: expected a JSON object"),
        ({"corpus": ""}, "no document that qrels/test.tsv names"),
        ({"queries": "\x00\xff"}, "queries.jsonl, line 1: not UTF-8 JSON"),
        ({"queries": '{"_id": "other", "text": "?"}'}, "names no relevant document of any query"),
        ({"qrels": "q\td\t1\nq2 bridge 1"}, "test.tsv, line 2: expected query id"),
    ],
)
def test_a_broken_beir_folder_is_told_by_file_and_line(tmp_path: Path, changed: dict, complaint: str) -> None:
    with pytest.raises(FormatError, match=complaint.replace(".", r"\.")):
        read_retrieval(write_beir(tmp_path / "beir", **changed))


def test_evaluating_a_beir_folder_through_the_command(tmp_path: Path) -> None:
    report = evaluate("--data", write_beir(tmp_path / "beir", packed=True))
    assert (report["task"], report["model"], report["data"], report["n"]) == (
        "retrieval", "all-MiniLM-L6-v2", "beir", 2)
    assert report["metrics"].keys() == report["intervals"].keys() == {
        "recall@1", "recall@5", "recall@20", "mrr", "ndcg@10"}
    # the corpus holds the first query itself, which would be found first
    assert set(report["metrics"].values()) == {1.0}
    (tmp_path / "beir" / "queries.jsonl.gz").unlink()
    with pytest.raises(CommandError, match=r"holds no queries\.jsonl \(or queries\.jsonl\.gz\)"):
        evaluate("--data", tmp_path / "beir")


def test_the_paragraphs_of_a_squad_file_are_documents_and_a_reranker_changes_what_is_measured(
    tmp_path: Path, squad: Callable[[], Path]
) -> None:
    file = squad()
    found = evaluate("--data", file)["metrics"]
    assert found["recall@5"] == 1.0 and found["mrr"] > 0.9
    likes_the_wall = save_tiny_cross_encoder(tmp_path / "likes-the-wall", likes="centuries")
    reordered = evaluate("--data", file, "--reranker", likes_the_wall)["metrics"]
    assert reordered["recall@1"] == pytest.approx(1 / 3, abs=1e-3) and reordered["recall@5"] == 1.0
    with pytest.raises(CommandError, match="no model named"):
        evaluate("--data", file, "--reranker", "no-such-model")


@pytest.fixture
def squad(tmp_path: Path) -> Callable[[], Path]:
    """The documents above as a SQuAD file, a question each."""
    def write() -> Path:
        paragraphs = [{"context": f"{title}. {text}", "qas": [{
            "id": name, "question": f"What is said of the {title}?",
            "answers": [{"text": title, "answer_start": 0}]}]}
            for name, (title, text) in DOCUMENTS.items() if title]
        file = tmp_path / "squad.json"
        file.write_text(json.dumps({"data": [{"title": "few", "paragraphs": paragraphs}]}))
        return file

    return write
