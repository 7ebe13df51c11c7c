"""Deletes a person with everything of theirs: rows, files, what the search index knows, browsers and keys.

What belongs to the site stays without their name: data sets, jobs, models, and documents that they added to
collections of others. So does the audit log, for as long as it is kept.
"""

from __future__ import annotations

from django.db import transaction

from webapp.accounts import people, signed_in_browsers
from webapp.accounts.models import User
from webapp.audit.models import Action
from webapp.audit.services import record
from webapp.chat import services as chat
from webapp.knowledge import services as knowledge
from webapp.privacy import exporting
from webapp.writing import summaries, translation_batches


def erase(user: User) -> None:
    """Conflict when it is the last administrator. Cut off half way, it can be asked for again."""
    with transaction.atomic():
        people.check_an_administrator_stays_without(user)
        # First of all nobody comes in as this person any more, to make something that would be left over.
        User.objects.filter(pk=user.pk).update(is_active=False)
        signed_in_browsers.end_all(user)
    for conversation in user.conversations.all():
        chat.delete(conversation)
    for source in user.summarized_texts.all():
        summaries.delete(source)
    for batch in user.translation_batches.all():
        translation_batches.delete(batch)
    for collection in user.collections.all():
        knowledge.delete_collection(collection)
    exporting.forget(user.pk)
    record(Action.ACCOUNT_DELETED, user.username, role=user.role)
    user.delete()
