"""/api/v1/summarize: a text to its summary, nothing saved. /api/v1/summaries/: the texts that the page works on."""

from __future__ import annotations

from asgiref.sync import async_to_sync
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from models_service.protocol_summarized_text import SummaryDone
from qa.structure import NOTHING_KNOWN
from webapp import access
from webapp.accounts.models import Scope
from webapp.api.ask import whole
from webapp.api.event_stream import EVENT_STREAM, EventStreamRenderer, described, streamed
from webapp.api.idempotency import Idempotent
from webapp.api.json_bodies import JSONBody
from webapp.api.knowledge import UUID_PATTERN
from webapp.api.permissions import MayChat, person_of
from webapp.limits.slots import Slot
from webapp.writing import summaries, summarizing, summary_export, summary_texts
from webapp.writing.summarizing import Wanted
from webapp.writing.summary_models import SummarizedText
from webapp.writing.summary_serializers import (
    HandInSerializer,
    SourceTextSerializer,
    SummarizedTextDetailSerializer,
    SummarizedTextSerializer,
    SummarizeSerializer,
)


class SummarizeView(Idempotent, APIView):
    permission_classes = [MayChat]
    scope = Scope.WRITING
    uses_tokens = True
    renderer_classes = [JSONRenderer, EventStreamRenderer]

    @extend_schema(request=SummarizeSerializer, responses={
        (200, "application/json"): SummaryDone,
        (200, EVENT_STREAM): described("`start`, `progress`, `delta` and last `done` or `error`", "summary_event"),
    })
    def post(self, request: Request) -> HttpResponseBase:
        """Summarize a text, or a document that you may read; every quoted sentence with its exact place."""
        asked = SummarizeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        values = asked.validated_data
        user = person_of(request)
        wanted = Wanted(
            values["length"], values["style"], summarizing.method_for(values.get("method"), values["style"]),
            summarizing.check_language(values.get("language", "")),
        )
        text, structure = values.get("text", "").replace("\x00", ""), NOTHING_KNOWN
        if "document" in values:
            text, structure = summaries.text_of_document(user, values["document"])
        summarizing.check(text, "document" if "document" in values else "text")
        events = summarizing.events(user, text, wanted, structure=structure)
        slot = Slot(user).take()
        if values["stream"]:
            return streamed(events, slot)
        return Response(async_to_sync(whole)(events, slot).model_dump(exclude={"type"}))


class SummarizedTextViewSet(
    Idempotent, mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet
):
    permission_classes = [MayChat]
    scope = Scope.WRITING
    queryset = SummarizedText.objects.none()
    lookup_value_regex = UUID_PATTERN
    search_fields = ("title", "name")
    ordering_fields = ("updated_at", "created_at", "title", "words")
    parser_classes = [MultiPartParser, JSONBody]

    def get_queryset(self) -> QuerySet[SummarizedText]:
        found = access.own_summarized_texts(self.request.user)
        return found if self.action == "list" else found.prefetch_related("summaries")

    def get_serializer_class(self) -> type[SummarizedTextSerializer]:
        return SummarizedTextDetailSerializer if self.action == "retrieve" else SummarizedTextSerializer

    @extend_schema(request={"multipart/form-data": HandInSerializer, "application/json": HandInSerializer},
                   responses={201: SummarizedTextSerializer})
    def create(self, request: Request) -> Response:
        """Hand in a text: a file, or a document of a collection. It is summarized over /ws/summarize/."""
        given = HandInSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        values = given.validated_data
        user = person_of(request)
        if "document" in values:
            source = summaries.add_document(user, values["document"])
        else:
            file = values["file"]
            source = summaries.add_file(user, file.name, file.chunks(), values.get("title", ""))
        return Response(SummarizedTextSerializer(source).data, status=status.HTTP_201_CREATED)

    def perform_destroy(self, source: SummarizedText) -> None:
        summaries.delete(source)

    @extend_schema(responses=SourceTextSerializer)
    @action(detail=True)
    def text(self, request: Request, pk: str) -> Response:
        """The text with its pages and headings, to show where summary sentences stand."""
        text, structure = summary_texts.read(self.get_object(), request.user)
        headings = [[heading.start, heading.level, heading.title] for heading in structure.headings]
        return Response({"text": text, "pages": list(structure.pages), "headings": headings})

    @extend_schema(responses={(200, "text/markdown"): OpenApiTypes.BINARY})
    @action(detail=True)
    def export(self, request: Request, pk: str) -> HttpResponse:
        """All finished summaries of the text as a Markdown file."""
        source = self.get_object()
        name = content_disposition_header(True, summary_export.file_name(source))
        return HttpResponse(summary_export.as_markdown(source), content_type="text/markdown; charset=utf-8",
                            headers={"Content-Disposition": name})
