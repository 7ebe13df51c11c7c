"""What an administrator does to accounts: role, deactivating, groups. One active administrator always stays."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from webapp.accounts import signed_in_browsers
from webapp.accounts.models import OneTimeLink, Role, User
from webapp.audit.models import Action
from webapp.audit.services import record
from webapp.errors import BadInput, Conflict


@transaction.atomic
def change_role(user: User, role: str) -> None:
    if role not in (Role.USER, Role.EDITOR, Role.ADMIN):
        raise BadInput(_("Choose one of the roles."), "role")
    if role == user.role:
        return
    before, user.role = user.role, role
    if before == Role.ADMIN:
        check_an_administrator_stays_without(user)
    user.save(update_fields=["role"])
    record(Action.ROLE_CHANGED, user.username, before=before, after=role)
    signed_in_browsers.renew_sockets(user)


@transaction.atomic
def deactivate(user: User) -> None:
    """The account's browsers, sockets, keys and links stop working at once; what it owns stays."""
    check_an_administrator_stays_without(user)
    user.is_active = False
    user.save(update_fields=["is_active"])
    OneTimeLink.objects.filter(user=user).delete()
    record(Action.DEACTIVATED, user.username)
    signed_in_browsers.end_all(user)


@transaction.atomic
def reactivate(user: User) -> None:
    user.is_active = True
    user.save(update_fields=["is_active"])
    record(Action.REACTIVATED, user.username)


def check_an_administrator_stays_without(user: User) -> None:
    """Raise Conflict when `user` is the last who could look after the site."""
    others = User.objects.select_for_update().filter(role=Role.ADMIN, is_active=True).exclude(pk=user.pk)
    was_one = User.objects.filter(pk=user.pk, role=Role.ADMIN, is_active=True).exists()
    if was_one and not others.exists():
        raise Conflict(_("This is the last administrator. Make another account an administrator first."))


@transaction.atomic
def make_group(name: str) -> Group:
    group = Group(name=name.strip())
    try:
        group.full_clean()
    except ValidationError as error:
        raise BadInput(" ".join(error.messages), "group") from None
    group.save()
    record(Action.GROUP_CHANGED, group.name, made=True)
    return group


@transaction.atomic
def delete_group(group: Group) -> None:
    """What was shared with the group is no longer shared with its members."""
    record(Action.GROUP_CHANGED, group.name, deleted=True)
    group.delete()


@transaction.atomic
def set_groups(user: User, groups: Iterable[Group]) -> None:
    """Make `user` a member of these groups and no others."""
    before = set(user.groups.values_list("name", flat=True))
    user.groups.set(groups)
    after = set(user.groups.values_list("name", flat=True))
    if before != after:
        record(Action.GROUP_CHANGED, user.username, joined=sorted(after - before), left=sorted(before - after))
