"""Clients of the site in the tests: programs with an API key, browsers with a session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client


@pytest.fixture
def program() -> Callable[[Any], Client]:
    """`program(user)`: a client that sends this user's API key."""
    from webapp.accounts.services import create_api_key

    def program(user: Any) -> Client:
        _row, secret = create_api_key(user, "test")
        return Client(headers={"Authorization": f"Bearer {secret}"})

    return program


@pytest.fixture
def browser() -> Callable[..., Client]:
    """`browser(user)`: a client with a signed-in session; with CSRF checks, as in the site."""

    def browser(user: Any = None, *, checks_csrf: bool = False) -> Client:
        client = Client(enforce_csrf_checks=checks_csrf)
        if user is not None:
            client.force_login(user)
        return client

    return browser
