"""Imports from the web over REST: who may ask for what, and what a program gets back."""

from __future__ import annotations

import pytest

from webapp.knowledge.models import Document, WebImport

pytestmark = pytest.mark.django_db(transaction=True)
IMPORTS, DOCUMENTS = "/api/v1/web-imports/", "/api/v1/documents/"


def ask(client, collection, url: str = "https://example.org/page", **more):
    return client.post(IMPORTS, {"collection": str(collection.pk), "url": url, **more}, format="json")


def test_an_import_is_asked_for_followed_cancelled_tried_again_and_forgotten(alice, browser_of, collection):
    client = browser_of(alice)
    asked = ask(client, collection, "example.org/sitemap.xml", sitemap=True)
    assert asked.status_code == 202
    assert (asked.data["url"], asked.data["sitemap"], asked.data["status"]) == (
        "https://example.org/sitemap.xml", True, "queued")
    address = f"{IMPORTS}{asked.data['id']}/"
    assert client.get(address).data["problems"] == []
    assert [one["id"] for one in client.get(IMPORTS, {"collection": str(collection.pk)}).data["results"]] == [
        asked.data["id"]]
    assert client.post(f"{address}retry/").status_code == 409
    assert client.post(f"{address}cancel/").data["status"] == "cancelled"
    assert client.post(f"{address}cancel/").status_code == 409
    assert client.post(f"{address}retry/").data["status"] == "queued"
    assert client.delete(address).status_code == 204 and client.get(address).status_code == 404


@pytest.mark.parametrize("url", ["", "ftp://example.org/", "http://127.0.0.1/", "http://[::1]/", "https://u:p@example.org/"])
def test_an_address_that_is_not_fetched_is_refused_with_the_field_that_is_wrong(alice, browser_of, collection, url):
    answer = ask(browser_of(alice), collection, url)
    assert answer.status_code == 400 and "url" in str(answer.json()) and not WebImport.objects.exists()


def test_only_who_may_add_documents_may_have_something_fetched_or_see_what_was(
    alice, bob, guest, browser_of, collection
):
    collection.visibility = "everyone"
    collection.save()
    known = ask(browser_of(alice), collection).data["id"]
    client = browser_of(bob)
    assert ask(client, collection).status_code == 404
    assert client.get(f"{IMPORTS}{known}/").status_code == 404
    assert client.post(f"{IMPORTS}{known}/cancel/").status_code == 404
    assert client.get(IMPORTS).data["results"] == []
    assert ask(browser_of(guest), collection).status_code == 401
    assert WebImport.objects.count() == 1


def test_a_document_from_the_web_is_asked_to_be_fetched_anew_and_an_uploaded_one_is_not(
    alice, bob, browser_of, collection, add
):
    document = add(collection)
    client = browser_of(alice)
    assert client.post(f"{DOCUMENTS}{document.pk}/refresh/").status_code == 409
    Document.objects.update(source="https://example.org/page")
    assert browser_of(bob).post(f"{DOCUMENTS}{document.pk}/refresh/").status_code == 404
    asked = client.post(f"{DOCUMENTS}{document.pk}/refresh/")
    assert asked.status_code == 202 and asked.data["url"] == "https://example.org/page"


def test_no_more_than_a_few_may_wait_for_one_person(alice, browser_of, collection, monkeypatch):
    monkeypatch.setattr("webapp.knowledge.web.services.MOST_WAITING", 2)
    answers = [ask(browser_of(alice), collection, f"https://example.org/{number}").status_code for number in range(3)]
    assert answers == [202, 202, 429]
