"""What the tests of the pages share: browsers of a guest, of users and an administrator, and a document with text."""

from __future__ import annotations

import pytest
from django.test import Client

TEXT = "The library was founded in 1821. It was built of sandstone. 图书馆有三层。" + " More is said here." * 1000


@pytest.fixture(autouse=True)
def _open_to_guests(settings) -> None:
    settings.GUESTS_MAY_CHAT = True
    settings.SIGN_UP_IS_OPEN = True


@pytest.fixture
def guest_browser(db) -> Client:
    return Client()


@pytest.fixture
def alices_browser(alice) -> Client:
    browser = Client()
    browser.force_login(alice)
    return browser


@pytest.fixture
def bobs_browser(bob) -> Client:
    browser = Client()
    browser.force_login(bob)
    return browser


@pytest.fixture
def admins_browser(admin) -> Client:
    browser = Client()
    browser.force_login(admin)
    return browser


@pytest.fixture
def collection(alice):
    """A private collection of alice's."""
    from webapp.knowledge.models import Collection

    return Collection.objects.create(owner=alice, name="Town history")


@pytest.fixture
def document(collection):
    """A document of alice's that has been read in, its text in the store."""
    from webapp.knowledge import storage
    from webapp.knowledge.models import Document, DocumentStatus

    made = Document.objects.create(
        collection=collection, name="library.txt", title="The library", size=len(TEXT.encode()), sha256="0" * 64,
        characters=len(TEXT), status=DocumentStatus.READY,
    )
    storage.documents().put(str(made.pk), TEXT.encode(), made.name, TEXT)
    return made
