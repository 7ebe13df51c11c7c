"""/api/v1/graph/: the knowledge graph's files, its things, and SPARQL over it."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webapp import access
from webapp.accounts.models import Scope
from webapp.api.idempotency import Idempotent
from webapp.api.knowledge import UUID_PATTERN
from webapp.api.permissions import IsAdministrator, MayChat
from webapp.errors import BadInput
from webapp.graph import browsing, querying, services
from webapp.graph.models import GraphSource
from webapp.graph.serializers import (
    FoundEntitiesSerializer,
    GraphCountsSerializer,
    GraphEntitySerializer,
    GraphSourceSerializer,
    GraphUploadSerializer,
    QueryResultSerializer,
    QuerySerializer,
    entity_json,
    found_json,
)
from webapp.limits import meter

PAGE = OpenApiParameter("page", int, description=f"from 1; a page has {browsing.A_PAGE} of them")


class GraphSourceViewSet(Idempotent, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """The files that the graph is made of. Administrators only."""

    permission_classes = [IsAdministrator]
    scope = Scope.WRITE
    reading_scope = Scope.READ
    serializer_class = GraphSourceSerializer
    queryset = GraphSource.objects.none()
    search_fields = ("name",)
    equal_fields = ("status",)
    ordering_fields = ("created_at", "name", "triples")
    lookup_value_regex = UUID_PATTERN
    parser_classes = [MultiPartParser]

    def get_queryset(self) -> QuerySet[GraphSource]:
        return access.graph_sources(self.request.user).select_related("added_by")

    @extend_schema(request={"multipart/form-data": GraphUploadSerializer}, responses={202: GraphSourceSerializer})
    def create(self, request: Request) -> Response:
        """Import a file; ask for it again to see how far it is. It takes the place of what was imported under its
        name before. A file that is there already (200) is recognised by its content."""
        upload = GraphUploadSerializer(data=request.data)
        upload.is_valid(raise_exception=True)
        meter.start_jobs(request.user)
        file = upload.validated_data["file"]
        source, duplicate = services.add(file.name, file.chunks(), request.user)
        shown = GraphSourceSerializer(source, context={"duplicate": duplicate})
        return Response(shown.data, status=status.HTTP_200_OK if duplicate else status.HTTP_202_ACCEPTED)

    @extend_schema(responses={202: GraphSourceSerializer})
    def destroy(self, request: Request, pk: str) -> Response:
        """Take what the file states out of the graph; once that is done, it is gone from here, too."""
        return _accepted(services.remove(self.get_object()))

    @extend_schema(request=None, responses={202: GraphSourceSerializer})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop an import; the graph stays as it was."""
        return _accepted(services.cancel(self.get_object()))

    @extend_schema(request=None, responses={202: GraphSourceSerializer})
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        """Import a file once more that failed or was cancelled."""
        return _accepted(services.retry(self.get_object()))


class GraphCountsView(APIView):
    permission_classes = [MayChat]
    scope = Scope.READ

    @extend_schema(responses=GraphCountsSerializer)
    def get(self, request: Request) -> Response:
        """How much is in the graph."""
        return Response(GraphCountsSerializer(browsing.counts()).data)


class EntitiesView(APIView):
    permission_classes = [MayChat]
    scope = Scope.READ

    @extend_schema(parameters=[OpenApiParameter("q", str, required=True), PAGE], responses=FoundEntitiesSerializer)
    def get(self, request: Request) -> Response:
        """Things whose names begin with or hold `q`, the best first."""
        text = request.query_params.get("q", "")
        if not text.strip():
            raise BadInput("q must say what to look for.", "q")
        return Response(found_json(browsing.find(text, page_number(request.query_params.get("page"), "page"))))


class EntityView(APIView):
    permission_classes = [MayChat]
    scope = Scope.READ

    @extend_schema(
        parameters=[OpenApiParameter("iri", OpenApiTypes.URI, required=True), PAGE,
                    OpenApiParameter("incoming_page", int)],
        responses=GraphEntitySerializer,
    )
    def get(self, request: Request) -> Response:
        """A thing, by its address: names, kinds, a page of what is said of it, and one of what leads to it."""
        given = request.query_params
        numbers = [page_number(given.get(name), name) for name in ("page", "incoming_page")]
        return Response(entity_json(browsing.entity(given.get("iri", ""), *numbers)))


class SparqlView(APIView):
    """Administrators only: a query may take ten seconds of a processor."""

    permission_classes = [IsAdministrator]
    scope = Scope.READ

    @extend_schema(request=QuerySerializer, responses=QueryResultSerializer)
    def post(self, request: Request) -> HttpResponse:
        """The first 1,000 rows of a query over all files together; GRAPH and FROM choose among them. Read only; what
        takes longer than 10 seconds is stopped."""
        asked = QuerySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        result = querying.ask(asked.validated_data["query"])
        if asked.validated_data["form"] == "csv":
            return HttpResponse(querying.as_csv(result), content_type="text/csv; charset=utf-8")
        return Response(querying.as_json(result))


def page_number(given: str | None, field: str) -> int:
    """From 1; BadInput when it is none or beyond what can be shown."""
    text = given or "1"
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= browsing.MOST_PAGES):
        raise BadInput(f"{field} must be a number from 1 to {browsing.MOST_PAGES}.", field)
    return int(text)


def _accepted(source: GraphSource) -> Response:
    return Response(GraphSourceSerializer(source).data, status=status.HTTP_202_ACCEPTED)
