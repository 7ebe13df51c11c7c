"""Each page for each kind of person: it renders, in their language, and what one may not see does not exist."""

from __future__ import annotations

import json
import re

import pytest
from django.test import Client
from django.urls import reverse

from tests.conftest import PASSWORD


def html(response) -> str:
    return response.content.decode()


@pytest.mark.parametrize("name", ["chat", "collections", "help"])
@pytest.mark.parametrize("browser", ["guest_browser", "alices_browser", "admins_browser"])
def test_public_pages_open_for_everyone(name: str, browser: str, request) -> None:
    response = request.getfixturevalue(browser).get(reverse(name))
    assert response.status_code == 200
    assert "<main" in html(response) and 'class="skip-link"' in html(response)


@pytest.mark.parametrize("name", ["sign-in", "sign-up"])
def test_account_doors_open_for_a_guest(name: str, guest_browser: Client) -> None:
    assert guest_browser.get(reverse(name)).status_code == 200


def test_a_guest_is_sent_from_the_account_page_to_sign_in_and_back(guest_browser: Client) -> None:
    response = guest_browser.get(reverse("account"))
    assert response.status_code == 302
    assert response.url == "/sign-in/?next=/account/"


def test_without_guests_the_chat_asks_to_sign_in(guest_browser: Client, settings) -> None:
    settings.GUESTS_MAY_CHAT = False
    for address in ("/", "/collections/"):
        assert guest_browser.get(address).url.startswith("/sign-in/?next=")


def test_the_policy_allows_no_inline_code_and_the_page_needs_none(alices_browser: Client) -> None:
    response = alices_browser.get("/")
    policy = response["Content-Security-Policy"]
    assert "script-src 'self'" in policy and "style-src 'self'" in policy and "unsafe" not in policy
    scripts = re.findall(r"<script\b[^>]*>", html(response))
    assert scripts
    assert all("src=" in script or 'type="application/json"' in script for script in scripts)


def test_the_page_speaks_the_language_that_the_browser_asks_for(guest_browser: Client) -> None:
    english = guest_browser.get("/", headers={"accept-language": "en"})
    chinese = guest_browser.get("/", headers={"accept-language": "zh-CN,zh;q=0.9"})
    assert '<html lang="en">' in html(english) and "Ask a question" in html(english)
    assert '<html lang="zh-hans">' in html(chinese) and "提问" in html(chinese)


def test_the_language_switch_is_remembered_for_the_browser_and_the_account(alices_browser: Client, alice) -> None:
    response = alices_browser.post(reverse("set_language"), {"language": "zh-hans", "next": "/collections/"})
    assert response.url == "/collections/"
    alice.refresh_from_db()
    assert alice.language == "zh-hans"
    assert '<html lang="zh-hans">' in html(alices_browser.get("/"))


def test_the_scripts_have_their_words_in_the_page_s_language(guest_browser: Client) -> None:
    catalog = guest_browser.get(reverse("javascript-catalog"), headers={"accept-language": "zh-CN"})
    assert json.dumps("已复制")[1:-1] in html(catalog)


def test_another_person_s_conversation_collection_and_document_do_not_exist(
    bobs_browser: Client, alices_browser: Client, alice, collection, document
) -> None:
    from webapp.chat.models import Conversation

    conversation = Conversation.objects.create(owner=alice, title="Private matters")
    for address in (f"/c/{conversation.pk}/", f"/collections/{collection.pk}/", f"/documents/{document.pk}/"):
        assert alices_browser.get(address).status_code == 200, address
        refused = bobs_browser.get(address)
        assert refused.status_code == 404
        assert "Private matters" not in html(refused) and "The library" not in html(refused)
    assert bobs_browser.post(f"/collections/{collection.pk}/delete/").status_code == 404
    assert bobs_browser.post(f"/collections/{collection.pk}/", {"name": "Mine now"}).status_code == 404


def test_a_reader_of_a_shared_collection_sees_no_way_to_change_it(bobs_browser: Client, collection, document) -> None:
    collection.visibility = "everyone"
    collection.save()
    page = html(bobs_browser.get(f"/collections/{collection.pk}/"))
    assert "The library" in page
    assert 'id="drop-zone"' not in page and "data-action=\"delete\"" not in page


def test_the_error_page_has_the_site_s_look_and_a_way_back(guest_browser: Client) -> None:
    response = guest_browser.get("/no-such-page/")
    assert response.status_code == 404
    assert "site/base.css" in html(response) and 'href="/"' in html(response)


def test_the_page_for_a_broken_server_needs_nothing_that_may_be_broken(guest_browser: Client, settings) -> None:
    from django.test import RequestFactory
    from django.views.defaults import server_error

    response = server_error(RequestFactory().get("/"))
    assert response.status_code == 500
    assert "Something went wrong on the server" in html(response)


def test_a_saved_conversation_comes_with_every_version_of_its_answers(alices_browser: Client, alice) -> None:
    from webapp.chat.models import Conversation, Message

    conversation = Conversation.objects.create(owner=alice, title="Sandstone")
    old = Message.objects.create(conversation=conversation, role="question", key="k-000000", superseded=True)
    Message.objects.create(conversation=conversation, role="answer", key="k-000000", parent=old, superseded=True)
    asked = Message.objects.create(conversation=conversation, role="question", key="k-000001", text="When </script>?")
    for key, superseded in (("k-000001", True), ("k-000002", False)):
        Message.objects.create(conversation=conversation, role="answer", key=key, parent=asked, text="1821",
                               superseded=superseded, payload={"type": "done", "answer": "1821"})
    page = html(alices_browser.get(f"/c/{conversation.pk}/"))
    data = re.search(r'<script id="exchanges" type="application/json">(.*?)</script>', page, re.S)
    exchanges = json.loads(data[1])
    assert [exchange["question"]["text"] for exchange in exchanges] == ["When </script>?"]
    assert [answer["key"] for answer in exchanges[0]["answers"]] == ["k-000001", "k-000002"]


def test_a_guest_s_conversations_go_with_them_into_their_account(guest_browser: Client) -> None:
    from webapp.accounts.models import User
    from webapp.accounts.services import guest_for
    from webapp.chat.models import Conversation

    guest_browser.get("/")
    session = guest_browser.session
    conversation = Conversation.objects.create(owner=guest_for(session), title="Asked as a guest")
    response = guest_browser.post(reverse("sign-up"), {
        "username": "carol", "password": PASSWORD, "password_again": PASSWORD,
    })
    assert response.status_code == 302
    conversation.refresh_from_db()
    assert conversation.owner == User.objects.get(username="carol")
    assert "Asked as a guest" in html(guest_browser.get("/"))
