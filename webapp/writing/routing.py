"""The sockets of the summarizing and translating pages."""

from __future__ import annotations

from django.urls import path

from webapp.writing.translation_consumers import TranslateConsumer

websocket_urlpatterns = [path("ws/translate/", TranslateConsumer.as_asgi())]
