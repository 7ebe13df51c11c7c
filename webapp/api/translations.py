"""POST /api/v1/translate, GET /api/v1/languages, and what is kept: history and glossary."""

from __future__ import annotations

import asyncio
from typing import Any

from asgiref.sync import async_to_sync
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from models_service.protocol_translated_text import MAX_INTERACTIVE_CHARACTERS, TranslateTextDone
from qa.writing.routes import reachable
from webapp import access
from webapp.accounts.models import Scope
from webapp.api.counting import stranger_of
from webapp.api.event_stream import EVENT_STREAM, EventStreamRenderer, described, streamed
from webapp.api.idempotency import Idempotent
from webapp.api.permissions import IsMember, MayChat
from webapp.errors import BadInput
from webapp.limits.slots import Slot
from webapp.writing import glossary_terms, translating, translation_export
from webapp.writing.language_names import language_name
from webapp.writing.models import GlossaryTerm, Translation
from webapp.writing.translation_serializers import GlossaryTermSerializer, TranslationSerializer

MOST_TEXTS = 200
MOST_CHARACTERS = 100_000
"""Of all texts of one call."""
TEXTS_AT_ONCE = 4


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})
class TextsField(serializers.Field):
    """One text, or a list of them."""

    def to_internal_value(self, data: Any) -> str | list[str]:
        if isinstance(data, str):
            return data
        if isinstance(data, list) and data and len(data) <= MOST_TEXTS and all(isinstance(one, str) for one in data):
            return data
        raise serializers.ValidationError(f"Write one text, or a list of 1 to {MOST_TEXTS} texts.")

    def to_representation(self, value: Any) -> Any:
        return value


class TranslateSerializer(serializers.Serializer):
    text = TextsField(help_text="one text, or a list of texts")
    source = serializers.CharField(default="auto", max_length=16, help_text="ISO 639-1, or auto")
    target = serializers.CharField(max_length=16, help_text="ISO 639-1")
    format = serializers.ChoiceField(["text", "markdown", "html"], default="text")
    alternatives = serializers.IntegerField(default=0, min_value=0, max_value=4)
    stream = serializers.BooleanField(default=False, help_text="one text as text/event-stream, event by event")


def client_of(request: Request) -> str:
    """Who asks, for fair queues: a user's number, or the address of someone without an account."""
    return f"user-{request.user.pk}" if request.user.is_authenticated else stranger_of(request)


def check_together(texts: list[str]) -> None:
    """BadInput when they are too much for one call."""
    if sum(map(len, texts)) > MOST_CHARACTERS:
        raise BadInput(f"All texts together may have at most {MOST_CHARACTERS:,} characters.", "text")


def translate_texts(request: Request, texts: list[str], **options: Any) -> list[TranslateTextDone]:
    """Each of the texts, a few at once; SiteError for the first that fails."""
    check_together(texts)
    checked = [translating.check_text(text) for text in texts]
    client = client_of(request)

    slot = Slot(request.user, client)

    async def all_of_them() -> list[TranslateTextDone]:
        window = asyncio.Semaphore(TEXTS_AT_ONCE)

        async def one(text: str) -> TranslateTextDone:
            async with window:
                return await translating.whole(request.user, text, client=client, **options)

        async with slot, asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(text)) for text in checked]
        return [task.result() for task in tasks]

    with translating.turn(client):
        slot.take()
        try:
            return async_to_sync(all_of_them)()
        except ExceptionGroup as group:
            raise group.exceptions[0] from None


class TranslateView(Idempotent, APIView):
    permission_classes = [MayChat]
    scope = Scope.WRITING
    uses_tokens = True
    renderer_classes = [JSONRenderer, EventStreamRenderer]

    @extend_schema(request=TranslateSerializer, responses={
        (200, "application/json"): TranslateTextDone,
        (200, EVENT_STREAM): described("`start`, `delta` and last `done` or `error`", "translated_text_event"),
    })
    def post(self, request: Request) -> HttpResponseBase:
        """Translate a text, or several. For a list, `translation` and `detected` are lists and `results` holds each
        text's whole result."""
        asked = TranslateSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        options = dict(asked.validated_data)
        text, streams = options.pop("text"), options.pop("stream")
        if streams:
            if not isinstance(text, str):
                raise BadInput("Only one text can be streamed at a time.", "text")
            client = client_of(request)
            events = translating.events(request.user, translating.check_text(text), client=client, **options)
            return streamed(events, Slot(request.user, client).take())
        if isinstance(text, str):
            (done,) = translate_texts(request, [text], **options)
            return Response(done.model_dump(exclude={"type"}))
        results = [done.model_dump(exclude={"type"}) for done in translate_texts(request, text, **options)]
        return Response({
            "translation": [result["translation"] for result in results],
            "detected": [result["detected"] for result in results],
            "results": results,
        })


class LanguagesView(APIView):
    permission_classes = [MayChat]
    scope = Scope.WRITING

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """The languages, from which to which the installed models translate, and how well that was measured."""
        pairs = async_to_sync(translating.pairs)()
        targets = reachable(pairs)
        codes = sorted({code for pair in pairs for code in (pair.source, pair.target)})
        direct = {(pair.source, pair.target) for pair in pairs}
        return Response({
            "languages": [{"code": code, "name": language_name(code), "targets": targets.get(code, [])}
                          for code in codes],
            "pairs": [{"source": pair.source, "target": pair.target, "model": pair.model, "figures": pair.figures}
                      for pair in pairs],
            "through_english": [{"source": source, "target": target} for source, found in targets.items()
                                for target in found if (source, target) not in direct],
            "limit": MAX_INTERACTIVE_CHARACTERS,
        })


class TranslationViewSet(mixins.ListModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet):
    """One's own history, the latest first."""

    permission_classes = [IsMember]
    scope = Scope.WRITING
    serializer_class = TranslationSerializer
    queryset = Translation.objects.none()
    lookup_value_regex = r"\d+"
    search_fields = ("text", "translation")
    equal_fields = ("source", "target")
    ordering_fields = ("created_at",)

    def get_queryset(self) -> QuerySet[Translation]:
        return access.own_translations(self.request.user)

    @extend_schema(
        parameters=[OpenApiParameter("as", str, enum=sorted(translation_export.FORMATS), default="json")],
        responses={(200, "application/json"): TranslationSerializer(many=True),
                   (200, translation_export.FORMATS["tmx"][1]): OpenApiTypes.BINARY},
    )
    @action(detail=False, pagination_class=None)
    def export(self, request: Request) -> HttpResponse:
        """The history, or what `search` finds of it, as a JSON or TMX file."""
        ending = request.query_params.get("as", "json")
        if ending not in translation_export.FORMATS:
            raise BadInput(f"as must be one of: {', '.join(translation_export.FORMATS)}.", "as")
        write, media_type = translation_export.FORMATS[ending]
        name = content_disposition_header(True, f"translations.{ending}")
        return HttpResponse(write(self.filter_queryset(self.get_queryset())), content_type=media_type,
                            headers={"Content-Disposition": name})

    @extend_schema(request=None, responses={204: None})
    @action(detail=False, methods=["post"])
    def clear(self, request: Request) -> Response:
        """Delete all of one's own history."""
        self.get_queryset().delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


class GlossaryViewSet(Idempotent, mixins.ListModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet):
    """The terms that hold for the caller. `site` ones hold for everyone, and only administrators change them."""

    permission_classes = [IsMember]
    scope = Scope.WRITING
    serializer_class = GlossaryTermSerializer
    queryset = GlossaryTerm.objects.none()
    lookup_value_regex = r"\d+"
    search_fields = ("source", "target")
    equal_fields = ("source_language", "target_language")
    ordering_fields = ("source", "target", "hits", "created_at")

    def get_queryset(self) -> QuerySet[GlossaryTerm]:
        reading = self.request.method in ("GET", "HEAD", "OPTIONS")
        return (access.glossary_terms if reading else access.editable_glossary_terms)(self.request.user)

    def create(self, request: Request) -> Response:
        wanted = GlossaryTermSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        values = dict(wanted.validated_data)
        is_sites = values.pop("owner", False)
        if is_sites:
            access.require(request.user, "administer")
        term = glossary_terms.add(None if is_sites else request.user, **values)
        return Response(GlossaryTermSerializer(term).data, status=status.HTTP_201_CREATED)
