"""The sockets of the summarizing and translating pages."""

from __future__ import annotations

websocket_urlpatterns: list = []
