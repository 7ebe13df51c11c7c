"""The addresses of the REST interface, under /api/."""

from __future__ import annotations

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from webapp.api.ask import AskView
from webapp.api.conversations import ConversationViewSet, FeedbackView
from webapp.api.description import DocsView, ProtocolView, SchemaView
from webapp.api.keys import ApiKeyViewSet
from webapp.api.knowledge import CollectionViewSet, DocumentViewSet

router = SimpleRouter()
router.register("collections", CollectionViewSet, basename="api-collection")
router.register("documents", DocumentViewSet, basename="api-document")
router.register("keys", ApiKeyViewSet, basename="api-key")
router.register("conversations", ConversationViewSet, basename="api-conversation")

urlpatterns = [
    path("v1/", include(router.urls)),
    path("v1/qa/ask", AskView.as_view(), name="api-ask"),
    path("v1/feedback/", FeedbackView.as_view(), name="api-feedback"),
    path("v1/protocol", ProtocolView.as_view(), name="api-protocol"),
    path("v1/schema", SchemaView.as_view(), name="api-schema"),
    path("v1/docs", DocsView.as_view(url_name="api-schema"), name="api-docs"),
]
