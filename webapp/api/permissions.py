"""Who may call a REST view at all; `webapp/access.py` decides, and its querysets say on what."""

from __future__ import annotations

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from webapp import access


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
