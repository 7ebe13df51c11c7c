"""The chat page's socket."""

from __future__ import annotations

from django.urls import path

from webapp.chat.consumers import ChatConsumer

websocket_urlpatterns = [path("ws/chat/", ChatConsumer.as_asgi())]
