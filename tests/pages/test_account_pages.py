"""Accounts in the browser: the first administrator, signing in and out, profile, API keys."""

from __future__ import annotations

import re

from django.test import Client
from django.urls import reverse

from tests.conftest import PASSWORD
from webapp.accounts import services
from webapp.accounts.models import ApiKey, Scope, User


def test_the_one_time_link_makes_the_first_administrator_and_then_ends(guest_browser: Client, db) -> None:
    address = reverse("setup", args=[services.setup_token()])
    assert guest_browser.get(address).status_code == 200
    response = guest_browser.post(address, {"username": "ada", "password": PASSWORD, "password_again": PASSWORD})
    assert response.url == "/"
    assert User.objects.get(username="ada").role == "admin"
    assert Client().get(address).status_code == 404


def test_a_wrong_token_opens_nothing(guest_browser: Client) -> None:
    assert guest_browser.get(reverse("setup", args=["guessed"])).status_code == 404


def test_passwords_that_differ_or_are_weak_are_told_at_the_field(guest_browser: Client) -> None:
    address = reverse("sign-up")
    differ = guest_browser.post(address, {"username": "carol", "password": PASSWORD, "password_again": "other"})
    weak = guest_browser.post(address, {"username": "carol", "password": "12345", "password_again": "12345"})
    assert differ.status_code == weak.status_code == 400
    assert "The two passwords differ." in differ.content.decode()
    assert "too short" in weak.content.decode()
    assert not User.objects.filter(username="carol").exists()


def test_sign_in_returns_to_where_one_was_but_never_to_another_site(guest_browser: Client, alice) -> None:
    address = reverse("sign-in")
    values = {"username": "alice", "password": PASSWORD}
    assert guest_browser.post(address, {**values, "next": "/collections/"}).url == "/collections/"
    assert Client().post(address, {**values, "next": "https://elsewhere.example/"}).url == "/"


def test_signing_out_needs_a_post_and_ends_the_session(alices_browser: Client) -> None:
    assert alices_browser.get(reverse("sign-out")).status_code == 405
    alices_browser.post(reverse("sign-out"))
    assert alices_browser.get(reverse("account")).status_code == 302


def test_closed_sign_up_says_so(guest_browser: Client, settings) -> None:
    settings.SIGN_UP_IS_OPEN = False
    response = guest_browser.get(reverse("sign-up"))
    assert response.status_code == 403
    assert "Ask an administrator" in response.content.decode()


def test_a_new_key_is_shown_once_and_works(alices_browser: Client, alice) -> None:
    made = alices_browser.post(reverse("account"), {"form": "key", "name": "notebook", "scopes": Scope.values})
    shown = made.content.decode()
    secret = re.search(r'<code id="new-key">(.+?)</code>', shown)[1]
    assert services.key_holder(secret) == alice
    assert secret not in alices_browser.get(reverse("account")).content.decode()


def test_a_key_of_another_person_cannot_be_deleted(bobs_browser: Client, alice) -> None:
    key, _secret = services.create_api_key(alice, "notebook")
    assert bobs_browser.post(reverse("delete-key", args=[key.pk])).status_code == 404
    assert ApiKey.objects.filter(pk=key.pk).exists()


def test_a_profile_is_saved_and_a_wrong_address_refused(alices_browser: Client, alice) -> None:
    address = reverse("account")
    alices_browser.post(address, {"form": "profile", "first_name": "Alice", "email": "a@example.org"})
    refused = alices_browser.post(address, {"form": "profile", "first_name": "Eve", "email": "not an address"})
    alice.refresh_from_db()
    assert (alice.first_name, alice.email) == ("Alice", "a@example.org")
    assert refused.status_code == 400
