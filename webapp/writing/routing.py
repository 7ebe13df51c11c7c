"""The sockets of the summarizing and translating pages."""

from __future__ import annotations

from django.urls import path

from webapp.writing.summary_consumers import SummarizeConsumer
from webapp.writing.translation_consumers import TranslateConsumer

websocket_urlpatterns = [
    path("ws/summarize/", SummarizeConsumer.as_asgi()),
    path("ws/translate/", TranslateConsumer.as_asgi()),
]
