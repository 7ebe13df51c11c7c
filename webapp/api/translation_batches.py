"""/api/v1/translation-batches/ and /api/v1/translation-files/: files that are translated as jobs."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from webapp import access
from webapp.accounts.models import Scope
from webapp.api.idempotency import Idempotent
from webapp.api.knowledge import UUID_PATTERN
from webapp.api.permissions import MayChat, person_of
from webapp.writing import translation_batches
from webapp.writing.models import TranslationBatch, TranslationFile
from webapp.writing.translation_serializers import (
    NewBatchSerializer,
    TranslationBatchSerializer,
    TranslationFileSerializer,
)


class TranslationBatchViewSet(Idempotent, mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin,
                              viewsets.GenericViewSet):
    """Hand files in, follow how far they are, delete them with their translations."""

    permission_classes = [MayChat]
    scope = Scope.WRITING
    serializer_class = TranslationBatchSerializer
    queryset = TranslationBatch.objects.none()
    lookup_value_regex = UUID_PATTERN
    parser_classes = [MultiPartParser]
    equal_fields = ("source", "target")
    ordering_fields = ("created_at",)

    def get_queryset(self) -> QuerySet[TranslationBatch]:
        return access.own_translation_batches(self.request.user).prefetch_related("files")

    @extend_schema(request={"multipart/form-data": NewBatchSerializer}, responses={202: TranslationBatchSerializer})
    def create(self, request: Request) -> Response:
        wanted = NewBatchSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        values = wanted.validated_data
        files = [(file.name, file.chunks()) for file in values["files"]]
        batch = translation_batches.create(person_of(request), files, values["source"], values["target"])
        return Response(TranslationBatchSerializer(batch).data, status=status.HTTP_202_ACCEPTED)

    def perform_destroy(self, batch: TranslationBatch) -> None:
        translation_batches.delete(batch)


class TranslationFileViewSet(Idempotent, mixins.RetrieveModelMixin, mixins.DestroyModelMixin,
                             viewsets.GenericViewSet):
    permission_classes = [MayChat]
    scope = Scope.WRITING
    serializer_class = TranslationFileSerializer
    queryset = TranslationFile.objects.none()
    lookup_value_regex = UUID_PATTERN

    def get_queryset(self) -> QuerySet[TranslationFile]:
        return access.own_translation_files(self.request.user).select_related("batch")

    def perform_destroy(self, file: TranslationFile) -> None:
        translation_batches.delete_file(file)

    @extend_schema(request=None, responses=TranslationFileSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop a file that is not done."""
        return Response(TranslationFileSerializer(translation_batches.cancel(self.get_object())).data)

    @extend_schema(request=None, responses={202: TranslationFileSerializer})
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        """Translate a file once more that failed or was cancelled."""
        file = translation_batches.retry(self.get_object())
        return Response(TranslationFileSerializer(file).data, status=status.HTTP_202_ACCEPTED)
