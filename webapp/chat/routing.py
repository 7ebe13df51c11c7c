"""The chat page's socket."""

from __future__ import annotations

websocket_urlpatterns: list = []
