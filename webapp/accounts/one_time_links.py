"""Links that work once and for a while: an invitation makes an account, another sets a new password.

Whoever makes a link hands it on as they like; only its digest is kept, so it can be shown this once.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from webapp.accounts import services, signed_in_browsers
from webapp.accounts.models import LinkPurpose, OneTimeLink, Role, User
from webapp.audit.models import Action
from webapp.audit.services import record
from webapp.errors import BadInput, NotFound

LASTS = {LinkPurpose.INVITE: timedelta(days=7), LinkPurpose.RESET: timedelta(days=1)}


@transaction.atomic
def invite(role: str, note: str, by: User) -> tuple[OneTimeLink, str]:
    """An invitation to make an account of this role, and its token."""
    if role not in (Role.USER, Role.EDITOR, Role.ADMIN):
        raise BadInput(_("Choose one of the roles."), "role")
    made = _make(LinkPurpose.INVITE, by, role=role, note=note.strip()[:150])
    record(Action.INVITED, note, role=role)
    return made


@transaction.atomic
def offer_new_password(user: User, by: User | None) -> tuple[OneTimeLink, str]:
    """A link with which `user` sets a new password, and its token; earlier ones end. `by` is None when mailed."""
    OneTimeLink.objects.filter(user=user).delete()
    made = _make(LinkPurpose.RESET, by, user=user)
    record(Action.PASSWORD_LINK_MADE, user.username)
    return made


def withdraw(link: OneTimeLink) -> None:
    record(Action.INVITATION_WITHDRAWN, link.note, role=link.role)
    link.delete()


def find(purpose: LinkPurpose, token: str) -> OneTimeLink:
    """NotFound unless `token` is an open link's of this purpose."""
    found = OneTimeLink.objects.select_related("user").filter(
        purpose=purpose, digest=_digest(token), expires_at__gt=timezone.now()).first()
    if found is None or (found.user is not None and not found.user.is_active):
        raise NotFound(_("This link has been used, is too old, or is not from this site. Ask for a new one."))
    return found


@transaction.atomic
def accept_invitation(token: str, username: str, password: str, *, language: str = "") -> User:
    """The account that an invitation makes; the link then ends."""
    link = find(LinkPurpose.INVITE, token)
    _use(link)
    return services.new_account(username, password, Role(link.role), language, invited=link.note)


@transaction.atomic
def set_new_password(token: str, password: str) -> User:
    """Whoever holds the link sets the password; all browsers of the account are signed out."""
    link = find(LinkPurpose.RESET, token)
    _use(link)
    services.change_password(link.user, password)
    signed_in_browsers.end_all(link.user)
    return link.user


def forget_old() -> int:
    removed, _rows = OneTimeLink.objects.filter(expires_at__lt=timezone.now()).delete()
    return removed


def _make(purpose: LinkPurpose, by: User | None, **values: object) -> tuple[OneTimeLink, str]:
    token = secrets.token_urlsafe(24)
    link = OneTimeLink.objects.create(
        purpose=purpose, digest=_digest(token), created_by=by, expires_at=timezone.now() + LASTS[purpose], **values)
    return link, token


def _use(link: OneTimeLink) -> None:
    deleted, _rows = OneTimeLink.objects.filter(pk=link.pk).delete()
    if not deleted:  # used twice at the same moment
        raise NotFound(_("This link has been used, is too old, or is not from this site. Ask for a new one."))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
