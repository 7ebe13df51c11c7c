"""Who may call a REST view at all; `webapp/access.py` decides, and its querysets say on what."""

from __future__ import annotations

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from webapp import access
from webapp.accounts.authentication import BrowserAuthentication
from webapp.accounts.models import User


class MayChat(BasePermission):
    """Everyone who may ask questions, guests included where they are let in."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        access.require(request.user, "chat")
        return True


class IsMember(BasePermission):
    """Accounts of people; not guests."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        access.require(request.user, "create_collection")
        return True


class IsAdministrator(BasePermission):
    """Those who look after the site and its models."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        access.require(request.user, "administer")
        return True


def person_of(request: Request) -> User:
    """Who asks. A guest whom nothing was written for yet is known by the browser's session, and by its CSRF token."""
    if request.user.is_anonymous:
        BrowserAuthentication().enforce_csrf(request)
    return access.person_of(request)
