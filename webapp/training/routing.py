"""The socket of the dashboard."""

from __future__ import annotations

from django.urls import path

from webapp.training.consumers import JobConsumer

websocket_urlpatterns: list = [
    path("ws/jobs/<uuid:pk>/", JobConsumer.as_asgi()),
]
