"""Signing in: guessing is held up, passwords are changed and forgotten, browsers are listed and signed out."""

from __future__ import annotations

import asyncio
import re

import pytest
from django.core import mail
from django.test import Client

from tests.conftest import PASSWORD
from webapp.accounts import guessing, one_time_links, people, signed_in_browsers
from webapp.accounts.models import EndedAccess, SignedInBrowser, User
from webapp.audit.models import Action, Entry
from webapp.audit.services import record

pytestmark = pytest.mark.django_db


def sign_in(name: str, password: str, address: str = "192.0.2.1") -> int:
    return Client(REMOTE_ADDR=address).post("/sign-in/", {"username": name, "password": password}).status_code


def test_after_five_failures_even_the_right_password_is_refused_from_there_and_only_there(alice):
    for _ in range(guessing.OF_ONE_NAME_FROM_ONE_ADDRESS):
        assert sign_in("alice", "wrong") == 200
    assert sign_in("alice", PASSWORD) == 429
    assert sign_in("alice", PASSWORD, "192.0.2.2") == 302


def test_failures_before_a_success_are_forgiven(alice):
    for _ in range(3):
        for _ in range(guessing.OF_ONE_NAME_FROM_ONE_ADDRESS - 1):
            sign_in("alice", "wrong")
        assert sign_in("alice", PASSWORD) == 302


def test_names_tried_one_after_the_other_from_one_address_are_held_up_too(alice):
    for number in range(guessing.OF_ONE_ADDRESS):
        sign_in(f"name-{number}", "wrong")
    assert sign_in("alice", PASSWORD) == 429
    assert sign_in("alice", PASSWORD, "192.0.2.2") == 302


def test_of_tries_at_the_same_moment_only_so_many_are_answered_the_right_one_like_the_others(alice, monkeypatch):
    really = User.check_password

    def while_others_fail(user: User, password: str) -> bool:
        for _ in range(guessing.OF_ONE_NAME_FROM_ONE_ADDRESS):
            guessing.note_failure({"username": "alice"})
        return really(user, password)

    monkeypatch.setattr(User, "check_password", while_others_fail)
    assert sign_in("alice", PASSWORD) == 429
    assert sign_in("alice", "wrong", "192.0.2.2") == 429


def test_whom_others_keep_out_gets_in_with_a_new_password(alice, admin):
    for number in range(guessing.OF_ONE_NAME):
        record(Action.SIGN_IN_FAILED, "alice", number=number)
    for number in range(guessing.OF_ONE_ADDRESS):
        sign_in(f"name-{number}", "wrong")
    assert sign_in("alice", PASSWORD) == 429
    _row, token = one_time_links.offer_new_password(alice, admin)
    new = {"password": "another good one", "password_again": "another good one"}
    assert Client(REMOTE_ADDR="192.0.2.1").post(f"/new-password/{token}/", new).status_code == 302
    assert sign_in("alice", "another good one") == 302
    assert sign_in("bob", "wrong") == 429, "of others nothing is forgiven"


def test_the_refusal_ends_by_itself(alice, monkeypatch):
    from datetime import timedelta

    for _ in range(guessing.OF_ONE_NAME_FROM_ONE_ADDRESS):
        sign_in("alice", "wrong")
    monkeypatch.setattr(guessing, "WINDOW", timedelta(0))
    assert sign_in("alice", PASSWORD) == 302


def test_a_name_that_nobody_has_is_held_up_alike_and_not_written_down():
    for _ in range(guessing.OF_ONE_NAME_FROM_ONE_ADDRESS):
        assert sign_in("my secret in the wrong field", "wrong") == 200
    assert sign_in("my secret in the wrong field", "wrong") == 429
    written = "".join(f"{entry.actor} {entry.subject} {entry.details}" for entry in Entry.objects.all())
    assert "secret" not in written


def test_changing_the_password_needs_the_old_one_and_signs_other_browsers_out(alice, alices_browser):
    other = Client()
    other.force_login(alice)
    assert other.get("/account/").status_code == alices_browser.get("/account/").status_code == 200
    new = {"password": "another good one", "password_again": "another good one"}
    assert alices_browser.post("/account/password/", {"current": "wrong", **new}).status_code == 400
    assert alices_browser.post("/account/password/", {"current": PASSWORD, **new}).status_code == 302
    assert alices_browser.get("/account/").status_code == 200
    assert other.get("/account/").status_code == 302
    assert SignedInBrowser.objects.get(user=alice).session_key == alices_browser.session.session_key


def test_guessing_the_old_password_in_an_open_browser_is_held_up_too(alice, alices_browser):
    new = {"password": "another good one", "password_again": "another good one"}
    for _ in range(guessing.OF_ONE_NAME_FROM_ONE_ADDRESS):
        alices_browser.post("/account/password/", {"current": "wrong", **new})
    assert alices_browser.post("/account/password/", {"current": PASSWORD, **new}).status_code == 400


def test_a_browser_is_listed_and_can_be_signed_out_from_another(alice, alices_browser, bobs_browser):
    lost = Client(headers={"user-agent": "Lost phone"})
    lost.force_login(alice)
    lost.get("/account/")
    assert "Lost phone" in alices_browser.get("/account/").content.decode()
    row = SignedInBrowser.objects.get(agent="Lost phone")
    assert bobs_browser.post(f"/account/browsers/{row.pk}/end/").status_code == 404
    assert alices_browser.post(f"/account/browsers/{row.pk}/end/").status_code == 302
    assert lost.get("/account/").status_code == 302
    assert alices_browser.get("/account/").status_code == 200


def test_without_mail_the_page_says_whom_to_ask(settings):
    settings.SENDS_MAIL = False
    assert "Ask an administrator" in Client().get("/forgotten-password/").content.decode()


def test_a_link_is_mailed_to_whoever_has_an_address_and_the_answer_is_the_same_for_all(settings, alice, bob):
    settings.SENDS_MAIL = True
    alice.email = "alice@example.org"
    alice.save()
    known, unknown = (re.sub(r'value="[^"]{20,}"', "", Client().post(
        "/forgotten-password/", {"name": name}).content.decode()) for name in ("ALICE@example.org", "nobody"))
    assert known == unknown
    (sent,) = mail.outbox
    assert sent.to == ["alice@example.org"]
    link = re.search(r"http://testserver(/new-password/\S+)", sent.body)[1]
    assert Client().get(link).status_code == 200
    Client().post("/forgotten-password/", {"name": "alice"})
    assert len(mail.outbox) == 1, "nobody's mailbox is filled"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("ending", ["deactivated", "signed out from afar"])
async def test_an_open_socket_ends_with_the_access(alice, connect, ending):
    from asgiref.sync import sync_to_async

    socket = await connect(alice)
    assert await socket.stays_open()
    if ending == "deactivated":
        await sync_to_async(people.deactivate)(alice)
    else:
        await sync_to_async(signed_in_browsers.renew_sockets)(alice)
    assert await socket.hear_close() == 1012


@pytest.mark.django_db(transaction=True)
async def test_the_sockets_of_others_stay(alice, bob, connect):
    from asgiref.sync import sync_to_async

    hers, his = await connect(alice), await connect(bob)
    await sync_to_async(people.deactivate)(alice)
    await hers.hear_close()
    assert await his.stays_open()


@pytest.mark.django_db(transaction=True)
async def test_a_socket_from_before_a_new_password_ends_too_when_its_browser_is_signed_out(
    alice, alices_browser, connect
):
    from asgiref.sync import sync_to_async

    def change_password_and_end():
        new = {"password": "another good one", "password_again": "another good one"}
        assert alices_browser.post("/account/password/", {"current": PASSWORD, **new}).status_code == 302
        signed_in_browsers.end(SignedInBrowser.objects.get(user=alice))

    socket = await connect(session=await sync_to_async(lambda: alices_browser.session)())
    await sync_to_async(change_password_and_end)()
    assert await socket.hear_close() == 1012


@pytest.mark.django_db(transaction=True)
async def test_a_notice_that_is_committed_after_one_with_a_higher_number_is_seen_too(alice, bob, connect):
    hers, his = await connect(alice), await connect(bob)
    await EndedAccess.objects.acreate(pk=1000, user_id=bob.pk)
    assert await his.hear_close() == 1012
    assert await hers.stays_open()
    await EndedAccess.objects.acreate(pk=999, user_id=alice.pk)
    assert await hers.hear_close() == 1012


@pytest.mark.django_db(transaction=True)
async def test_sockets_that_open_at_the_same_moment_leave_no_watch_behind(alice, connect):
    from webapp.accounts import live_sockets

    tasks = asyncio.all_tasks()
    sockets = await asyncio.gather(*(connect(alice) for _ in range(4)))
    looking = [task for task in asyncio.all_tasks() - tasks if task.get_coro().__qualname__ == "_Watch._look"]
    assert len(looking) == 1
    for socket in sockets:
        await socket.leave()
    assert not live_sockets._watches


def test_a_sign_in_is_written_down_with_its_address(alice):
    sign_in("alice", PASSWORD, "192.0.2.7")
    sign_in("alice", "wrong", "192.0.2.8")
    rows = Entry.objects.filter(subject="alice").values_list("action", "address")
    assert set(rows) == {(Action.SIGNED_IN, "192.0.2.7"), (Action.SIGN_IN_FAILED, "192.0.2.8")}
