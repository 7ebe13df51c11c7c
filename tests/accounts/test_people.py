"""What an administrator does to accounts: invitations, roles, groups, deactivating, deleting."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from tests.conftest import PASSWORD
from webapp.accounts import one_time_links, people
from webapp.accounts.models import OneTimeLink, Role, User
from webapp.accounts.services import create_api_key, key_holder
from webapp.audit.models import Action, Entry
from webapp.errors import BadInput, Conflict, NotFound, NotSignedIn
from webapp.privacy import erasing

pytestmark = pytest.mark.django_db


def new_password(password: str = PASSWORD) -> dict[str, str]:
    return {"password": password, "password_again": password}


def test_an_invitation_s_link_makes_one_account_of_its_role_and_then_ends(admins_browser):
    page = admins_browser.post("/dashboard/people/", {"form": "invitation", "role": "editor", "note": "Eve of sales"})
    link = re.search(r'<code id="one-time-link">http://testserver(.+?)</code>', page.content.decode())[1]
    stranger = Client()
    assert stranger.get(link).status_code == 200
    assert stranger.post(link, {"username": "eve", **new_password()}).status_code == 302
    assert User.objects.get(username="eve").role == Role.EDITOR
    assert Client().get(link).status_code == 404
    assert link.split("/")[2] not in admins_browser.get("/dashboard/people/").content.decode()


def test_a_refused_password_does_not_use_an_invitation_up(admin):
    _row, token = one_time_links.invite(Role.USER, "", admin)
    with pytest.raises(BadInput):
        one_time_links.accept_invitation(token, "eve", "123")
    assert one_time_links.accept_invitation(token, "eve", PASSWORD).username == "eve"


def test_a_withdrawn_or_old_invitation_opens_nothing(admin):
    withdrawn, first = one_time_links.invite(Role.USER, "", admin)
    _old, second = one_time_links.invite(Role.USER, "", admin)
    one_time_links.withdraw(withdrawn)
    OneTimeLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    for token in (first, second, ""):
        with pytest.raises(NotFound):
            one_time_links.accept_invitation(token, "eve", PASSWORD)


def test_a_link_for_a_new_password_works_once_and_signs_all_browsers_out(admin, alice, alices_browser):
    assert alices_browser.get("/account/").status_code == 200
    _row, token = one_time_links.offer_new_password(alice, admin)
    stranger = Client()
    assert stranger.post(f"/new-password/{token}/", new_password("another good one")).url == "/sign-in/"
    assert alices_browser.get("/account/").status_code == 302
    assert Client().login(username="alice", password="another good one")
    assert stranger.post(f"/new-password/{token}/", new_password()).status_code == 404


def test_an_invitation_does_not_set_a_password_nor_a_reset_make_an_account(admin, alice):
    _row, invitation = one_time_links.invite(Role.ADMIN, "", admin)
    _row, reset = one_time_links.offer_new_password(alice, admin)
    assert Client().get(f"/new-password/{invitation}/").status_code == 404
    assert Client().get(f"/invited/{reset}/").status_code == 404


def test_a_deactivated_account_is_out_everywhere_at_once(admin, alice, alices_browser):
    _row, secret = create_api_key(alice, "notebook")
    _row, token = one_time_links.offer_new_password(alice, admin)
    people.deactivate(alice)
    assert alices_browser.get("/account/").status_code == 302
    assert not Client().login(username="alice", password=PASSWORD)
    with pytest.raises(NotSignedIn):
        key_holder(secret)
    assert Client().get(f"/new-password/{token}/").status_code == 404
    people.reactivate(alice)
    assert Client().login(username="alice", password=PASSWORD)


@pytest.mark.parametrize("change", [people.deactivate, erasing.erase, lambda user: people.change_role(user, "user")])
def test_the_last_administrator_stays(admin, change):
    with pytest.raises(Conflict):
        change(admin)
    admin.refresh_from_db()
    assert (admin.role, admin.is_active) == (Role.ADMIN, True)


def test_the_page_of_a_person_does_what_its_buttons_say(admins_browser, admin, bob):
    page = f"/dashboard/people/{bob.pk}/"
    group = Group.objects.create(name="Historians")
    for pressed in ({"do": "role", "role": "editor"}, {"do": "groups", "groups": [group.pk]}, {"do": "deactivate"}):
        assert admins_browser.post(page, pressed).status_code == 302
    bob.refresh_from_db()
    assert (bob.role, bob.is_active, list(bob.groups.all())) == ("editor", False, [group])
    assert admins_browser.post(page, {"do": "reactivate"}).status_code == 302
    assert admins_browser.post(page, {"do": "nonsense"}).status_code == 400
    assert admins_browser.post(page, {"do": "role", "role": "guest"}).status_code == 400
    shown = admins_browser.post(page, {"do": "link"}).content.decode()
    assert "/new-password/" in shown and "/new-password/" not in admins_browser.get(page).content.decode()
    assert admins_browser.post(page, {"do": "delete"}).status_code == 302
    assert not User.objects.filter(username="bob").exists()
    assert admins_browser.get("/dashboard/people/?q=adA").status_code == 200
    assert Entry.objects.filter(action=Action.ROLE_CHANGED, actor="ada", subject="bob").exists()


def test_the_links_to_other_pages_keep_what_was_searched(admins_browser, alice, bob, monkeypatch):
    monkeypatch.setattr("webapp.accounts.people_views.PEOPLE_A_PAGE", 1)
    page = admins_browser.get("/dashboard/people/?q=a%26d&page=1").content.decode()
    assert 'class="pages' not in page, "nobody is called so"
    page = admins_browser.get("/dashboard/people/?q=a&page=1").content.decode()  # ada and alice
    assert 'href="?q=a&amp;page=2"' in page and "1 / 2" in page and "Earlier page" not in page
    assert 'href="?q=a&amp;page=1"' in admins_browser.get("/dashboard/people/?q=a&page=2").content.decode()


def test_groups_are_made_once_and_deleted(admins_browser):
    assert admins_browser.post("/dashboard/people/", {"form": "group", "group": "Historians"}).status_code == 302
    assert admins_browser.post("/dashboard/people/", {"form": "group", "group": "Historians"}).status_code == 400
    group = Group.objects.get()
    assert admins_browser.post(f"/dashboard/people/groups/{group.pk}/delete/").status_code == 302
    assert not Group.objects.exists()


def test_erasing_leaves_no_row_or_file_of_the_person(alice, document, data_dir, bob):
    from webapp.chat.models import Conversation
    from webapp.knowledge import storage
    from webapp.knowledge.models import Collection

    Conversation.objects.create(owner=alice, title="Mine")
    kept = storage.document_folder(document.pk)
    assert kept.exists()
    erasing.erase(alice)
    assert not kept.exists()
    assert not Conversation.objects.exists() and not Collection.objects.exists()
    assert list(User.objects.values_list("username", flat=True)) == ["bob"]
    assert Entry.objects.filter(action=Action.ACCOUNT_DELETED, subject="alice").exists()
