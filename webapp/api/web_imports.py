"""/api/v1/web-imports/: pages and sitemaps that are fetched into a collection as jobs."""

from __future__ import annotations

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from webapp import access
from webapp.accounts.models import Scope
from webapp.api.idempotency import Idempotent
from webapp.api.knowledge import UUID_PATTERN, readable_collection
from webapp.api.permissions import MayChat
from webapp.knowledge.web import services
from webapp.knowledge.web.models import WebImport
from webapp.knowledge.web.serializers import NewImportSerializer, WebImportSerializer
from webapp.limits import meter


class WebImportViewSet(Idempotent, mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin,
                       viewsets.GenericViewSet):
    """Ask for a page or a sitemap, follow how far it is. Deleting an import leaves its documents."""

    permission_classes = [MayChat]
    scope = Scope.WRITE
    reading_scope = Scope.READ
    serializer_class = WebImportSerializer
    queryset = WebImport.objects.none()
    search_fields = ("address",)
    equal_fields = ("status",)
    ordering_fields = ("created_at", "status")
    lookup_value_regex = UUID_PATTERN

    def get_queryset(self) -> QuerySet[WebImport]:
        imports = access.web_imports(self.request.user).prefetch_related("addresses")
        wanted = self.request.query_params.get("collection")
        return imports.filter(collection=readable_collection(self.request.user, wanted)) if wanted else imports

    @extend_schema(parameters=[OpenApiParameter("collection", OpenApiTypes.UUID)])
    def list(self, request: Request) -> Response:
        return super().list(request)

    @extend_schema(request=NewImportSerializer, responses={202: WebImportSerializer})
    def create(self, request: Request) -> Response:
        access.require(request.user, "create_collection")
        wanted = NewImportSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        values = wanted.validated_data
        collection = get_object_or_404(access.editable_collections(request.user), pk=values["collection"])
        meter.start_jobs(request.user)
        made = services.ask_for(collection, values["url"], request.user, is_sitemap=values["sitemap"])
        return Response(WebImportSerializer(made).data, status=status.HTTP_202_ACCEPTED)

    def perform_destroy(self, web_import: WebImport) -> None:
        services.forget(web_import)

    @extend_schema(request=None, responses=WebImportSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Fetch no more of it; what has become documents stays."""
        return Response(WebImportSerializer(services.cancel(self.get_object())).data)

    @extend_schema(request=None, responses={202: WebImportSerializer})
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        """Fetch what failed, or was not reached before it was cancelled."""
        web_import = self.get_object()
        meter.start_jobs(request.user)
        return Response(WebImportSerializer(services.retry(web_import)).data, status=status.HTTP_202_ACCEPTED)
