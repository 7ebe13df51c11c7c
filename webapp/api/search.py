"""POST /api/v1/search, the ranked passages without an answer; /api/v1/search/marks/, what people said of them."""

from __future__ import annotations

import tempfile
import time

from asgiref.sync import async_to_sync
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webapp import access
from webapp.accounts.models import Scope
from webapp.api.permissions import IsMember, MayChat, person_of
from webapp.chat import answering
from webapp.errors import BadInput
from webapp.retrieval import marking, searching
from webapp.retrieval.models import Mark
from webapp.retrieval.serializers import (
    MarkSerializer,
    SearchResultsSerializer,
    SearchSerializer,
    shown,
)
from webapp.streamed_file import StreamedFile

_IN_MEMORY = 16_000_000
FORMS = {"beir": (marking.write_evaluation_set, "application/zip", "evaluation-set.zip"),
         "pairs": (marking.write_pairs, "application/jsonl", "training-pairs.jsonl")}


class SearchView(APIView):
    permission_classes = [MayChat]
    scope = Scope.READ

    @extend_schema(request=SearchSerializer, responses=SearchResultsSerializer)
    def post(self, request: Request) -> Response:
        """The passages that a question finds, best first, with every score; near-duplicates are folded into one."""
        asked = SearchSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        user = person_of(request)
        question = answering.check_question(asked.validated_data["question"])
        began = time.monotonic()
        found = async_to_sync(searching.find)(user, question, asked.filters(), asked.validated_data["k"])
        editable = {str(pk) for pk in access.editable_collections(user).values_list("pk", flat=True)}
        said = {(str(mark.document_id), mark.start, mark.end): mark.is_right
                for mark in access.editable_marks(user).filter(question=question)}
        results = [
            shown(each, said.get((each.citation.document, each.citation.start, each.citation.end)),
                  each.result.retrieved.collection in editable)
            for each in found
        ]
        return Response({"question": question, "results": results, "seconds": round(time.monotonic() - began, 3)})


class MarksView(mixins.ListModelMixin, GenericAPIView):
    permission_classes = [IsMember]
    scope = Scope.WRITE
    reading_scope = Scope.READ
    serializer_class = MarkSerializer
    queryset = Mark.objects.none()
    detail = False
    search_fields = ("question",)
    ordering_fields = ("question", "updated_at")

    def get_queryset(self) -> QuerySet[Mark]:
        return access.editable_marks(self.request.user)

    def get(self, request: Request) -> Response:
        """The marks in collections that you may edit."""
        return self.list(request)

    @extend_schema(request=MarkSerializer, responses=MarkSerializer)
    def post(self, request: Request) -> Response:
        """Say whether a passage is the right one for a question."""
        sent = MarkSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        values = sent.validated_data
        document = get_object_or_404(access.editable_documents(request.user), pk=values["document_id"])
        question = answering.check_question(values["question"])
        marking.mark(request.user, document, question, values["start"], values["end"], values["is_right"])
        return Response({**sent.data, "question": question})


class MarksExportView(APIView):
    permission_classes = [IsMember]
    scope = Scope.READ

    @extend_schema(
        parameters=[OpenApiParameter("form", enum=list(FORMS), default="beir", description="beir: a BEIR folder in a "
                                     "ZIP file, for `evaluate retrieval`; pairs: JSON lines to train an encoder on")],
        responses={(200, media_type): OpenApiTypes.BINARY for _, media_type, _ in FORMS.values()},
    )
    def get(self, request: Request) -> StreamedFile:
        """The marks in collections that you may edit, as a data set."""
        form = request.query_params.get("form", "beir")
        if form not in FORMS:
            raise BadInput(f"form must be one of: {', '.join(FORMS)}.", "form")
        write, content_type, name = FORMS[form]
        out = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 (the response closes it)
        try:
            write(access.editable_marks(request.user), out)
        except BaseException:
            out.close()
            raise
        out.seek(0)
        return StreamedFile(out, as_attachment=True, filename=name, content_type=content_type)
