"""The examples of the help page on calling from a program, run as they stand there, in both languages."""

from __future__ import annotations

import contextlib
import io
import json
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live_site import live_site

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
STARTER = Path(__file__).parents[2] / "webapp" / "knowledge" / "starter"
PRINTED_ADDRESS = "http://127.0.0.1:8000"
HANDBOOKS = {"en": "# Leave\n\nEvery employee has 30 days of leave a year.\n",
             "zh-hans": "# 休假\n\n每位员工每年可以享受三十天的年假。\n"}
PHRASES = [{"en": f"This is house {number}.", "de": f"Das ist Haus {number}."} for number in range(10)]


def blocks(language: str) -> list[str]:
    page = (STARTER / language / "26-calling-from-a-program.md").read_text(encoding="utf-8")
    return re.findall(r"(?ms)^```\n(.*?)\n```$", page)


@pytest.fixture
def address(models, redis_url, settings, tmp_path: Path, monkeypatch, admin) -> Iterator[str]:
    """A site whose documents are read in, and a folder with the files of the examples; the key is in the
    environment."""
    from webapp.accounts.services import create_api_key

    settings.LIMITS = {name: 1_000_000 for name in settings.LIMITS}
    monkeypatch.setenv("WENDA_KEY", create_api_key(admin, "test")[1])
    folder = tmp_path / "examples"
    folder.mkdir()
    (folder / "phrases.jsonl").write_text("\n".join(map(json.dumps, PHRASES)), encoding="utf-8")
    monkeypatch.chdir(folder)
    with live_site() as address, reading_in():
        yield address


@contextlib.contextmanager
def reading_in() -> Iterator[None]:
    """What the worker does with the documents that wait, on a thread."""
    from django.db import connection

    from webapp.knowledge import worker
    from webapp.knowledge.models import Document

    over = threading.Event()

    def work() -> None:
        while not over.wait(0.1):
            for document in Document.objects.filter(status="queued"):
                worker.ingest(document.pk)
        connection.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(30)


def run_curl(command: str) -> str:
    done = subprocess.run(["bash", "-c", command.replace("curl ", "curl -sS --noproxy '*' --fail-with-body ", 1)],
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def run_python(code: str, names: dict[str, Any]) -> str:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(code, names)
    return said.getvalue()


def lacks(shown: Any, reply: Any, at: str = "") -> list[str]:
    """What of the shown reply is not in the real one, or of another kind."""
    if isinstance(shown, dict) and isinstance(reply, dict):
        return [fault for name, value in shown.items() for fault in (
            lacks(value, reply[name], f"{at}.{name}") if name in reply else [f"{at}.{name} is not there"])]
    if isinstance(shown, list) and isinstance(reply, list):
        if shown and not reply:
            return [f"{at} is empty"]
        return lacks(shown[0], reply[0], f"{at}[0]") if shown else []
    numbers = (int, float)
    alike = (isinstance(shown, numbers) and isinstance(reply, numbers)) or type(shown) is type(reply)
    return [] if alike else [f"{at} is {reply!r}"]


def ids(shown: Any, reply: Any) -> dict[str, str]:
    """The capitals that the shown reply names ids by, with what they are in the real one."""
    if isinstance(shown, list):
        return ids(shown[0], reply[0]) if shown else {}
    if not isinstance(shown, dict):
        return {shown: str(reply)} if isinstance(shown, str) and shown.endswith("_ID") else {}
    return {name: value for key in shown for name, value in ids(shown[key], reply[key]).items()}


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_example_runs_and_is_answered_as_it_is_shown(language, address):
    Path("handbook.md").write_text(HANDBOOKS[language], encoding="utf-8")
    known: dict[str, str] = {}
    names: dict[str, Any] = {}
    reply, calls = "", {"curl": 0, "python": 0, "shown": 0}
    for block in blocks(language):
        real = block.replace(PRINTED_ADDRESS, address)
        if block.startswith("curl"):
            for capitals, identifier in known.items():
                real = real.replace(capitals, identifier)
            assert not re.search(r"[A-Z]_ID\b", real), real
            reply = run_curl(real)
            calls["curl"] += 1
        elif block.startswith("{"):
            shown, told = json.loads(block), json.loads(reply)
            assert lacks(shown, told) == [], (block, told)
            known |= ids(shown, told)
            if "key" in shown:
                known["KEY_ID"] = str(told["id"])
            calls["shown"] += 1
        elif block.startswith("event:"):
            events = re.findall(r"(?m)^event: \w+$", reply)
            assert [event for event, before in zip(events, ["", *events], strict=False) if event != before] == (
                block.split("\n"))
            calls["shown"] += 1
        else:
            run_python(real, names)
            calls["python"] += 1
    assert calls["curl"] >= 16 and calls["python"] >= 14 and calls["shown"] >= 13, calls
    assert names["document"]["status"] == "ready"
    assert {"en": "30", "zh-hans": "三十"}[language] in names["answer"]["answer"]


@pytest.mark.parametrize("path", [
    "qa/ask", "search", "summarize", "translate", "classify", "documents/", "evaluations/", "jobs/", "keys/",
    "collections/", "chat/completions", "embeddings",
])
def test_each_main_call_has_an_example_with_curl_and_one_in_python(path):
    for language in ("en", "zh-hans"):
        using = [block for block in blocks(language) if f"/v1/{path}" in block]
        assert any(block.startswith("curl") for block in using), path
        assert any(not block.startswith("curl") for block in using), path
