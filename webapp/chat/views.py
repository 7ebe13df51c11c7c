"""The chat page, empty or with a conversation. Everything after that passes over /ws/chat/ and the REST interface."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from models_service.protocol import MAX_QUESTION_CHARACTERS
from webapp import access
from webapp.chat import generator, page
from webapp.knowledge.figures import with_figures

LISTED = 50
"""Conversations in the sidebar at first; as many as a page of the REST interface, which brings the others."""


@never_cache
@require_safe
def chat(request: HttpRequest, identifier: UUID | None = None) -> HttpResponse:
    visitor = access.visitor_of(request)
    access.require(visitor, "chat")
    own = access.own_conversations(visitor)
    conversation = get_object_or_404(own, pk=identifier) if identifier else None
    collections = list(with_figures(access.readable_collections(visitor), visitor))
    rows = list(own[: LISTED + 1])
    return render(request, "chat/chat.html", {
        "conversation": conversation,
        "exchanges": page.exchanges(conversation) if conversation else [],
        "conversations": rows[:LISTED],
        "more_conversations": len(rows) > LISTED,
        "collections": collections,
        "chosen": set(conversation.collections.values_list("pk", flat=True)) if conversation else set(),
        "suggestions": page.suggestions(collections),
        "question_limit": MAX_QUESTION_CHARACTERS,
        "has_generator": generator.writes(),
    })
