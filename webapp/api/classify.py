"""/api/v1/classify: labels for texts, or for what stands in them; and which classifiers are served."""

from __future__ import annotations

from dataclasses import asdict

from asgiref.sync import async_to_sync
from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from models_service import classifying
from models_service.errors import ModelsError
from models_service.protocol import Classified, ClassifyDone
from models_service.registry import Registry
from webapp.accounts.models import Scope
from webapp.api.idempotency import Idempotent
from webapp.api.openai.errors import WritingFailed
from webapp.api.permissions import MayChat
from webapp.api.translations import TextsField, check_together, client_of
from webapp.chat.answering import model_service
from webapp.limits import meter, tokens
from webapp.limits.slots import Slot
from webapp.settings.places import models_folder


class ClassifySerializer(serializers.Serializer):
    text = TextsField(help_text="one text, or a list of texts")
    model = serializers.CharField(required=False, max_length=128, help_text="its name; by default the first")


class ClassifyView(Idempotent, APIView):
    permission_classes = [MayChat]
    scope = Scope.WRITING
    uses_tokens = True

    @extend_schema(request=ClassifySerializer, responses=Classified)
    def post(self, request: Request) -> Response:
        """Label each text (`labels`), or what stands in it (`entities`): which of the two is the model's `task`."""
        asked = ClassifySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        text = asked.validated_data["text"]
        texts = [text] if isinstance(text, str) else text
        check_together(texts)
        client = client_of(request)
        slot = Slot(request.user, client).take()

        async def classified() -> ClassifyDone:
            async with slot:
                return await model_service().classify(texts, model=asked.validated_data.get("model"), client=client)

        try:
            done = async_to_sync(classified)()
        except ModelsError as problem:
            raise WritingFailed.of(problem) from None
        meter.charge(request.user, sum(map(tokens.count, texts)), stranger=client)
        return Response(done.model_dump(include=set(Classified.model_fields)))

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """The classifiers that are served, with what they label and with which labels; none comes with the site."""
        found = classifying.served(Registry(folder=models_folder(settings.DATA_DIR)))
        return Response({"classifiers": [asdict(one) for one in found]})
