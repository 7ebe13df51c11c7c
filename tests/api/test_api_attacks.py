"""What somebody might send to do harm: refused clearly, with nothing of it anywhere it should not be."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from django.test import Client

from tests.api.conftest import is_problem
from webapp.masking import MaskingFormatter

pytestmark = pytest.mark.django_db
JSON = {"content_type": "application/json"}
NAMES = ["../../evil.txt", "..\\..\\evil.txt", "/etc/cron.d/evil.txt", "a\x00/../evil.txt", "..", "a\rX-Evil: 1.txt",
         "%2e%2e%2fevil.txt", "x" * 400 + ".txt"]


@pytest.fixture
def client(alice, program, redis_url) -> Client:
    return program(alice)


def upload(client: Client, path: str, field: str, name: str, **fields: str):
    """A multipart body as an attacker writes it: Django's own client would tidy the name."""
    parts = [f'--b\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
             for key, value in fields.items()]
    parts.append(f'--b\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
                 f"Content-Type: text/plain\r\n\r\nSome words.\r\n--b--\r\n")
    return client.generic("POST", path, "".join(parts).encode(), content_type="multipart/form-data; boundary=b")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("path", ["documents", "summaries", "translation-batches"])
def test_a_file_s_name_leads_nowhere_and_into_no_header(client, alice, data_dir: Path, path, name):
    from webapp.knowledge.services import create_collection

    before = {file for file in data_dir.parent.rglob("*") if data_dir not in file.parents}
    fields = {"documents": {"collection": str(create_collection(alice, "Own").pk)},
              "translation-batches": {"source": "en", "target": "de"}}.get(path, {})
    field = "files" if path == "translation-batches" else "file"
    reply = upload(client, f"/api/v1/{path}/", field, name, **fields)
    assert {file for file in data_dir.parent.rglob("*") if data_dir not in file.parents} == before
    if reply.status_code >= 400:
        is_problem(reply, reply.status_code)
        assert reply.status_code < 500
        return
    made = reply.json()
    kept = (made["files"][0] if "files" in made else made)["name"]
    assert not set(kept) & set("/\\\r\n\0") and kept not in ("", ".", "..") and len(kept) <= 255


@pytest.mark.parametrize("title", ["a\r\nSet-Cookie: evil=1", "a\nb", '"; filename="evil.exe', "../../evil"])
def test_a_title_stays_out_of_the_headers_of_its_file(client, alice, title):
    from webapp.chat.models import Conversation

    own = Conversation.objects.create(owner=alice, title=title)
    reply = client.get(f"/api/v1/conversations/{own.pk}/export/")
    assert reply.status_code == 200 and "Set-Cookie" not in reply.headers
    said = reply["Content-Disposition"]
    assert said.startswith("attachment; ") and not set(said) & set("\r\n/") and ".exe\"" not in said


@pytest.mark.parametrize("name", ["../../etc/passwd", "..", ".hidden", "a/b", "a\x00", "x" * 65, "wenda-reader@../x"])
def test_a_model_s_name_leads_to_no_file(admin, program, redis_url, name):
    client = program(admin)
    calls = [("/v1/embeddings", {"model": name, "input": "x"}),
             ("/api/v1/models/wenda-reader/promote/", {"version": name}),
             ("/v1/chat/completions", {"model": name, "messages": [{"role": "user", "content": "x"}]})]
    for path, body in calls:
        assert 400 <= client.post(path, body, **JSON).status_code < 500, (path, name)
    assert client.get(f"/v1/models/{name}").status_code == 404


@pytest.mark.parametrize("body", [
    b"[" * 100_000, b'{"a":' * 100_000, b'{"question": "\\ud800"}', b'{"question": ["\\udc00"]}', b"\xff\xfe",
    b"1" * 10_000, b'{"question": NaN}', b'{"question": "a\\u0000"}', b"",
])
@pytest.mark.parametrize("path", ["/api/v1/qa/ask", "/v1/chat/completions", "/api/v1/translate",
                                  "/api/v1/collections/"])
def test_json_that_nothing_can_be_made_of_is_refused(client, path, body):
    reply = client.generic("POST", path, body, **JSON)
    assert reply.status_code in (400, 413), reply.content
    told = reply.json()
    assert told["error"]["message"] if path.startswith("/v1/") else told["detail"]


@pytest.mark.parametrize(("path", "body", "status"), [
    ("/api/v1/collections/", {"name": "x" * 121}, 400), ("/api/v1/qa/ask", {"question": "x" * 2001}, 413),
    ("/api/v1/qa/ask", {"question": "x", "collections": ["x"] * 51}, 400),
    ("/api/v1/translate", {"text": ["x"] * 201, "target": "de"}, 400),
    ("/api/v1/search", {"question": "x", "k": 10**30}, 400), ("/api/v1/summarize", {"text": "x. " * 900_000}, 413),
    ("/api/v1/keys/", {"name": "x" * 101}, 400), ("/api/v1/keys/", {"name": "x", "tokens_per_day": 10**30}, 400),
    ("/v1/embeddings", {"model": "wenda", "input": ["x"] * 2049}, 400),
])
def test_what_is_too_large_is_refused_and_nothing_is_made(client, path, body, status):
    reply = client.post(path, json.dumps(body), **JSON)
    assert reply.status_code == status, reply.content[:300]


@pytest.mark.parametrize("query", ["page=99999999999999999999", "page=0", "page_size=-1", "page_size=1e9", "page=%00",
                                   "created_after=%ff%fe", "search=%00%00", "ordering=" + "x" * 4000])
def test_strange_pages_of_a_list_are_no_fault_of_the_server(client, query):
    assert client.get(f"/api/v1/documents/?{query}").status_code in (200, 400, 404)


def test_an_address_that_was_asked_for_makes_no_line_in_the_log_of_its_own():
    record = logging.LogRecord("x", logging.ERROR, "", 0, "unforeseen error at %s", (
        "/a\n2026-01-01 INFO forged\r\u2028\x1b[2K",), None)
    lines = MaskingFormatter("{levelname} {message}", style="{").format(record).splitlines()
    assert lines == ["ERROR unforeseen error at /a", "    2026-01-01 INFO forged\\r\\u2028\\x1b[2K"]


@pytest.mark.parametrize("key", ["a" * 256, "", "\x7f", "é\u2028"])
def test_an_idempotency_key_that_is_none_is_refused(client, key):
    reply = client.post("/api/v1/collections/", {"name": "A"}, headers={"Idempotency-Key": key}, **JSON)
    assert "Idempotency-Key" in is_problem(reply, 400)["errors"]
