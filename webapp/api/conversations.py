"""/api/v1/conversations/ and /api/v1/feedback/: one's own only."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webapp.accounts.models import Scope
from webapp.api.knowledge import UUID_PATTERN
from webapp.api.permissions import MayChat
from webapp.chat import export, services
from webapp.chat.models import Conversation
from webapp.chat.serializers import ConversationDetailSerializer, ConversationSerializer, FeedbackSerializer
from webapp.errors import BadInput

EXPORTS = {
    "markdown": (export.as_markdown, "text/markdown; charset=utf-8", "md"),
    "json": (export.as_json, "application/json", "json"),
}


class ConversationViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.UpdateModelMixin, mixins.DestroyModelMixin,
    viewsets.GenericViewSet,
):
    permission_classes = [MayChat]
    scope = Scope.ANSWERS
    queryset = Conversation.objects.none()
    lookup_value_regex = UUID_PATTERN
    http_method_names = ["get", "patch", "delete", "head", "options"]
    searched = staticmethod(services.holding)
    ordering_fields = ("updated_at", "created_at", "title")

    def get_queryset(self) -> QuerySet[Conversation]:
        found = services.conversations(self.request.user).prefetch_related("collections")
        return found if self.action == "list" else found.prefetch_related("messages__feedback")

    def get_serializer_class(self) -> type[ConversationSerializer]:
        return ConversationDetailSerializer if self.action == "retrieve" else ConversationSerializer

    def perform_update(self, serializer: ConversationSerializer) -> None:
        if "title" in serializer.validated_data:
            services.rename(serializer.instance, serializer.validated_data["title"])

    def perform_destroy(self, conversation: Conversation) -> None:
        services.delete(conversation)

    @extend_schema(
        parameters=[OpenApiParameter("as", str, enum=sorted(EXPORTS), default="markdown")],
        responses={(200, "text/markdown"): OpenApiTypes.BINARY,
                   (200, "application/json"): ConversationDetailSerializer},
    )
    @action(detail=True)
    def export(self, request: Request, pk: str) -> HttpResponse:
        """The conversation as a file."""
        wanted = request.query_params.get("as", "markdown")
        if wanted not in EXPORTS:
            raise BadInput(f"as must be one of: {', '.join(EXPORTS)}.", "as")
        write, media_type, ending = EXPORTS[wanted]
        conversation = self.get_object()
        name = content_disposition_header(True, export.file_name(conversation, ending))
        return HttpResponse(write(conversation), content_type=media_type, headers={"Content-Disposition": name})


class FeedbackView(APIView):
    permission_classes = [MayChat]
    scope = Scope.ANSWERS

    @extend_schema(request=FeedbackSerializer, responses={200: FeedbackSerializer})
    def post(self, request: Request) -> Response:
        """Thumbs up or down on one of your answers; the last one counts."""
        given = FeedbackSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        values = given.validated_data
        feedback = services.give_feedback(request.user, values["message_id"], values["helpful"], values["note"])
        return Response(FeedbackSerializer(feedback).data, status=status.HTTP_200_OK)
