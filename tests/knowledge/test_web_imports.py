"""Pages and sitemaps into a collection, from a real server: what becomes a document, what does not and why."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from models_service.protocol import Citation
from models_service.sealed import files
from tests.local_web import LocalWeb, running_web
from webapp.audit.models import Action, Entry
from webapp.chat import answering
from webapp.errors import BadInput, Conflict
from webapp.knowledge import services as documents
from webapp.knowledge import storage
from webapp.knowledge.models import Document, DocumentStatus, WebImport, WebOrigin
from webapp.knowledge.web import bringing_in, listing, services
from webapp.knowledge.web.robots import KnownRobots
from webapp.knowledge.web.serializers import WebImportSerializer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def web(settings, monkeypatch) -> Iterator[LocalWeb]:
    with running_web() as web:
        settings.FETCH_PORTS = [80, 443, web.port]
        settings.FETCH_PRIVATE_HOSTS = ["127.0.0.1"]
        monkeypatch.setattr(bringing_in, "PAUSE_SECONDS", 0.001)
        monkeypatch.setattr(bringing_in, "RETRY_SECONDS", 0.001)
        monkeypatch.setattr(bringing_in, "_robots", KnownRobots())
        yield web


@pytest.fixture
def bring(collection, alice) -> Callable[..., WebImport]:
    """`bring(address)`: asked for, and done by a worker's steps."""

    def bring(address: str | WebImport, **options: Any) -> WebImport:
        made = address if isinstance(address, WebImport) else services.ask_for(collection, address, alice, **options)
        while bringing_in.step(made.pk) is not None:
            pass
        made.refresh_from_db()
        return made

    return bring


def told(web_import: WebImport) -> dict[str, Any]:
    return WebImportSerializer(web_import).data


def outcomes(web_import: WebImport, web: LocalWeb) -> dict[str, str]:
    return {row.address.removeprefix(web.address("")): row.status for row in web_import.addresses.all()}


def test_a_page_becomes_a_document_with_its_title_its_address_and_its_original(web, bring, collection, read_in):
    address = web.article("/lighthouse?view=full", "Marrow Point", ETag='"a"')
    done = bring(address)
    assert (done.status, done.is_sitemap, told(done)["outcome"]) == ("done", False, "added")
    document = read_in(collection.documents.get())
    assert told(done)["document"] == str(document.pk)
    assert (document.title, document.source, document.name, document.status) == (
        "Marrow Point", address, "lighthouse.html", "ready")
    assert files.read_bytes(storage.original(document.pk)) == web.pages["/lighthouse?view=full"].body
    assert "small web of a test" in storage.documents().text(str(document.pk))
    assert document.origin.etag == '"a"' and web.targets() == ["/lighthouse?view=full"]


def test_a_citation_names_the_address_that_its_document_came_from(web, bring, collection, add):
    address = bring(web.article("/tower", "Marrow Point")).address
    cited = [Citation(document=str(document.pk), title="", passage=1, start=0, end=4, quote="This", span_start=0,
                      span_end=0, score=0) for document in (collection.documents.get(), add(collection))]
    assert [one.source for one in async_to_sync(answering.linked)(cited)] == [address, ""]


def test_one_page_twice_and_the_same_content_at_two_addresses_are_one_document(web, bring, collection):
    first, second = web.put("/a", "<p>The same words.</p>"), web.put("/b", "<p>The same words.</p>")
    assert told(bring(first))["outcome"] == "added"
    assert told(bring(first))["outcome"] == "unchanged"
    other = told(bring(second))
    document = collection.documents.get()
    assert (other["outcome"], other["document"]) == ("duplicate", str(document.pk)) and document.source == first


def test_asking_twice_while_it_is_under_way_is_asking_once(web, collection, alice):
    address = web.article("/", "Tea")
    assert services.ask_for(collection, address, alice) == services.ask_for(collection, f"{address}#top", alice)


def test_a_refreshed_page_that_is_unchanged_is_not_read_again(web, bring, alice, read_in, collection):
    bring(web.article("/", "Tea", ETag='"1"'))
    document = read_in(collection.documents.get())
    before = document.updated_at
    again = bring(services.refresh(document, alice))
    document.refresh_from_db()
    assert told(again)["outcome"] == "unchanged" and document.updated_at == before
    assert web.asked[-1][1]["if-none-match"] == '"1"'


def test_changed_content_takes_the_place_of_the_old_once_it_is_read(web, bring, alice, read_in, collection):
    bring(web.article("/", "Green tea"))
    old = read_in(collection.documents.get())
    web.article("/", "Black tea")
    assert told(bring(services.refresh(old, alice)))["outcome"] == "added"
    new = collection.documents.get(version=2)
    assert {str(old.pk)} == storage.index(collection.pk).document_ids()
    read_in(new)
    assert {str(new.pk)} == storage.index(collection.pk).document_ids()
    assert not Document.objects.filter(pk=old.pk).exists() and new.source == old.source


@pytest.mark.parametrize(("status", "sentence"), [
    (404, "no such page any more"), (500, "answered with an error (500)")])
def test_a_page_that_is_gone_says_so_and_its_document_stays(web, bring, alice, read_in, collection, status, sentence):
    bring(web.article("/", "Tea"))
    document = read_in(collection.documents.get())
    web.put("/", "", status=status)
    failed = bring(services.refresh(document, alice))
    assert failed.status == "failed" and sentence in failed.message and "stays as it is" in failed.message
    assert collection.documents.get() == document and storage.index(collection.pk).count() == 1


def test_an_uploaded_document_is_not_refreshed(collection, add, alice):
    with pytest.raises(Conflict, match="did not come from the web"):
        services.refresh(add(collection), alice)


@pytest.mark.parametrize(("address", "sentence"), [
    ("http://127.0.0.2/", "private network"), ("http://[::1]:80/", "private network"), ("ftp://example.org/", "http"),
    ("http://me:secret@example.org/", "user name or a password"), ("http://example.org:22/", "Port 22"),
    ("", "no web address"),
])
def test_what_is_not_fetched_from_here_is_refused_when_it_is_asked_for(web, collection, alice, address, sentence):
    with pytest.raises(BadInput, match=sentence):
        services.ask_for(collection, address, alice)
    assert not WebImport.objects.exists()
    assert Entry.objects.filter(action=Action.FETCH_REFUSED).exists() == ("private" in sentence)


def test_a_page_that_leads_to_a_private_address_is_refused_and_the_administrator_sees_it(web, bring, collection):
    failed = bring(web.redirect("/", "http://169.254.169.254/latest/meta-data/"))
    assert failed.status == "failed" and "169.254.169.254 is an address of a private network" in failed.message
    assert Entry.objects.get(action=Action.FETCH_REFUSED).actor == "alice" and not collection.documents.exists()


def test_nothing_is_fetched_once_it_is_switched_off(web, collection, alice, settings):
    waiting = services.ask_for(collection, web.article("/", "Tea"), alice)
    settings.FETCH_ON = False
    with pytest.raises(BadInput, match="switched that off"):
        services.ask_for(collection, web.address("/other"), alice)
    bringing_in.step(waiting.pk)
    waiting.refresh_from_db()
    assert "switched that off" in waiting.message and web.asked == []


@pytest.mark.parametrize(("body", "kind", "sentence"), [
    (b"\x89PNG", "image/gif", "image/gif"), (b"", "text/html", "is empty"),
    (b"a" * 3_000_000, "text/plain", "larger than 2 MB"),
])
def test_what_no_document_can_be_made_of_says_why(web, bring, collection, settings, body, kind, sentence):
    settings.MAX_UPLOAD_BYTES = 2_000_000
    failed = bring(web.put("/x", body, kind))
    assert failed.status == "failed" and sentence in failed.message and not collection.documents.exists()
    assert not list((settings.DATA_DIR / "incoming").iterdir())


def test_a_sitemap_is_recognised_and_each_of_its_pages_becomes_a_document_or_says_why(web, bring, collection):
    for name in ("tea", "coffee", "secret/plan"):
        web.article(f"/{name}", name)
    web.put("/robots.txt", "User-agent: *\nDisallow: /secret/", "text/plain")
    web.redirect("/moved", "/tea")
    done = bring(web.sitemap("/sitemap.xml", [
        "/tea", "/coffee", "/secret/plan", "/gone", "/moved", "https://elsewhere.example/x", "ftp://x/", "/tea"]))
    assert (done.status, done.is_sitemap) == ("done", True)
    assert outcomes(done, web) == {
        "/sitemap.xml": "listed", "/tea": "added", "/coffee": "added", "/secret/plan": "skipped", "/gone": "failed",
        "/moved": "duplicate", "https://elsewhere.example/x": "skipped", "ftp://x/": "failed"}
    assert told(done)["pages"] == {
        "total": 7, "waiting": 0, "added": 2, "unchanged": 0, "duplicate": 1, "skipped": 2, "failed": 2}
    reasons = {one["url"].rpartition("/")[2]: one["reason"] for one in told(done)["problems"]}
    assert "robots.txt" in reasons["plan"] and "404" in reasons["gone"] and "another host" in reasons["x"]
    assert "/secret/plan" not in web.targets() and web.targets().count("/robots.txt") == 1
    assert {one.source for one in collection.documents.all()} == {web.address("/tea"), web.address("/coffee")}


def test_a_page_that_somebody_names_is_fetched_whatever_robots_say_to_crawlers(web, bring):
    web.put("/robots.txt", "User-agent: *\nDisallow: /", "text/plain")
    assert told(bring(web.article("/page", "Tea")))["outcome"] == "added" and web.targets() == ["/page"]


def test_an_index_of_sitemaps_is_followed_a_few_levels_deep_and_a_circle_ends(web, bring):
    web.article("/deep", "Depth")
    web.sitemap("/index.xml", ["/inner.xml", "/index.xml"], "sitemapindex", "sitemap")
    web.sitemap("/inner.xml", ["/last.xml.gz", "/index.xml", "/broken.xml"], "sitemapindex", "sitemap")
    web.sitemap("/last.xml.gz", ["/deep"])
    web.put("/last.xml.gz", gzip.compress(web.pages["/last.xml.gz"].body), "application/gzip")
    web.put("/broken.xml", "<urlset><url>", "application/xml")
    done = bring(web.address("/index.xml"))
    assert outcomes(done, web) == {"/index.xml": "listed", "/inner.xml": "listed", "/last.xml.gz": "listed",
                                   "/broken.xml": "failed", "/deep": "added"}
    assert [one["reason"] for one in told(done)["problems"]] == [
        "The sitemap cannot be read: it is damaged, or larger than a sitemap may be."]
    assert web.targets().count("/index.xml") == 1


def test_sitemaps_below_sitemaps_below_sitemaps_are_left_out(web, bring):
    for level in range(5):
        web.sitemap(f"/{level}.xml", [f"/{level + 1}.xml"], "sitemapindex", "sitemap")
    done = bring(web.address("/0.xml"), is_sitemap=True)
    assert list(outcomes(done, web).values()) == ["listed"] * 3 + ["skipped"]
    assert done.status == "failed" and "deeper" in done.message


def test_a_long_sitemap_is_cut_and_says_so(web, bring, monkeypatch):
    monkeypatch.setattr(listing, "MOST_PAGES", 2)
    for name in "abc":
        web.article(f"/{name}", f"Letter {name}")
    done = bring(web.sitemap("/s.xml", ["/a", "/b", "/c"]))
    assert told(done)["pages"]["added"] == 2 and "more than 2 pages" in done.message


def test_an_address_that_must_be_a_sitemap_and_is_none_and_an_empty_one(web, bring, collection):
    assert "no sitemap" in bring(web.article("/page", "Tea"), is_sitemap=True).message
    assert "lists no pages" in bring(web.sitemap("/empty.xml", [])).message
    assert not collection.documents.exists()


def test_a_server_that_is_busy_is_asked_again_and_one_that_is_down_is_not_asked_for_ever(web, bring):
    def busy_once(request: Any) -> None:
        web.article("/busy", "Patience")
        request.wfile.write(b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n")

    def broken(request: Any) -> None:
        request.connection.close()

    web.put("/robots.txt", "", "text/plain")
    web.pages["/busy"] = busy_once
    assert told(bring(web.sitemap("/one.xml", ["/busy"])))["pages"]["added"] == 1
    web.pages["/robots.txt"] = broken
    bringing_in._robots._kept.clear()
    failed = bring(web.sitemap("/two.xml", [f"/{number}" for number in range(20)]))
    assert failed.status == "failed" and "does not answer any more" in failed.message
    assert told(failed)["pages"]["waiting"] == 20


def test_a_cancelled_sitemap_keeps_what_it_brought_and_can_go_on(web, bring, collection, alice):
    asked, go_on = threading.Event(), threading.Event()

    def slow(request: Any) -> None:
        asked.set()
        assert go_on.wait(30)
        request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nslowly")

    web.article("/first", "First")
    web.article("/third", "Third")
    web.pages["/second"] = slow
    made = services.ask_for(collection, web.sitemap("/s.xml", ["/first", "/second", "/third"]), alice)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("webapp.knowledge.web.claim.LOOK_SECONDS", 0)
        worker = threading.Thread(target=bring, args=(made,))
        worker.start()
        assert asked.wait(30)
        services.cancel(made)
        go_on.set()
        worker.join(30)
    made.refresh_from_db()
    assert made.status == "cancelled" and collection.documents.count() == 1 and "/third" not in web.targets()
    with pytest.raises(Conflict):
        services.cancel(made)
    assert told(bring(services.retry(made)))["pages"]["added"] == 3 and web.targets().count("/first") == 1


def test_each_page_of_a_sitemap_counts_as_a_job_and_what_is_left_can_be_tried_another_day(web, bring, settings):
    settings.LIMITS = {**settings.LIMITS, "jobs_per_day": 2}
    for name in "abc":
        web.article(f"/{name}", f"Letter {name}")
    stopped = bring(web.sitemap("/s.xml", ["/a", "/b", "/c"]))
    assert stopped.status == "failed" and "At most 2 jobs a day" in stopped.message
    assert told(stopped)["pages"]["added"] == 2 and told(stopped)["pages"]["waiting"] == 1
    settings.LIMITS = {**settings.LIMITS, "jobs_per_day": 100}
    assert told(bring(services.retry(stopped)))["pages"]["added"] == 3


def test_a_collection_that_is_deleted_meanwhile_takes_its_imports_along(web, collection, alice):
    made = services.ask_for(collection, web.article("/", "Tea"), alice)
    documents.delete_collection(collection)
    assert bringing_in.step(made.pk) is None and not WebImport.objects.exists() and not WebOrigin.objects.exists()


def test_a_document_that_could_not_be_read_is_fetched_and_tried_again(web, bring, collection, alice):
    bring(web.article("/", "Tea", ETag='"1"'))
    document = collection.documents.get()
    Document.objects.update(status=DocumentStatus.FAILED)
    bring(services.refresh(document, alice))
    document.refresh_from_db()
    assert document.status == "queued" and "if-none-match" not in web.asked[-1][1]
