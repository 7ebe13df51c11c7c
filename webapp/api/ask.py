"""POST /api/v1/qa/ask: one question, one answer, nothing saved. The chat's conversations are on its socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from asgiref.sync import async_to_sync
from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from pydantic import BaseModel
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from models_service.protocol import AnswerDone, AnswerError
from webapp.accounts.models import Scope
from webapp.api.event_stream import EVENT_STREAM, EventStreamRenderer, described, streamed
from webapp.api.idempotency import Idempotent
from webapp.api.permissions import MayChat, person_of
from webapp.chat import answering
from webapp.errors import SiteError
from webapp.limits.slots import Slot

STATUS_OF_CODE = {
    "bad_request": 400, "forbidden": 403, "not_found": 404, "too_large": 413, "busy": 429, "internal": 500,
    "unavailable": 503, "cancelled": 503, "deadline": 504,
}
AGAIN_SECONDS = 2


class AskSerializer(serializers.Serializer):
    question = serializers.CharField(allow_blank=True)
    collections = serializers.ListField(
        child=serializers.CharField(max_length=200), max_length=50, required=False, default=list,
        help_text="ids or names of collections that you may read; all of them when none is given",
    )
    stream = serializers.BooleanField(default=False, help_text="answer as text/event-stream, event by event")


class AnswerFailed(SiteError):
    def __init__(self, error: AnswerError) -> None:
        super().__init__(error.message)
        self.code, self.status, self.retryable = error.code, STATUS_OF_CODE[error.code], error.retryable
        self.retry_after_seconds = AGAIN_SECONDS if error.retryable else None


class AskView(Idempotent, APIView):
    permission_classes = [MayChat]
    scope = Scope.ANSWERS
    uses_tokens = True
    renderer_classes = [JSONRenderer, EventStreamRenderer]

    @extend_schema(
        request=AskSerializer,
        responses={
            (200, "application/json"): AnswerDone,
            (200, EVENT_STREAM): described("`sources`, `delta` and last `done` or `error`", "answer_event"),
        },
    )
    def post(self, request: Request) -> HttpResponseBase:
        """Answer one question from the collections that you may read, with exact citations."""
        asked = AskSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        user = person_of(request)
        question = answering.check_question(asked.validated_data["question"])
        collections = answering.named_collections(user, asked.validated_data["collections"])
        events, slot = answering.events(user, question, collections), Slot(user).take()
        if asked.validated_data["stream"]:
            return streamed(events, slot)
        return Response(async_to_sync(whole)(events, slot).model_dump(exclude={"type"}))


async def whole(events: AsyncIterator[Any], slot: Slot) -> BaseModel:
    """The event that says what is done, of an answer or a summary. Raises AnswerFailed."""
    async with slot, aclosing(events):
        async for event in events:
            if isinstance(event, AnswerError):
                raise AnswerFailed(event)
            if event.type == "done":
                return event
    raise AnswerFailed(answering.failure())
