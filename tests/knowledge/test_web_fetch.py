"""Fetching over real HTTP: private addresses, redirects, rebinding, sizes, times, compression, what a reply is."""

from __future__ import annotations

import gzip
import time
import zlib
from collections.abc import Iterator

import httpcore
import pytest

from tests.local_web import LocalWeb, running_web
from webapp.knowledge.web import addresses, content
from webapp.knowledge.web.addresses import Rules
from webapp.knowledge.web.connecting import CheckedBackend
from webapp.knowledge.web.fetch import MOST_REDIRECTS, Fetched, Fetcher, Stamp
from webapp.knowledge.web.problems import FetchProblem

MOST = 200_000


@pytest.fixture
def web() -> Iterator[LocalWeb]:
    with running_web() as web:
        yield web


@pytest.fixture
def rules(web) -> Rules:
    return Rules(ports=frozenset({80, 443, web.port}), private_hosts=frozenset({"127.0.0.1"}))


@pytest.fixture
def fetch(rules, tmp_path):
    """`fetch(address, known)`; `backend` and `whole_seconds` as the Fetcher's."""

    def fetch(address: str, known: Stamp | None = None, **options) -> Fetched | None:
        with Fetcher(rules, MOST, **options) as fetcher:
            return fetcher.fetch(addresses.read(address), tmp_path / "reply", known)

    return fetch


def refusal(fetch, address: str, **options) -> str:
    with pytest.raises(FetchProblem) as problem:
        fetch(address, **options)
    return problem.value.code


def test_a_page_comes_with_what_tells_it_and_the_program_says_who_it_is(web, fetch):
    fetched = fetch(web.put("/a?b=c", "<p>Hello</p>", ETag='"1"', Last_Modified="Mon, 30 Nov 2026 10:00:00 GMT"))
    assert fetched.file.read_bytes() == b"<p>Hello</p>" and fetched.size == 12
    assert fetched.stamp == Stamp('"1"', "Mon, 30 Nov 2026 10:00:00 GMT")
    target, headers = web.asked[0]
    assert target == "/a?b=c" and headers["user-agent"].startswith("Wenda/")
    assert headers["host"] == f"127.0.0.1:{web.port}"


def test_what_has_not_changed_is_not_sent_again(web, fetch):
    address = web.put("/", "<p>Hello</p>", ETag='"1"')
    assert fetch(address, Stamp('"1"')) is None
    assert fetch(address, Stamp('"0"')) is not None


def test_redirects_are_followed_but_not_without_end_nor_in_a_circle(web, fetch):
    web.put("/last", "<p>There</p>")
    for number in range(MOST_REDIRECTS + 2):
        web.redirect(f"/{number}", f"/{number + 1}", 301 + number % 2)
    web.redirect(f"/{MOST_REDIRECTS + 2}", "/last")
    web.redirect("/circle", "/circle")
    assert fetch(web.address(f"/{3}")).address.target == "/last"
    assert refusal(fetch, web.address("/0")) == refusal(fetch, web.address("/circle")) == "redirects"


@pytest.mark.parametrize("to", [
    "http://169.254.169.254/latest/meta-data/", "http://[::1]/", "http://localhost/", "http://10.0.0.1/",
    "http://2130706433/", "http://0x7f.1/", "http://[::ffff:127.0.0.1]/",
])
def test_a_redirect_to_a_private_address_is_refused(web, fetch, to):
    assert refusal(fetch, web.redirect("/", to)) == "private"
    assert web.targets() == ["/"]


@pytest.mark.parametrize(("to", "code"), [
    ("file:///etc/passwd", "scheme"), ("http://me:secret@example.org/", "credentials"),
    ("http://127.0.0.1:1/", "port"),
    ("http://[broken/", "malformed"),
])
def test_a_redirect_is_held_to_what_a_person_is_held_to(web, fetch, to, code):
    assert refusal(fetch, web.redirect("/", to)) == code


class Recorded(httpcore.SyncBackend):
    """Notes where a connection is really made to, and makes it to the local web instead."""

    def __init__(self, port: int) -> None:
        self.port, self.connected = port, []

    def connect_tcp(self, host, port, *arguments, **options):
        self.connected.append(host)
        return super().connect_tcp("127.0.0.1", self.port, *arguments, **options)


def test_a_name_is_looked_up_once_so_that_it_cannot_mean_another_machine_a_moment_later(web, rules, fetch):
    answers = [["93.184.216.34"], ["127.0.0.1"], ["127.0.0.1"]]
    network = Recorded(web.port)
    web.put("/", "<p>Hello</p>")
    backend = CheckedBackend(rules, lambda host, port: answers.pop(0), network)
    assert fetch("http://rebinding.example/", backend=backend).size
    assert network.connected == ["93.184.216.34"] and len(answers) == 2
    assert refusal(fetch, "http://rebinding.example/", backend=backend) == "private"
    assert network.connected == ["93.184.216.34"]


def test_of_the_addresses_of_a_name_only_the_public_ones_are_connected_to(web, rules, fetch):
    network = Recorded(web.port)
    web.put("/", "<p>Hello</p>")
    mixed = CheckedBackend(rules, lambda host, port: ["127.0.0.1", "64:ff9b::7f00:1", "93.184.216.34"], network)
    fetch("http://mixed.example/", backend=mixed)
    assert network.connected == ["93.184.216.34"]


@pytest.mark.parametrize(("status", "code"), [
    (404, "gone"), (410, "gone"), (401, "forbidden"), (403, "forbidden"), (429, "busy"), (503, "busy"),
    (500, "status"),
    (204, "status"), (304, "status"), (206, "status"),
])
def test_what_is_no_page_is_refused_for_its_reason(web, fetch, status, code):
    assert refusal(fetch, web.put("/", "", status=status)) == code


def test_a_host_that_is_not_there_and_one_that_does_not_answer(web, rules, fetch):
    def nowhere(host, port):
        raise OSError("no such name")

    assert refusal(fetch, "http://nowhere.example/", backend=CheckedBackend(rules, nowhere)) == "unknown_host"
    with running_web() as other:
        address, port = other.address("/"), other.port
    closed = Rules(ports=frozenset({port}), private_hosts=frozenset({"127.0.0.1"}))
    with Fetcher(closed, MOST) as fetcher, pytest.raises(FetchProblem) as problem:
        fetcher.fetch(addresses.read(address), None)
    assert problem.value.code == "no_connection"


def test_a_reply_that_is_too_large_is_refused_before_and_while_it_comes(web, fetch):
    def endless(request) -> None:
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        while True:
            request.wfile.write(b"2710\r\n" + b"a" * 10_000 + b"\r\n")

    assert refusal(fetch, web.put("/announced", b"a" * (MOST + 1))) == "too_large"
    web.pages["/endless"] = endless
    assert refusal(fetch, web.address("/endless")) == "too_large"


def test_a_reply_that_is_packed_small_and_unpacks_large_is_refused_without_unpacking_it(web, fetch):
    bomb = gzip.compress(bytes(30_000_000), 6)
    assert len(bomb) < MOST
    began = time.process_time()
    assert refusal(fetch, web.put("/", bomb, Content_Encoding="gzip")) == "too_large"
    assert time.process_time() - began < 5


@pytest.mark.parametrize(("encoding", "pack"), [
    ("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", lambda data: zlib.compress(data)[2:-4]),
    ("identity", bytes),
])
def test_a_packed_reply_is_unpacked(web, fetch, encoding, pack):
    text = b"<p>The lamp was lit.</p>" * 500
    assert fetch(web.put("/", pack(text), Content_Encoding=encoding)).file.read_bytes() == text


@pytest.mark.parametrize(("encoding", "body", "code"), [
    ("gzip", b"not packed", "compression"), ("br", b"x", "compression"), ("gzip, gzip", b"x", "compression"),
    ("gzip", gzip.compress(b"a" * 9000)[:-12], "broken_off"), ("", b"", "empty"),
])
def test_what_cannot_be_unpacked_is_refused(web, fetch, encoding, body, code):
    assert refusal(fetch, web.put("/", body, Content_Encoding=encoding)) == code


def test_a_server_that_drips_or_says_nothing_is_left_after_the_whole_time(web, fetch):
    def dripping(request) -> None:
        for byte in b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" + b"X: " + b"x" * 100_000:
            request.wfile.write(bytes([byte]))
            time.sleep(0.02)

    def breaking_off(request) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")

    web.pages.update({"/drip": dripping, "/breaks": breaking_off})
    assert refusal(fetch, web.address("/drip"), whole_seconds=0.5) == "too_slow"
    assert refusal(fetch, web.address("/breaks")) == "broken_off"


@pytest.mark.parametrize(("target", "kind", "body", "name"), [
    ("/guide/", "text/html", "<p>x</p>", "guide.html"), ("/", "text/html", "<p>x</p>", "127.0.0.1.html"),
    ("/page.php", "text/html; charset=utf-8", "x", "page.php.html"),
    ("/Dr._Who", "application/xhtml+xml", "x", "Dr._Who.html"),
    ("/a.htm", "text/html", "x", "a.htm"), ("/paper", "application/pdf", "%PDF-1.7", "paper.pdf"),
    ("/paper.html", "text/html", "%PDF-1.7", "paper.html.pdf"), ("/notes.md", "text/plain", "x", "notes.md"),
    ("/notes", "text/plain", "<html>", "notes.txt"), ("/a.docx", "application/octet-stream", "PK", "a.docx"),
    ("/download?id=1", "application/octet-stream", "<!DOCTYPE HTML>", "download.html"),
    ("/%E9%A1%B5", "text/html", "x", "页.html"), ("/t.csv", "text/csv", "a,b", "t.csv"),
])
def test_the_name_of_a_page_tells_its_type(web, fetch, target, kind, body, name):
    assert content.file_name(fetch(web.put(target, body, kind))) == name


def test_the_name_that_a_server_gives_a_file_is_taken(web, fetch):
    named = {"Content-Disposition": "attachment; filename*=UTF-8''%E6%89%8B%E5%86%8C.pdf"}
    assert content.file_name(fetch(web.put("/get", "%PDF-1.7", "application/pdf", **named))) == "手册.pdf"


@pytest.mark.parametrize(("target", "kind"), [
    ("/a.gif", "image/gif"), ("/v", "video/mp4"), ("/a.zip", "application/zip"), ("/x", "application/octet-stream"),
    ("/api", "application/json"), ("/feed", "application/rss+xml"),
])
def test_what_no_document_can_be_made_of_is_refused(web, fetch, target, kind):
    with pytest.raises(FetchProblem) as problem:
        content.file_name(fetch(web.put(target, b"\x00\x01\x02", kind)))
    assert problem.value.code == "type"


@pytest.mark.parametrize(("kind", "body", "kept"), [
    ("text/html; charset=gb2312", "<p>灯塔的灯</p>".encode("gbk"), "<p>灯塔的灯</p>"),
    ("text/html; charset=ISO-8859-1", "<p>Leuchttürme</p>".encode("cp1252"), "<p>Leuchttürme</p>"),
    ("text/plain; charset=Shift_JIS", "灯台の光".encode("cp932"), "灯台の光"),
    ("text/html; charset=iso-8859-1", "<p>Größe</p>".encode(), "<p>Größe</p>"),
])
def test_a_text_in_the_character_set_of_the_header_is_kept_as_utf8(web, fetch, kind, body, kept):
    fetched = fetch(web.put("/page", body, kind))
    content.make_utf8(fetched, content.file_name(fetched))
    assert fetched.file.read_text("utf-8") == kept


def test_a_character_set_that_is_none_changes_nothing(web, fetch):
    fetched = fetch(web.put("/page", "<p>Größe</p>".encode("cp1252"), "text/html; charset=klingon"))
    content.make_utf8(fetched, content.file_name(fetched))
    assert fetched.file.read_bytes() == "<p>Größe</p>".encode("cp1252")
