"""The addresses that a client of OpenAI's interface calls, under /v1/."""

from __future__ import annotations

from django.urls import path

from webapp.api.openai.views import (
    ChatCompletionsView,
    CompletionsView,
    EmbeddingsView,
    ModelsView,
    ModelView,
    UnknownView,
)

urlpatterns = [
    path("chat/completions", ChatCompletionsView.as_view(), name="openai-chat"),
    path("completions", CompletionsView.as_view(), name="openai-completions"),
    path("embeddings", EmbeddingsView.as_view(), name="openai-embeddings"),
    path("models", ModelsView.as_view(), name="openai-models"),
    path("models/<path:name>", ModelView.as_view(), name="openai-model"),
    path("<path:rest>", UnknownView.as_view(), name="openai-unknown"),
]
