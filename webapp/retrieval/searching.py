"""From a person, a question and filters to ranked passages: access, indexes and the model service put together."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from channels.db import database_sync_to_async
from django.utils.translation import gettext as _

from models_service.client import Models, ModelsError
from models_service.protocol import Citation
from qa.citing import source
from qa.search import SearchResult, search
from qa.verify import checked
from webapp import access
from webapp.accounts.models import User
from webapp.chat import answering
from webapp.errors import Unavailable
from webapp.knowledge import storage
from webapp.knowledge.models import Document


@dataclass(frozen=True)
class Filters:
    """Each narrows what is searched; an empty one narrows nothing."""

    collections: Sequence[str] = ()
    documents: Sequence[str] = ()
    media_types: Sequence[str] = ()
    added_from: datetime.date | None = None
    added_to: datetime.date | None = None

    def narrow_documents(self) -> bool:
        return bool(self.documents or self.media_types or self.added_from or self.added_to)


@dataclass(frozen=True)
class Found:
    """A result and its passage as a citation that was compared with the stored document."""

    result: SearchResult
    citation: Citation


async def find(user: User, question: str, filters: Filters, k: int, *, models: Models | None = None) -> list[Found]:
    """The k best passages that `user` may read. Raises Unavailable."""
    collection_ids, documents = await database_sync_to_async(_allowed)(user, filters)
    collections = [(identifier, storage.index(identifier)) for identifier in collection_ids]
    try:
        results = await search(question, collections, models or answering.model_service(), k=k, documents=documents,
                               client=str(user.pk))
    except ModelsError as error:
        raise Unavailable(error.message) from None
    store = storage.documents()
    found = []
    for result in results:
        citation = checked([source(result.retrieved)], store)
        if citation:
            found += [Found(result, linked) for linked in await answering.linked(citation)]
    return found


def _allowed(user: User, filters: Filters) -> tuple[list[str], frozenset[str] | None]:
    """The collections to search and, where a filter narrows them, the only documents of theirs."""
    readable = access.readable_collections(user)
    if filters.collections:
        readable = readable.filter(pk__in=answering.named_collections(user, filters.collections))
    identifiers = [str(pk) for pk in readable.values_list("pk", flat=True)]
    if not filters.narrow_documents():
        return identifiers, None
    documents = Document.objects.filter(collection__in=identifiers)
    if filters.documents:
        documents = documents.filter(pk__in=filters.documents)
    if filters.media_types:
        documents = documents.filter(media_type__in=filters.media_types)
    if filters.added_from:
        documents = documents.filter(created_at__date__gte=filters.added_from)
    if filters.added_to:
        documents = documents.filter(created_at__date__lte=filters.added_to)
    return identifiers, frozenset(str(pk) for pk in documents.values_list("pk", flat=True))


def media_types(user: User) -> list[str]:
    """Those of the documents that `user` may read."""
    types = access.readable_documents(user).exclude(media_type="").values_list("media_type", flat=True)
    return sorted(set(types.order_by().distinct()))


def why(found: Found) -> str:
    """In words, how the passage came to its place."""
    retrieved = found.result.retrieved
    parts = []
    if retrieved.bm25_rank:
        parts.append(_("%(rank)s. by words") % {"rank": retrieved.bm25_rank})
    if retrieved.dense_rank:
        parts.append(_("%(rank)s. by meaning") % {"rank": retrieved.dense_rank})
    if retrieved.reranked is not None:
        parts.append(_("put here by the reranker"))
    return " · ".join(parts)
