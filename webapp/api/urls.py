"""The addresses of the REST interface, under /api/."""

from __future__ import annotations

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from webapp.api.keys import ApiKeyViewSet
from webapp.api.knowledge import CollectionViewSet, DocumentViewSet

router = SimpleRouter()
router.register("collections", CollectionViewSet, basename="api-collection")
router.register("documents", DocumentViewSet, basename="api-document")
router.register("keys", ApiKeyViewSet, basename="api-key")

urlpatterns = [
    path("v1/", include(router.urls)),
]
