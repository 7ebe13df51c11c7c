"""Counts every REST call before it is answered, and notes on the request how its caller stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from webapp.accounts.models import User
from webapp.limits import meter, stranger
from webapp.limits.headers import NOTED

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which itself loads this class


class Counted(BaseThrottle):
    """A view with `uses_tokens` also needs some of the day's tokens to be left."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        count(request._request, request.user, uses_tokens=getattr(view, "uses_tokens", False))
        return True


def count(request: HttpRequest, user: User | AnonymousUser, *, uses_tokens: bool) -> None:
    """Count a call, and note on it how its caller stands. Raises LimitReached."""
    noted: Sequence[meter.Standing] = ()
    try:
        noted = meter.admit(user, stranger=stranger_of(request), uses_tokens=uses_tokens)
    except meter.LimitReached as problem:
        noted = problem.standings
        raise
    finally:
        setattr(request, NOTED, noted)


def stranger_of(request: HttpRequest | Request) -> str:
    """What somebody unknown is counted as."""
    return stranger.named(request.META.get("REMOTE_ADDR", ""))
