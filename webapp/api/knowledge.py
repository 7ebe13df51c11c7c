"""/api/v1/collections/ and /api/v1/documents/."""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from webapp import access
from webapp.accounts.models import Scope, User
from webapp.api.idempotency import Idempotent
from webapp.api.permissions import READING, MayChat
from webapp.errors import BadInput
from webapp.knowledge import archives, services, sharing, texts
from webapp.knowledge.figures import with_figures
from webapp.knowledge.models import Collection, Document
from webapp.knowledge.serializers import (
    CollectionSerializer,
    DocumentSerializer,
    ShareSerializer,
    UnpackedSerializer,
    UploadSerializer,
)
from webapp.knowledge.web import services as web
from webapp.knowledge.web.serializers import WebImportSerializer
from webapp.limits import meter

UUID_PATTERN = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"


class CollectionViewSet(Idempotent, viewsets.ModelViewSet):
    permission_classes = [MayChat]
    scope = Scope.WRITE
    reading_scope = Scope.READ
    serializer_class = CollectionSerializer
    queryset = Collection.objects.none()
    lookup_value_regex = UUID_PATTERN
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]
    search_fields = ("name", "description")
    equal_fields = ("visibility",)
    ordering_fields = ("name", "created_at")

    def get_queryset(self) -> QuerySet[Collection]:
        user = self.request.user
        allowed = access.readable_collections if self.request.method in READING else access.managed_collections
        return with_figures(allowed(user), user)

    def perform_create(self, serializer: CollectionSerializer) -> None:
        access.require(self.request.user, "create_collection")
        made = services.create_collection(self.request.user, **serializer.validated_data)
        serializer.instance = with_figures(Collection.objects.filter(pk=made.pk), self.request.user).get()

    def perform_update(self, serializer: CollectionSerializer) -> None:
        services.change_collection(serializer.instance, **serializer.validated_data)

    def perform_destroy(self, collection: Collection) -> None:
        services.delete_collection(collection)

    @extend_schema(methods=["GET"], responses=ShareSerializer(many=True))
    @extend_schema(methods=["POST"], request=ShareSerializer, responses={201: ShareSerializer})
    @action(detail=True, methods=["get", "post"], filter_backends=[])
    def shares(self, request: Request, pk: str) -> Response:
        """Who is let in; POST lets in a user or a group, by name, or changes what they may do."""
        own = get_object_or_404(access.managed_collections(request.user), pk=pk)
        if request.method == "GET":
            page = self.paginate_queryset(own.shares.select_related("user", "group"))
            return self.get_paginated_response(ShareSerializer(page, many=True).data)
        wanted = ShareSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        whom = _whom(request, wanted.validated_data)
        made = sharing.share(own, whom, may_edit=wanted.validated_data.get("may_edit", False))
        return Response(ShareSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses={204: None}, parameters=[OpenApiParameter("share", int, "path")])
    @action(detail=True, methods=["delete"], url_path=r"shares/(?P<share>\d+)")
    def end_share(self, request: Request, pk: str, share: str) -> Response:
        """Let a person or a group in no longer."""
        own = get_object_or_404(access.managed_collections(request.user), pk=pk)
        sharing.end(get_object_or_404(own.shares.select_related("collection", "user", "group"), pk=share))
        return Response(status=status.HTTP_204_NO_CONTENT)


class DocumentViewSet(Idempotent, mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin,
                      viewsets.GenericViewSet):
    permission_classes = [MayChat]
    scope = Scope.WRITE
    reading_scope = Scope.READ
    serializer_class = DocumentSerializer
    queryset = Document.objects.none()
    lookup_value_regex = UUID_PATTERN
    parser_classes = [MultiPartParser]
    search_fields = ("title", "name")
    equal_fields = ("status", "media_type")
    ordering_fields = ("created_at", "updated_at", "title", "name", "size")

    def get_queryset(self) -> QuerySet[Document]:
        user = self.request.user
        if self.request.method not in READING:
            return access.editable_documents(user)
        documents = access.readable_documents(user)
        wanted = self.request.query_params.get("collection")
        return documents.filter(collection=readable_collection(user, wanted)) if wanted else documents

    @extend_schema(parameters=[OpenApiParameter("collection", OpenApiTypes.UUID)])
    def list(self, request: Request) -> Response:
        return super().list(request)

    @extend_schema(request={"multipart/form-data": UploadSerializer},
                   responses={202: DocumentSerializer, 200: DocumentSerializer})
    def create(self, request: Request) -> Response:
        """Hand in a file; it is read afterwards, as its `status` tells. 200 where the collection has it."""
        collection, file = _upload(request)
        document, duplicate = services.add_document(collection, file.name, file.chunks(), request.user)
        shown = DocumentSerializer(document, context={"duplicate": duplicate})
        return Response(shown.data, status=status.HTTP_200_OK if duplicate else status.HTTP_202_ACCEPTED)

    @extend_schema(request={"multipart/form-data": UploadSerializer}, responses={202: UnpackedSerializer})
    @action(detail=False, methods=["post"])
    def archive(self, request: Request) -> Response:
        """Add each file of a ZIP; what cannot become a document is told and does not keep the others out."""
        collection, file = _upload(request)
        unpacked = archives.add_archive(collection, file.name, file.chunks(), request.user)
        return Response(UnpackedSerializer(unpacked).data, status=status.HTTP_202_ACCEPTED)

    def perform_destroy(self, document: Document) -> None:
        services.delete_document(document)

    @extend_schema(
        parameters=[OpenApiParameter("start", int), OpenApiParameter("end", int)], responses=OpenApiTypes.OBJECT
    )
    @action(detail=True)
    def text(self, request: Request, pk: str) -> Response:
        """Characters `start` to `end` of the stored text; all of it unless they are given."""
        start, end = (_whole_number(request, name) for name in ("start", "end"))
        piece = texts.piece(self.get_object(), start or 0, end)
        return Response({"id": pk, "start": piece.start, "end": piece.end, "text": piece.text})

    @extend_schema(request=None, responses={202: DocumentSerializer})
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        """Read a document once more that could not be read."""
        document = services.retry(self.get_object())
        return Response(DocumentSerializer(document).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(request=None, responses={202: WebImportSerializer})
    @action(detail=True, methods=["post"])
    def refresh(self, request: Request, pk: str) -> Response:
        """Fetch a document anew that came from the web; other content becomes its next version."""
        document = self.get_object()
        meter.start_jobs(request.user)
        made = web.refresh(document, request.user)
        return Response(WebImportSerializer(made).data, status=status.HTTP_202_ACCEPTED)


def _whom(request: Request, wanted: dict) -> User | Group:
    """The person or group that is named, exactly one of them."""
    username, group = (wanted.get(kind, {}).get(name) for kind, name in (("user", "username"), ("group", "name")))
    if bool(username) == bool(group):
        raise BadInput("Give user or group, and not both.", "user")
    if username:
        return sharing.person_called(username)
    found = access.groups_to_share_with(request.user).filter(name=group).first()
    if found is None:
        raise BadInput("You belong to no group of this name.", "group")
    return found


def _upload(request: Request) -> tuple[Collection, UploadedFile]:
    access.require(request.user, "create_collection")
    upload = UploadSerializer(data=request.data)
    upload.is_valid(raise_exception=True)
    allowed = access.editable_collections(request.user)
    collection = get_object_or_404(allowed, pk=upload.validated_data["collection"])
    meter.start_jobs(request.user)
    return collection, upload.validated_data["file"]


def readable_collection(user, identifier: str) -> Collection:
    """The one that an address' ?collection= names. Raises BadInput or Http404."""
    try:
        return get_object_or_404(access.readable_collections(user), pk=identifier)
    except (ValueError, ValidationError):
        raise BadInput("collection must be a collection's id.", "collection") from None


def _whole_number(request: Request, name: str) -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit():
        raise BadInput(f"{name} must be a whole number of characters.", name)
    return int(text)
