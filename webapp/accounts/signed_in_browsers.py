"""The browsers that people are signed in with: noted at sign-in and while they are used, ended from anywhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from webapp.accounts.models import EndedAccess, SignedInBrowser, User
from webapp.audit import origin
from webapp.audit.models import Action
from webapp.audit.services import record

SEEN_EVERY = timedelta(minutes=5)
"""A browser in use is not written down at each request."""
ENDED_KEPT = timedelta(days=1)
_SEEN = "seen"


class NotesBrowsers:
    """Middleware: each signed-in browser has its row, and the row says when it was used last."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        now = timezone.now()
        session = request.session
        if (session.session_key and request.user.is_authenticated
                and now.timestamp() - session.get(_SEEN, 0) > SEEN_EVERY.total_seconds()):
            note(request.user, session, request.headers.get("User-Agent", ""))
            session[_SEEN] = now.timestamp()
        return self.get_response(request)


def note(user: User, session: SessionBase, agent: str) -> None:
    """Make the browser's row, or say in it that the browser is in use."""
    SignedInBrowser.objects.update_or_create(session_key=session.session_key, defaults={
        "user": user, "seen_at": timezone.now(), "address": origin.address(), "agent": agent[:300],
    })


@receiver(user_logged_in)
def _forget_who_was_here(request: HttpRequest, **_: Any) -> None:
    request.session.pop(_SEEN, None)  # the session has a new key, which the next request notes


@receiver(user_logged_out)
def _leave(request: HttpRequest, user: User | None, **_: Any) -> None:
    if user is not None and request.session.session_key:
        SignedInBrowser.objects.filter(session_key=request.session.session_key).delete()
        renew_sockets(user)
        record(Action.SIGNED_OUT, user.username, by=user)


def keep(before: str, session: SessionBase) -> None:
    """The browser's session has another key than `before`, as after a new password."""
    SignedInBrowser.objects.filter(session_key=before).update(session_key=session.session_key)


@transaction.atomic
def end(browser: SignedInBrowser) -> None:
    """Sign this browser out: its session is gone, its sockets close."""
    _session_store()(browser.session_key).delete()
    renew_sockets(browser.user)
    browser.delete()
    record(Action.BROWSER_ENDED, browser.user.username)


@transaction.atomic
def end_all(user: User, *, but: str = "") -> None:
    """Sign all browsers of `user` out, save the one whose session is `but`."""
    for browser in SignedInBrowser.objects.filter(user=user).exclude(session_key=but):
        _session_store()(browser.session_key).delete()
        browser.delete()
        EndedAccess.objects.create(user_id=user.pk, session_key=browser.session_key)
    if not but:
        renew_sockets(user)


def renew_sockets(user: User) -> None:
    """Close all sockets of `user`; those that they may still have open anew by themselves.

    A browser's own sockets cannot be told by its session: they opened with the key that it had before a new password.
    """
    EndedAccess.objects.create(user_id=user.pk)


def forget_old() -> int:
    """Rows of sessions that ran out, and notices that every process has long seen."""
    ended = timezone.now() - timedelta(seconds=settings.SESSION_COOKIE_AGE)
    _session_store().clear_expired()
    browsers, _rows = SignedInBrowser.objects.filter(seen_at__lt=ended).delete()
    return browsers + EndedAccess.objects.filter(at__lt=timezone.now() - ENDED_KEPT).delete()[0]


def _session_store() -> type[SessionBase]:
    return import_module(settings.SESSION_ENGINE).SessionStore
