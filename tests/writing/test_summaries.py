"""Summarizing over the socket and REST, with the real model service and Redis: made, followed, stopped, kept."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from tests.api.conftest import is_problem
from tests.docx_files import bomb
from tests.library import TOWER, add_collection
from tests.pdf_files import pdf
from tests.picture_files import BLANK, as_file, drawn, scan
from tests.writing.summary_page import SUMMARIES, SummarySocket, cookies_of, hand_in
from webapp import event_log
from webapp.writing import summaries, summary_texts
from webapp.writing.models import SummarizedText, Summary
from webapp.writing.summary_producer import producer

pytestmark = pytest.mark.django_db(transaction=True)
URL = "/api/v1/summarize"


@pytest.fixture
def browser(alice) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def summarize(client: Client, **body):
    return client.post(URL, body, content_type="application/json")


def chapters(count: int) -> str:
    return "\n\n".join(
        f"Chapter {number} Of the river\n\n" + " ".join(
            f"In year {place} of reign {number} the river stood at mark {number * place} below the old bridge."
            for place in range(25)) for number in range(1, count + 1))


# --- POST /api/v1/summarize ---------------------------------------------------------------------------------------


def test_a_text_is_summarized_with_exact_places_and_nothing_is_kept(models, browser):
    body = summarize(browser, text=TOWER, length=30, style="bullets").json()
    assert {"summary", "sentences", "sections", "words", "model", "timings"} <= set(body)
    assert body["sentences"] and all(TOWER[each["start"] : each["end"]] == each["text"] for each in body["sentences"])
    assert body["summary"].startswith("- ") and body["timings"]["total_ms"] > 0
    assert SummarizedText.objects.count() == 0


def test_a_document_is_summarized_by_those_who_may_read_it_only(models, redis_url, browser, alice, bob):
    document = add_collection(alice, "Towers", tower=TOWER).documents.get()
    body = summarize(browser, document=str(document.pk), style="sentence").json()
    assert TOWER[body["sentences"][0]["start"] : body["sentences"][0]["end"]] == body["summary"]
    bobs = Client()
    bobs.force_login(bob)
    is_problem(summarize(bobs, document=str(document.pk)), 404)
    is_problem(bobs.post(SUMMARIES, {"document": str(document.pk)}, content_type="application/json"), 404)
    is_problem(summarize(bobs, document="no-such-id"), 404)


@pytest.mark.parametrize(("body", "status", "words"), [
    ({"text": "  \n"}, 400, "The text is empty"),
    ({}, 400, "either text or document"),
    ({"text": "a", "document": "b"}, 400, "either text or document"),
    ({"text": "A text.", "length": "huge"}, 400, "number of words"),
    ({"text": "A text.", "length": 0}, 400, "number of words"),
    ({"text": "A text.", "length": True}, 400, "number of words"),
    ({"text": "A text.", "style": "poem"}, 400, "poem"),
    ({"text": "A text.", "method": "written"}, 400, "No text generator"),
    ({"text": "A text.", "language": "xx"}, 400, "language must be one of"),
])
def test_a_request_that_cannot_be_served_says_why(browser, body, status, words):
    assert words in is_problem(summarize(browser, **body), status)["detail"]


def test_five_megabytes_of_text_are_refused_with_the_limit(browser):
    assert "at most" in is_problem(hand_in(browser, "word " * 1_000_000), 413)["detail"]
    assert SummarizedText.objects.count() == 0


def test_a_stranger_may_summarize_only_where_guests_may_chat(settings):
    settings.GUESTS_MAY_CHAT = False
    is_problem(summarize(Client(), text="A text."), 401)
    is_problem(hand_in(Client(), "A text."), 401)
    assert Client().get("/summarize/").status_code == 302


# --- handing in ---------------------------------------------------------------------------------------------------


def test_a_pdf_is_handed_in_with_its_pages_and_shown_to_nobody_else(browser, bob):
    made = hand_in(browser, pdf([["First page here."], ["Second page here."]], title="Two pages"), "two.pdf")
    assert made.status_code == 201
    source = made.json()
    assert (source["title"], source["pages"], source["words"]) == ("Two pages", 2, 6)
    text = browser.get(f"{SUMMARIES}{source['id']}/text/").json()
    assert text["pages"] == [0, text["text"].index("Second")]
    bobs = Client()
    bobs.force_login(bob)
    for path in ("", "text/", "export/"):
        is_problem(bobs.get(f"{SUMMARIES}{source['id']}/{path}"), 404)
    assert bobs.get(f"/summarize/{source['id']}/").status_code == 404
    assert bobs.delete(f"{SUMMARIES}{source['id']}/").status_code == 404
    assert browser.get(f"/summarize/{source['id']}/").status_code == 200


@pytest.mark.parametrize(("name", "content", "words"), [
    ("empty.txt", b"", "empty.txt is empty"),
    ("blank.txt", b" \n", "holds no text"),
    ("locked.pdf", pdf([["x"]], is_encrypted=True), "protected by a password"),
    ("scan.pdf", scan([BLANK]), "No text was recognised"),
    ("long.pdf", scan([drawn(["The reef."]), *[BLANK] * 5]), "more than 5 pages that are pictures"),
    ("bomb.docx", bomb(), "more time or memory"),
    ("tool.exe", b"MZ", "Supported types"),
])
def test_a_file_that_cannot_be_read_is_refused_with_what_to_do_and_leaves_nothing(browser, settings, name, content,
                                                                                  words):
    assert words in is_problem(hand_in(browser, content, name), 400)["detail"]
    assert SummarizedText.objects.count() == 0 and not list((settings.DATA_DIR / "incoming").glob("*"))


def test_a_file_that_takes_longer_than_its_page_may_wait_is_given_up(browser, monkeypatch):
    monkeypatch.setattr(summaries, "READING_SECONDS", 0)
    refused = hand_in(browser, scan([drawn(["The reef."])]), "scan.pdf")
    assert "more time or memory" in is_problem(refused, 400)["detail"]


def test_a_picture_is_handed_in_as_the_text_that_is_recognised_in_it(browser):
    made = hand_in(browser, as_file(drawn(["The reef was measured twice."])), "reef.png").json()
    assert browser.get(f"{SUMMARIES}{made['id']}/text/").json()["text"] == "The reef was measured twice."


def test_a_page_with_scripts_is_read_as_its_text(browser):
    page = b"<title>T</title><script>alert(1)</script><p onclick='x()'>The reef was measured &lt;b&gt; twice.</p>"
    source = hand_in(browser, page, "page.html").json()
    assert browser.get(f"{SUMMARIES}{source['id']}/text/").json()["text"] == "The reef was measured <b> twice."


# --- the socket ---------------------------------------------------------------------------------------------------


async def opened(browser: Client) -> SummarySocket:
    return await SummarySocket(cookies_of(browser)).open()


async def test_a_long_text_is_summarized_with_progress_kept_and_exported(models, redis_url, browser):
    text = chapters(8)
    source = (await sync_to_async(hand_in)(browser, text)).json()
    socket = await opened(browser)
    key = await socket.start(source["id"], length="short")
    heard = await socket.hear_until("done", "error")
    assert [each["seq"] for each in heard] == list(range(1, len(heard) + 1))
    events = [each["event"] for each in heard]
    assert events[0]["key"] == key
    assert [event["done"] for event in events if event["type"] == "progress"] == list(range(9))
    done = events[-1]
    assert len(done["sections"]) == 8 and done["sections"][0]["title"] == "Chapter 1 Of the river"
    assert all(text[each["start"] : each["end"]] == each["text"] for each in done["sentences"])
    shown = (await sync_to_async(browser.get)(f"{SUMMARIES}{source['id']}/")).json()["summaries"][0]
    assert shown["status"] == "done" and shown["payload"] == done
    exported = (await sync_to_async(browser.get)(f"{SUMMARIES}{source['id']}/export/")).content.decode()
    assert done["summary"] in exported and "#### Chapter 8 Of the river" in exported
    again = await opened(browser)  # the same key is not summarized twice
    await again.start(source["id"], key=key)
    assert (await again.hear_until("done"))[-1]["event"] == done and await Summary.objects.acount() == 1
    await again.say(type="resume", summary=heard[-1]["summary"], after=heard[-2]["seq"])
    assert (await again.hear())["event"]["type"] == "done"
    await again.leave()
    await socket.leave()


async def test_a_summary_is_stopped_from_another_socket_and_says_so(models, redis_url, browser):
    source = (await sync_to_async(hand_in)(browser, chapters(8))).json()
    socket, other = await opened(browser), await opened(browser)
    with models.frozen():
        await socket.start(source["id"])
        number = (await socket.hear())["summary"]
        await other.say(type="cancel", summary=number)
        assert (await socket.hear_until("error"))[-1]["event"]["code"] == "cancelled"
    assert (await Summary.objects.aget()).status == "stopped"
    await socket.leave()
    await other.leave()


async def test_a_summary_whose_process_died_is_taken_over_by_whoever_opens_it(models, redis_url, browser, alice):
    source = (await sync_to_async(hand_in)(browser, TOWER)).json()
    orphan = await Summary.objects.acreate(source_id=source["id"], key="k" * 8, length="short", style="sentence",
                                           method="quoted")
    socket = await opened(browser)
    await socket.say(type="resume", summary=orphan.pk)
    done = (await socket.hear_until("done", "error"))[-1]["event"]
    assert done["type"] == "done" and done["summary"] in TOWER
    await socket.leave()


async def test_another_persons_text_and_summary_do_not_exist(redis_url, browser, bob):
    theirs = await SummarizedText.objects.acreate(owner=bob, title="secret")
    summary = await Summary.objects.acreate(source=theirs, key="k" * 8, length="short", style="sentence",
                                            method="quoted")
    socket = await opened(browser)
    key = await socket.start(str(theirs.pk))
    error = await socket.hear()
    assert (error["code"], error["key"]) == ("not_found", key)
    for kind in ("resume", "cancel"):
        await socket.say(type=kind, summary=summary.pk)
        assert (await socket.hear())["code"] == "not_found"
    await socket.leave()


@pytest.mark.parametrize("frame", [
    {"type": "start"}, {"type": "sing"}, {"type": "resume", "summary": "one"},
    {"type": "start", "key": "12345678", "source": "x", "length": 0},
    {"type": "start", "key": "12345678", "source": "x", "style": "poem"},
    {"type": "start", "key": "12345678", "source": "x", "language": "../"},
])
async def test_a_frame_that_makes_no_sense_gets_an_error_and_the_socket_stays_open(redis_url, browser, frame):
    socket = await opened(browser)
    await socket.say(**frame)
    assert (await socket.hear())["code"] == "bad_request"
    await socket.say(type="resume", summary=1)
    assert (await socket.hear())["code"] == "not_found"
    await socket.leave()


async def test_more_summaries_at_once_than_allowed_are_refused(redis_url, browser, alice):
    source = await SummarizedText.objects.acreate(owner=alice, title="t")
    for number in range(summaries.MOST_AT_ONCE):
        await Summary.objects.acreate(source=source, key=f"key-{number:05}", length="short", style="sentence",
                                      method="quoted")
    socket = await opened(browser)
    await socket.start(str(source.pk))
    assert (await socket.hear())["code"] == "busy"
    await socket.leave()


async def test_a_guest_summarizes_on_a_socket_that_was_open_before_their_text_was_handed_in(
    models, redis_url, settings, db
):
    settings.GUESTS_MAY_CHAT = True
    guest = Client()
    await sync_to_async(guest.get)("/summarize/")
    socket = await opened(guest)
    made = await sync_to_async(hand_in)(guest, TOWER)
    assert made.status_code == 201
    await socket.start(made.json()["id"], style="key_terms")
    assert (await socket.hear_until("done", "error"))[-1]["event"]["type"] == "done"
    await socket.leave()


# --- what is kept -------------------------------------------------------------------------------------------------


def test_a_deleted_text_leaves_no_file_and_a_documents_text_stays_where_it_is(models, redis_url, browser, alice):
    document = add_collection(alice, "Towers", tower=TOWER).documents.get()
    own = hand_in(browser, TOWER).json()["id"]
    picked = browser.post(SUMMARIES, {"document": str(document.pk)}, content_type="application/json")
    of_document = picked.json()["id"]
    folder = summary_texts.store().folder(own)
    assert folder.is_dir() and not summary_texts.store().folder(of_document).is_dir()
    assert browser.get(f"{SUMMARIES}{of_document}/text/").json()["text"].startswith("The Eiffel Tower")
    for identifier in (own, of_document):
        assert browser.delete(f"{SUMMARIES}{identifier}/").status_code == 204
    assert not folder.exists() and alice.summarized_texts.count() == 0


async def test_deleting_a_text_in_the_middle_ends_its_summary(models, redis_url, browser):
    source = (await sync_to_async(hand_in)(browser, chapters(8))).json()
    socket = await opened(browser)
    with models.frozen():
        await socket.start(source["id"])
        number = (await socket.hear())["summary"]
        task = producer.running[number].task
        assert (await sync_to_async(browser.delete)(f"{SUMMARIES}{source['id']}/")).status_code == 204
        await asyncio.wait_for(task, 30)
    assert (await socket.hear_until("error"))[-1]["event"]["code"] in ("not_found", "cancelled")
    async with event_log.async_redis() as redis:
        assert not await producer.lease(redis, number).is_held()
    await socket.leave()


def test_a_guests_texts_and_files_go_with_them_into_their_account(guest, alice):
    from webapp.chat.handover import hand_over
    from webapp.writing.models import TranslationBatch

    source = SummarizedText.objects.create(owner=guest, title="t")
    batch = TranslationBatch.objects.create(owner=guest, source="en", target="de")
    hand_over(guest, alice)
    for handed_over in (source, batch):
        handed_over.refresh_from_db()
        assert handed_over.owner == alice


def test_only_the_newest_texts_of_a_person_are_kept(browser, alice, monkeypatch):
    monkeypatch.setattr(summaries, "MOST_KEPT", 2)
    for number in range(3):
        assert hand_in(browser, f"Text number {number} says something.").status_code == 201
    titles = [source.title for source in SummarizedText.objects.filter(owner=alice)]
    assert len(titles) == 2 and not any("number 0" in title for title in titles)
