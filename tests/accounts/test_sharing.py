"""A collection shared with a person or a group: who finds it, who may add to it, and that it ends."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group

from webapp import access
from webapp.errors import BadInput
from webapp.knowledge import services, sharing
from webapp.knowledge.figures import with_figures
from webapp.knowledge.models import Visibility

pytestmark = pytest.mark.django_db


def test_whom_it_is_shared_with_reads_its_documents_and_quotes(collection, document, bob, bobs_browser):
    place = f"/documents/{document.pk}/?start=0&end=10"
    assert bobs_browser.get(place).status_code == 404
    share = sharing.share(collection, bob)
    assert bobs_browser.get(f"/collections/{collection.pk}/").status_code == 200
    assert bobs_browser.get(place).status_code == 200
    assert bobs_browser.get(f"/api/v1/documents/{document.pk}/text/").status_code == 200
    sharing.end(share)
    assert bobs_browser.get(place).status_code == 404


def test_a_group_s_members_are_let_in_while_they_belong_to_it(collection, bob):
    group = Group.objects.create(name="Historians")
    sharing.share(collection, group)
    assert collection not in access.readable_collections(bob)
    bob.groups.add(group)
    assert collection in access.readable_collections(bob)
    group.delete()
    assert collection not in access.readable_collections(bob)


def test_a_reader_may_add_nothing_an_editor_of_it_may_but_neither_may_share_or_delete_it(collection, bob):
    sharing.share(collection, bob)
    assert collection not in access.editable_collections(bob)
    sharing.share(collection, bob, may_edit=True)
    assert collection in access.editable_collections(bob)
    assert collection not in access.managed_collections(bob)


def test_shares_count_only_while_the_collection_is_shared(collection, bob):
    sharing.share(collection, bob)
    services.change_collection(collection, visibility=Visibility.PRIVATE)
    assert collection not in access.readable_collections(bob)


def test_sharing_twice_over_counts_a_collection_and_its_documents_once(collection, document, bob):
    groups = [Group.objects.create(name=name) for name in ("A", "B")]
    bob.groups.set(groups)
    for whom in (bob, *groups):
        sharing.share(collection, whom)
    (found,) = [each for each in with_figures(access.readable_collections(bob), bob) if each == collection]
    assert found.document_count == 1


def test_a_private_collection_is_not_shared_with_its_own_owner(collection, alice):
    with pytest.raises(BadInput):
        sharing.share(collection, alice)


def test_the_page_shares_by_name_or_group_and_tells_what_is_wrong(collection, alices_browser, alice, bob):
    page = f"/collections/{collection.pk}/shares/"
    group = Group.objects.create(name="Historians")
    assert alices_browser.post(page, {"username": "nobody"}).status_code == 400
    assert alices_browser.post(page, {}).status_code == 400
    assert alices_browser.post(page, {"group": group.pk}).status_code == 400, "she does not belong to it"
    assert alices_browser.post(page, {"username": "bob", "may_edit": "on"}).status_code == 302
    shown = alices_browser.get(page).content.decode()
    assert "bob" in shown and "adds and deletes" in shown
    share = collection.shares.get()
    assert alices_browser.post(f"{page}{share.pk}/end/").status_code == 302
    assert not collection.shares.exists()


def test_a_program_shares_and_ends_it(collection, program, alice, bob):
    client = program(alice)
    shares = f"/api/v1/collections/{collection.pk}/shares/"
    made = client.post(shares, {"user": "bob", "may_edit": True}, content_type="application/json")
    assert made.status_code == 201, made.content
    assert [each["user"] for each in client.get(shares).json()["results"]] == ["bob"]
    assert client.post(shares, {}, content_type="application/json").status_code == 400
    assert program(bob).get(shares).status_code == 404
    assert program(bob).get(f"/api/v1/collections/{collection.pk}/").json()["managed"] is False
    assert client.delete(f"{shares}{made.json()['id']}/").status_code == 204
    assert program(bob).get(f"/api/v1/collections/{collection.pk}/").status_code == 404
