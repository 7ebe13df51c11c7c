"""A conversation as a file to keep: Markdown for people, JSON for programs."""

from __future__ import annotations

import json
import re
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.utils.encoders import JSONEncoder

from webapp.chat.models import Conversation, Message, MessageRole, MessageStatus
from webapp.chat.serializers import ConversationDetailSerializer


def as_json(conversation: Conversation) -> str:
    """Everything that is kept of it, superseded versions too."""
    data = ConversationDetailSerializer(conversation).data
    return json.dumps(data, cls=JSONEncoder, ensure_ascii=False, indent=2) + "\n"


def as_markdown(conversation: Conversation) -> str:
    """The questions and their current answers with what these cite."""
    parts = [f"# {_one_line(conversation.title)}"]
    for message in conversation.messages.filter(superseded=False).order_by("pk"):
        if message.role == MessageRole.QUESTION:
            parts.append("## " + _("Question") + f"\n\n{_quoted(message.text)}")
        else:
            parts += ["### " + _("Answer"), *_answer(message)]
    return "\n\n".join(parts) + "\n"


def _answer(message: Message) -> list[str]:
    payload = message.payload
    parts = [message.text] if message.text else []
    if message.status == MessageStatus.DONE and payload.get("abstained"):
        parts.append(_("The documents do not hold an answer to this. The nearest passages:"))
    elif message.status == MessageStatus.RUNNING:
        parts.append(_("(still being written)"))
    elif message.status != MessageStatus.DONE:
        parts.append(f"({payload.get('message', '')})")
    if says := _graph(payload.get("verification", {}).get("graph", {})):
        parts.append(says)
    cited = payload.get("citations") or payload.get("nearest") or payload.get("sources") or []
    if cited:
        numbered = enumerate(cited, start=1)
        parts.append("\n".join(_citation(citation.get("mark") or place, citation) for place, citation in numbered))
    return parts


def _graph(says: dict[str, Any]) -> str:
    """What the knowledge graph says of the answer, as the chat page has it; "" where it says nothing."""
    heading = {
        "confirmed": _("The knowledge graph confirms this:"),
        "contradicted": _("The knowledge graph says otherwise:"),
        "answered": _("Answered from the knowledge graph, not from the documents:"),
    }.get(says.get("verdict", ""), "")
    facts = ["{subject} · {predicate} · {object}".format(**{
        part: _one_line(fact[part]["label"]) for part in ("subject", "predicate", "object")
    }) for fact in says.get("facts", [])]
    return f"{heading} {'; '.join(facts)}" if heading else ""


def _citation(number: int, citation: dict[str, Any]) -> str:
    place = f"{citation['start']}–{citation['end']}"
    if citation.get("page"):
        place = _("p. %(page)s") % {"page": citation["page"]} + f", {place}"
    return f"{number}. “{_one_line(citation['quote'])}” ({_one_line(citation['title'])}, {place})"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def _one_line(text: str) -> str:
    return " ".join(text.split())


def file_name(conversation: Conversation, ending: str) -> str:
    """Made of the title, with nothing in it that a file system or a header would mind."""
    words = re.sub(r"[^\w]+", "-", conversation.title).strip("-")[:60]
    return f"{words or 'conversation'}.{ending}"
