"""The sockets of the knowledge pages."""

from __future__ import annotations

from django.urls import path

from webapp.knowledge.consumers import CollectionConsumer

websocket_urlpatterns: list = [
    path("ws/collections/<uuid:pk>/", CollectionConsumer.as_asgi()),
]
