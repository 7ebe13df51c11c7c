"""What the chat page shows when it is opened: the thread with every version of its answers, and questions to try."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from webapp.chat.models import Conversation, Message, MessageRole
from webapp.knowledge.models import Collection


def exchanges(conversation: Conversation) -> list[dict[str, Any]]:
    """The questions that stand, each with its answers, oldest version first."""
    questions: dict[int, dict[str, Any]] = {}
    for message in conversation.messages.select_related("feedback"):
        if message.role == MessageRole.QUESTION and not message.superseded:
            questions[message.pk] = {"question": {"id": message.pk, "text": message.text}, "answers": []}
        elif message.role == MessageRole.ANSWER and message.parent_id in questions:
            questions[message.parent_id]["answers"].append(_answer(message))
    return list(questions.values())


def _answer(message: Message) -> dict[str, Any]:
    feedback = getattr(message, "feedback", None)
    return {
        "id": message.pk, "key": message.key, "status": message.status, "text": message.text,
        "payload": message.payload,
        "feedback": {"helpful": feedback.helpful, "note": feedback.note} if feedback else None,
    }


def suggestions(collections: list[Collection]) -> list[str]:
    """Three questions that the help pages answer, while one of the collections is theirs."""
    if not any(collection.owner_id is None for collection in collections):
        return []
    return [
        _("How large can an uploaded file be?"),
        _("In which formats can a conversation be exported?"),
        _("How long do sessions last?"),
    ]
