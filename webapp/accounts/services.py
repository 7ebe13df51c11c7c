"""What changes accounts: signing up, the first administrator, guests, API keys."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from webapp.accounts.models import ApiKey, Role, User, all_scopes
from webapp.audit.models import Action
from webapp.audit.services import record
from webapp.errors import BadInput, Forbidden, NotFound, NotSignedIn

GUEST_SESSION_KEY = "guest"
KEY_PREFIX = "wenda-"
KEY_USE_NOTED_EVERY = timedelta(minutes=1)
"""A busy key's last use is not written at each request."""


@transaction.atomic
def sign_up(username: str, password: str, *, language: str = "") -> User:
    """A new account with role user; Forbidden when sign-up is closed, BadInput when a value cannot be used."""
    if not settings.SIGN_UP_IS_OPEN:
        raise Forbidden(_("Sign-up is closed on this site. Ask an administrator for an account."))
    return new_account(username, password, Role.USER, language)


def setup_token_file() -> Path:
    return settings.DATA_DIR / "setup-token"


def admin_exists() -> bool:
    return User.objects.filter(role=Role.ADMIN, is_active=True).exists()


def setup_token() -> str:
    """The token of the one-time link that makes the first administrator: kept until used, "" when there is one."""
    file = setup_token_file()
    if admin_exists():
        file.unlink(missing_ok=True)
        return ""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(24))
    return file.read_text().strip()


def check_setup_token(token: str) -> None:
    """NotFound unless `token` is the one-time link's and no administrator exists yet."""
    expected = setup_token()
    if not expected or not secrets.compare_digest(expected.encode(), token.encode()):
        raise NotFound(_("This link has been used or is not from this site. `manage.py up` prints the current one."))


@transaction.atomic
def create_first_admin(token: str, username: str, password: str, *, language: str = "") -> User:
    """The first administrator, whoever holds the one-time link; the link then ends."""
    check_setup_token(token)
    admin = new_account(username, password, Role.ADMIN, language)
    transaction.on_commit(lambda: setup_token_file().unlink(missing_ok=True))
    return admin


@transaction.atomic
def new_account(username: str, password: str, role: Role, language: str, *, invited: str = "") -> User:
    """A new account; BadInput names the value that cannot be used. Whether it may be made is decided before."""
    user = User(username=username.strip(), role=role, language=language)
    _set_password(user, password)
    try:
        user.full_clean()
    except ValidationError as error:
        raise BadInput(" ".join(error.messages), next(iter(error.message_dict), "")) from None
    user.save()
    record(Action.SIGNED_UP, user.username, by=user, role=role, **({"invited as": invited} if invited else {}))
    return user


@transaction.atomic
def change_password(user: User, password: str) -> None:
    """Set it; BadInput when it is too easily guessed. Sessions made with the old one end."""
    _set_password(user, password)
    user.save(update_fields=["password"])
    record(Action.PASSWORD_CHANGED, user.username, by=user)


def _set_password(user: User, password: str) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise BadInput(" ".join(error.messages), "password") from None
    user.set_password(password)


def set_language(user: User, language: str) -> None:
    if language not in dict(settings.LANGUAGES):
        raise BadInput(_("This language is not offered."), "language")
    user.language = language
    user.save(update_fields=["language"])


def known_guest(session: SessionBase) -> User | None:
    """The guest bound to this browser session, if one has been made."""
    identifier = session.get(GUEST_SESSION_KEY)
    return User.objects.filter(pk=identifier, role=Role.GUEST, is_active=True).first() if identifier else None


def as_it_is_now(session: SessionBase) -> SessionBase:
    """The session read anew: a socket holds it as it was when it opened; a request may have made its guest since."""
    if not session.session_key:
        return session
    return import_module(settings.SESSION_ENGINE).SessionStore(session.session_key)


def guest_for(session: SessionBase) -> User:
    """The guest bound to this browser session, made on first call. NotSignedIn when the browser holds no session."""
    guest = known_guest(session)
    if guest is None:
        if not session.session_key:
            raise NotSignedIn(_("Guests are recognised by a cookie. Allow cookies here and reload the page."))
        guest = User(username=f"guest-{uuid.uuid4().hex[:20]}", role=Role.GUEST)
        guest.set_unusable_password()
        guest.save()
        session[GUEST_SESSION_KEY] = guest.pk
        session.save()
    return guest


@transaction.atomic
def create_api_key(
    user: User, name: str, *, expires_at: datetime | None = None, scopes: Sequence[str] | None = None,
    requests_per_minute: int | None = None, tokens_per_day: int | None = None,
) -> tuple[ApiKey, str]:
    """A new key's row and the key itself, which is not kept and can be shown this once only.

    It has all scopes unless some are named. With a key that lacks one, no key that has it can be made.
    """
    scopes = all_scopes() if scopes is None else sorted(set(scopes), key=all_scopes().index)
    if not scopes:
        raise BadInput(_("Choose what the key may be used for."), "scopes")
    if user.via_key is not None and not set(scopes) <= set(user.via_key.scopes):
        raise Forbidden(_("A key cannot make one that may do more than itself."))
    if not name.strip():
        raise BadInput(_("Give the key a name, such as the program that will use it."), "name")
    if expires_at is not None and expires_at <= timezone.now():
        raise BadInput(_("The key would have expired already. Choose a later time."), "expires_at")
    secret = KEY_PREFIX + secrets.token_urlsafe(32)
    key = ApiKey(user=user, name=name.strip(), prefix=secret[:12], digest=_digest(secret), expires_at=expires_at,
                 scopes=scopes, requests_per_minute=requests_per_minute, tokens_per_day=tokens_per_day)
    key.full_clean()
    key.save()
    record(Action.KEY_MADE, key.name, by=user, prefix=key.prefix)
    return key, secret


def delete_api_key(user: User, identifier: int) -> None:
    key = ApiKey.objects.filter(user=user, pk=identifier).first()
    if key is None or not key.delete()[0]:
        raise NotFound(_("You have no such API key."))
    record(Action.KEY_DELETED, key.name, prefix=key.prefix)


def key_holder(secret: str) -> User:
    """The active user whose key this is; notes its use. NotSignedIn when the key is unknown or has expired."""
    key = ApiKey.objects.select_related("user").filter(digest=_digest(secret)).first()
    if key is None or not key.user.is_active:
        raise NotSignedIn(_("This API key is not known here. Make one under Account, or with `manage.py apikey`."))
    now = timezone.now()
    if key.has_ended:
        raise NotSignedIn(_("This API key has expired. Make a new one under Account."))
    if key.last_used_at is None or now.date() != key.last_used_at.date():
        record(Action.KEY_USED, key.name, by=key.user, prefix=key.prefix)  # the first time of each day
    if key.last_used_at is None or now - key.last_used_at > KEY_USE_NOTED_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    key.user.via_key = key
    return key.user


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
