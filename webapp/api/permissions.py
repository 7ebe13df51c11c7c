"""Who may call a REST view at all; `webapp/access.py` decides, and its querysets say on what."""

from __future__ import annotations

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from webapp import access
from webapp.accounts.authentication import BrowserAuthentication
from webapp.accounts.models import User

READING = ("GET", "HEAD", "OPTIONS")


class Rule(BasePermission):
    """The caller may do `action`, and their API key, if they use one, has the view's scope.

    A view names its `scope`, and a `reading_scope` where reading needs another; a view that names none is open only
    to keys that have every scope.
    """

    action: access.Action

    def has_permission(self, request: Request, view: APIView) -> bool:
        scope = getattr(view, "scope", None)
        if request.method in READING:
            scope = getattr(view, "reading_scope", scope)
        access.require_scope(request.user, scope)
        access.require(request.user, self.action)
        return True


class MayChat(Rule):
    """Everyone who may ask questions, guests included where they are let in."""

    action = "chat"


class IsMember(Rule):
    """Accounts of people; not guests."""

    action = "create_collection"


class IsAdministrator(Rule):
    """Those who look after the site and its models."""

    action = "administer"


def person_of(request: Request) -> User:
    """Who asks. A guest whom nothing was written for yet is known by the browser's session, and by its CSRF token."""
    if request.user.is_anonymous:
        BrowserAuthentication().enforce_csrf(request)
    return access.person_of(request)
