"""What changes conversations: asking, editing, answering again, renaming, deleting, and what people thought.

Each function is one transaction. Producing the answer to a row made here is `producer.py`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from models_service.protocol import AnswerError
from webapp import access
from webapp.accounts.models import User
from webapp.chat import answering
from webapp.chat.models import Conversation, Feedback, Message, MessageRole, MessageStatus
from webapp.errors import BadInput, Busy, Conflict, NotFound
from webapp.knowledge.models import Collection
from webapp.production import stopping

MOST_AT_ONCE = 4
"""Answers that one person may have in the making."""
TITLE_CHARACTERS = 80
LONGEST_NOTE = 2000
SEARCH_WORDS = 8


@dataclass(frozen=True)
class Asked:
    """A question and the row for its answer; `fresh` unless the same key had been sent before."""

    question: Message
    answer: Message
    fresh: bool


@transaction.atomic
def ask(
    user: User,
    key: str,
    question: str,
    *,
    conversation_id: str | None = None,
    collection_ids: Sequence[str] = (),
    replaces: int | None = None,
) -> Asked:
    """Put a question, in a new conversation unless one is named, of some collections or of all readable ones.

    `replaces` is the id of the question that this one is an edited version of: it and all that came after it are
    superseded, and their answers in the making are stopped. The same `key` again gives what was made the first time.
    """
    text = answering.check_question(question)
    _one_at_a_time(user)
    earlier = access.own_messages(user).filter(role=MessageRole.QUESTION, key=key).first()
    if earlier is not None:
        return Asked(earlier, earlier.answers.get(key=key), fresh=False)
    _refuse_when_busy(user)
    collections = _collections(user, collection_ids)
    if replaces is not None:
        edited = _own(access.own_messages(user).filter(role=MessageRole.QUESTION), replaces)
        conversation = edited.conversation
        if edited.superseded:
            raise Conflict(_("This question has been edited already. Reload the page to see the newer version."))
        _supersede(conversation.messages.filter(pk__gte=edited.pk))
    elif conversation_id is not None:
        conversation = _own(access.own_conversations(user), conversation_id)
    else:
        conversation = Conversation.objects.create(owner=user, title=_title(text))
    if replaces is not None and not conversation.messages.filter(superseded=False).exists():
        conversation.title = _title(text)
    conversation.save()
    conversation.collections.set(collections)
    row = Message.objects.create(
        conversation=conversation, role=MessageRole.QUESTION, key=key, text=text,
        payload={"collections": [str(collection.pk) for collection in collections]},
    )
    return Asked(row, _running_answer(row, key), fresh=True)


@transaction.atomic
def regenerate(user: User, key: str, answer_id: int) -> Asked:
    """Answer the same question once more; the answers so far are kept as earlier versions."""
    _one_at_a_time(user)
    answers = access.own_messages(user).filter(role=MessageRole.ANSWER)
    earlier = answers.filter(key=key).select_related("parent").first()
    if earlier is not None:
        return Asked(earlier.parent, earlier, fresh=False)
    question = _own(answers, answer_id).parent
    if question.superseded:
        raise Conflict(_("This question has been edited since. Reload the page to see the newer version."))
    _supersede(question.answers.all())
    _refuse_when_busy(user)
    question.conversation.save()
    return Asked(question, _running_answer(question, key), fresh=True)


def own_answer(user: User, answer_id: int) -> Message:
    """One of the user's answers; NotFound otherwise."""
    return _own(access.own_messages(user).filter(role=MessageRole.ANSWER), answer_id)


def conversations(user: User, search: str = "") -> QuerySet[Conversation]:
    """The user's conversations, the latest first; those that hold every word of `search` when there are any."""
    return holding(access.own_conversations(user), search)


def holding(found: QuerySet[Conversation], words: str) -> QuerySet[Conversation]:
    """Those of them in whose title or messages all of these words stand."""
    for word in words.split()[:SEARCH_WORDS]:
        said = Message.objects.filter(superseded=False, text__icontains=word)
        found = found.filter(Q(title__icontains=word) | Q(pk__in=said.values("conversation")))
    return found


@transaction.atomic
def rename(conversation: Conversation, title: str) -> None:
    conversation.title = title.strip()
    if not conversation.title:
        raise BadInput(_("Give the conversation a title."), "title")
    try:
        conversation.full_clean()
    except ValidationError as error:
        raise BadInput(" ".join(error.messages), "title") from None
    conversation.save(update_fields=["title"])


@transaction.atomic
def delete(conversation: Conversation) -> None:
    """Remove a conversation; answers that are still in the making are stopped."""
    _stop_soon(conversation.messages.filter(status=MessageStatus.RUNNING))
    conversation.delete()


@transaction.atomic
def give_feedback(user: User, answer_id: int, helpful: bool, note: str = "") -> Feedback:
    """Thumbs up or down on one's own answer; the last one counts."""
    answer = own_answer(user, answer_id)
    if answer.status == MessageStatus.RUNNING:
        raise Conflict(_("This answer is still being written. Judge it when it is done."))
    if len(note) > LONGEST_NOTE:
        raise BadInput(_("A note may have at most %(most)s characters.") % {"most": LONGEST_NOTE}, "note")
    feedback, _made = Feedback.objects.update_or_create(
        message=answer, defaults={"user": user, "helpful": helpful, "note": note.strip()}
    )
    return feedback


def stopped_event() -> AnswerError:
    """What an answer ends with that was stopped."""
    return AnswerError(code="cancelled", message=_("Stopped."), retryable=True)


def _one_at_a_time(user: User) -> None:
    """Let the same person's other requests wait for this transaction, so that a key is not used twice at once."""
    User.objects.select_for_update().filter(pk=user.pk).first()


def _refuse_when_busy(user: User) -> None:
    recent = timezone.now() - timedelta(seconds=answering.ANSWER_SECONDS)
    running = access.own_messages(user).filter(status=MessageStatus.RUNNING, created_at__gt=recent)
    if running.count() >= MOST_AT_ONCE:
        raise Busy(_("You have %(most)s answers in the making. Wait for one of them, or stop one.")
                   % {"most": MOST_AT_ONCE})


def _own(rows: QuerySet, identifier: int | str):
    """The row of `rows` with this id; NotFound when it is not among them, or is no id at all."""
    try:
        found = rows.filter(pk=identifier).first()
    except (ValueError, ValidationError, OverflowError):
        found = None
    if found is None:
        raise NotFound(_("There is nothing here that you may see."))
    return found


def _collections(user: User, identifiers: Sequence[str]) -> list[Collection]:
    wanted = set()
    for identifier in identifiers:
        try:
            wanted.add(UUID(identifier))
        except ValueError:
            raise NotFound(_("There is no collection %(id)s that you may read.") % {"id": identifier[:80]}) from None
    found = list(access.readable_collections(user).filter(pk__in=wanted)) if wanted else []
    if len(found) < len(wanted):
        raise NotFound(_("A chosen collection has been deleted or is not yours to read. Choose again."))
    return found


def _supersede(messages: QuerySet[Message]) -> None:
    running = messages.filter(status=MessageStatus.RUNNING)
    _stop_soon(running)
    running.update(status=MessageStatus.STOPPED, payload=stopped_event().model_dump())
    messages.update(superseded=True)


def _stop_soon(running: QuerySet[Message]) -> None:
    """Tell whoever produces these that nobody waits for them any more, once the transaction has ended."""
    names = [f"answer:{identifier}" for identifier in running.values_list("pk", flat=True)]
    if names:
        transaction.on_commit(lambda: stopping.ask_all_to_stop(names))


def _running_answer(question: Message, key: str) -> Message:
    return Message.objects.create(
        conversation=question.conversation, role=MessageRole.ANSWER, parent=question, key=key,
        status=MessageStatus.RUNNING,
    )


def _title(question: str) -> str:
    line = " ".join(question.split())
    return line if len(line) <= TITLE_CHARACTERS else line[: TITLE_CHARACTERS - 1].rstrip() + "…"
