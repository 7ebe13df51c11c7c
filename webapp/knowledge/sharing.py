"""Who is let into a collection: its shares with people and groups, one by one."""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils.translation import gettext as _

from webapp.accounts.models import Role, User
from webapp.audit.models import Action
from webapp.audit.services import record
from webapp.errors import BadInput
from webapp.knowledge.models import Collection, Share, Visibility


@transaction.atomic
def share(collection: Collection, with_whom: User | Group, *, may_edit: bool = False) -> Share:
    """Let a person or a group in, or change what they may do; a private collection becomes a shared one."""
    if with_whom == collection.owner:
        raise BadInput(_("The collection is this person's own."), "username")
    who = {"group": with_whom} if isinstance(with_whom, Group) else {"user": with_whom}
    made, _is_new = Share.objects.update_or_create(collection=collection, **who, defaults={"may_edit": may_edit})
    if collection.visibility == Visibility.PRIVATE:
        collection.visibility = Visibility.SHARED
        collection.save(update_fields=["visibility"])
    record(Action.ACCESS_CHANGED, collection.name, collection=str(collection.pk), shared_with=str(made),
           may_edit=may_edit)
    return made


@transaction.atomic
def end(share: Share) -> None:
    """Its person or group no longer sees the collection, from the next question on."""
    record(Action.ACCESS_CHANGED, share.collection.name, collection=str(share.collection_id),
           no_longer_shared_with=str(share))
    share.delete()


def person_called(username: str) -> User:
    """The active account of this name, for sharing with; BadInput when there is none."""
    found = User.objects.filter(username=username.strip(), is_active=True).exclude(role=Role.GUEST).first()
    if found is None:
        raise BadInput(_("There is no user of this name. Ask them how they sign in here."), "username")
    return found
