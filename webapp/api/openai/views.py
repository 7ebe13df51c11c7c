"""POST /v1/chat/completions, /v1/completions and /v1/embeddings, GET /v1/models: by API key only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import async_to_sync
from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from models_service.client import ModelsError
from models_service.protocol import ChatMessage, EmbedDone
from qa.compose import MAX_TOKENS
from webapp import access
from webapp.accounts.authentication import ApiKeyAuthentication
from webapp.accounts.models import Scope
from webapp.api.idempotency import Idempotent
from webapp.api.openai import answers, catalogue, grounded, pieces
from webapp.api.openai.errors import NoSuchModel, WritingFailed, openai_exception_handler
from webapp.api.openai.requests import (
    ChatCompletionRequest,
    CompletionRequest,
    EmbeddingRequest,
    Sampling,
    read,
)
from webapp.chat import answering, generator
from webapp.errors import BadInput, NotSignedIn
from webapp.limits import meter
from webapp.limits.slots import Slot

COMPLETION_TOKENS = 16
"""What OpenAI's interface says when a completion does not name its length."""
SEEDS = 2**32


class HasKey(BasePermission):
    """Programs with an API key; a browser's session does not count here."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not request.user.is_authenticated:
            raise NotSignedIn(_("An API key is needed: send it as `Authorization: Bearer KEY`. Keys are made on the "
                                "account page."))
        access.require_scope(request.user, Scope.ANSWERS)
        access.require(request.user, "chat")
        return True


class OpenAIView(APIView):
    authentication_classes = [ApiKeyAuthentication]
    permission_classes = [HasKey]

    def get_exception_handler(self) -> Callable[..., Response]:
        return openai_exception_handler


class WritingView(Idempotent, OpenAIView):
    """What chats and completions share: from choices to a response, streamed or whole."""

    uses_tokens = True

    def respond(self, asked: Sampling, form: answers.Form, choices: list[pieces.Choice], prompts: int = 1,
                ) -> HttpResponseBase:
        merged = pieces.in_slot(pieces.together(choices), Slot(self.request.user).take())
        if not asked.stream:
            written = async_to_sync(pieces.gathered)(merged, len(choices))
            return Response(answers.whole(form, written, prompts))
        begun = async_to_sync(pieces.looked_at)(merged)
        events = answers.stream(form, begun, len(choices), asked.include_usage, prompts)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingHttpResponse(events, content_type="text/event-stream", headers=headers)

    def grounded(self, request: Request, asked: Sampling, model: catalogue.Listed, messages: list[Any],
                 most: int | None) -> list[pieces.Choice]:
        """The answer from the collections, once for each choice that is wanted."""
        question, history = grounded.question_and_history(messages)
        if model.purpose == "writes" and model.id != generator.name():
            raise BadInput(_("With collections, the model %(name)s writes; or ask the model wenda.")
                           % {"name": generator.name()}, "model")
        chosen = answering.named_collections(request.user, asked.collections or ())
        return [grounded.answer(
            request.user, question, chosen, history, generate=False if model.purpose == "quotes" else None,
            stop=asked.stops, most=most, absolute=request.build_absolute_uri,
        ) for _number in range(asked.choices)]

    def plain(self, request: Request, model: catalogue.Listed, asked: Sampling, number: int, messages: list[Any],
              **settings: Any) -> pieces.Choice:
        seed = {} if asked.seed is None else {"seed": (asked.seed + number) % SEEDS}
        return pieces.written(
            answering.model_service(), messages, request.user,
            {"model": model.id, **asked.settings(), **seed, **settings},
        )


class ChatCompletionsView(WritingView):
    @extend_schema(request=ChatCompletionRequest, responses={200: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> HttpResponseBase:
        """A chat as OpenAI's interface has it. The model `wenda` answers from the collections, with `citations`."""
        asked = read(ChatCompletionRequest, request.data)
        model = catalogue.find(asked.model, "answers", "quotes", "writes")
        form = answers.Form(True, model.id)
        messages = asked.chat()
        if model.purpose != "writes" or asked.collections is not None:
            return self.respond(asked, form, self.grounded(request, asked, model, messages, asked.most_tokens))
        return self.respond(asked, form, [
            self.plain(request, model, asked, number, messages, max_tokens=asked.most_tokens or MAX_TOKENS,
                       logprobs=asked.likeliest)
            for number in range(asked.choices)
        ])


class CompletionsView(WritingView):
    @extend_schema(request=CompletionRequest, responses={200: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> HttpResponseBase:
        """What a generator writes on after a prompt; the model `wenda` takes the prompt as a question."""
        asked = read(CompletionRequest, request.data)
        model = catalogue.find(asked.model, "answers", "quotes", "writes")
        prompts = asked.prompts
        form = answers.Form(False, model.id, [one for one in prompts for _ in range(asked.choices)]
                            if asked.echo else ())
        if not all(prompts):
            raise BadInput(_("A prompt is empty."), "prompt")
        if model.purpose != "writes" or asked.collections is not None:
            if len(prompts) > 1:
                raise BadInput(_("One question is answered at a time."), "prompt")
            messages = [ChatMessage(role="user", content=prompts[0])]
            return self.respond(asked, form, self.grounded(request, asked, model, messages, asked.max_tokens))
        return self.respond(asked, form, [
            self.plain(request, model, asked, number, [], prompt=prompt,
                       max_tokens=asked.max_tokens or COMPLETION_TOKENS, logprobs=asked.logprobs)
            for prompt in prompts for number in range(asked.choices)
        ], len(prompts))


class EmbeddingsView(Idempotent, OpenAIView):
    uses_tokens = True

    @extend_schema(request=EmbeddingRequest, responses={200: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        """A vector for each text, of L2 norm 1, from the encoder that the site searches with."""
        asked = read(EmbeddingRequest, request.data)
        model = catalogue.find(asked.model, "embeds")
        if not all(text.strip() for text in asked.inputs):
            raise BadInput(_("An input is empty."), "input")
        try:
            encoded = async_to_sync(answering.model_service().encode)(asked.inputs, client=str(request.user.pk))
        except ModelsError as problem:
            raise WritingFailed.of(problem) from None
        meter.charge(request.user, encoded.tokens)
        dimension = encoded.vectors.shape[1]
        if asked.dimensions not in (None, dimension):
            raise BadInput(_("This model gives vectors of %(number)s numbers.") % {"number": dimension}, "dimensions")
        vectors = ([EmbedDone.pack(row) for row in encoded.vectors] if asked.encoding_format == "base64"
                   else encoded.vectors.tolist())
        return Response({
            "object": "list", "model": model.id,
            "data": [{"object": "embedding", "index": number, "embedding": vector}
                     for number, vector in enumerate(vectors)],
            "usage": {"prompt_tokens": encoded.tokens, "total_tokens": encoded.tokens},
        })


class ModelsView(OpenAIView):
    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request) -> Response:
        """The models that may be named here."""
        return Response({"object": "list", "data": [one.body() for one in catalogue.listed()]})


class ModelView(OpenAIView):
    @extend_schema(operation_id="v1_model_retrieve", responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request, name: str) -> Response:
        """One of the models."""
        return Response(catalogue.find(name).body())


class UnknownView(OpenAIView):
    """Any other address: OpenAI's clients get an error that they can read."""

    @extend_schema(exclude=True)
    def get(self, request: Request, rest: str) -> Response:
        raise NoSuchAddress(_("There is no such address. /api/v1/docs lists them all."))

    post = put = patch = delete = extend_schema(exclude=True)(get)


class NoSuchAddress(NoSuchModel):
    code = "not_found"
