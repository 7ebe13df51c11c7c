"""The sockets of the knowledge pages."""

from __future__ import annotations

websocket_urlpatterns: list = []
