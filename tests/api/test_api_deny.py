"""Access is denied unless a list here says otherwise, and every refusal to a program has the one shape."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.api.conftest import is_problem

pytestmark = pytest.mark.django_db

PUBLIC = {
    "healthz": "a monitor asks it",
    "readyz": "a monitor asks it",
    "metrics": "a monitor asks it",
    "api/v1/protocol": "describes messages, holds no data",
    "api/v1/schema": "describes addresses, holds no data",
    "api/v1/docs": "describes addresses, holds no data",
    "sign-in/": "how one gets in",
    "sign-up/": "how one gets in; closed by a setting",
    "sign-out/": "nobody is signed in afterwards",
    "setup/<str:token>/": "only whoever holds the one-time link gets further",
    "invited/<str:token>/": "only whoever holds the one-time link gets further",
    "new-password/<str:token>/": "only whoever holds the one-time link gets further",
    "forgotten-password/": "says the same whoever asks",
    "help/": "help pages about the product, the same on every site",
    "language/": "chooses the page's language",
    "health": "a monitor asks it, as LibreTranslate",
    "languages": "names of languages; clients of LibreTranslate send no key there",
    "frontend/settings": "limits and names of languages; clients of LibreTranslate send no key there",
    "i18n/catalog.js": "the translations of the pages' scripts",
}
"""Addresses that answer a stranger while guests are not let in, each with its reason."""


def patterns(resolver: URLResolver | None = None, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in (resolver or get_resolver()).url_patterns:
        route = before + _plain(str(entry.pattern))
        if isinstance(entry, URLResolver):
            yield from patterns(entry, route)
        else:
            yield route, entry


def _plain(pattern: str) -> str:
    """A pattern as Django's path() would write it, its arguments as <converter:name>."""
    pattern = re.sub(r"\(\?P<(\w+)>\\d\+\)", r"<int:\1>", pattern)
    pattern = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", r"<uuid:\1>", pattern)
    return pattern.replace("^", "").replace("$", "").replace("\\Z", "")


def address(route: str) -> str:
    """An address of this route whose arguments are of the right kind, though nothing has them."""
    values = {"int": "999999999", "uuid": str(uuid.uuid4())}
    return "/" + re.sub(r"<(\w+):\w+>", lambda argument: values.get(argument[1], "abc"), route)


ROUTES = sorted({route for route, _pattern in patterns()})


def test_the_walk_finds_the_addresses_of_every_part():
    assert {"", "api/v1/qa/ask", "api/v1/collections/<uuid:pk>/", "api/v1/keys/<int:pk>/", "healthz"} <= set(ROUTES)


def test_the_list_of_public_addresses_names_none_that_is_gone():
    assert set(PUBLIC) <= set(ROUTES), set(PUBLIC) - set(ROUTES)


@pytest.mark.parametrize("method", ["get", "post", "patch", "put", "delete"])
@pytest.mark.parametrize("route", [route for route in ROUTES if route not in PUBLIC])
def test_a_stranger_gets_nothing_where_guests_are_not_let_in(settings, route, method):
    settings.GUESTS_MAY_CHAT = False
    response = getattr(Client(), method)(address(route))
    if route.startswith("api/"):
        assert response.status_code in (401, 403, 404), (route, response.status_code)
        is_problem(response, response.status_code)
    elif response.status_code == 302:
        assert response["Location"].startswith("/sign-in/"), response["Location"]
    else:
        assert response.status_code in (401, 403, 404, 405), (route, response.status_code)
