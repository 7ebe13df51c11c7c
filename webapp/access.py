"""Who may see and do what: the one place where access is decided.

Each queryset holds exactly what a person may reach; whatever is not in it does not exist for them (404). Everything
is denied unless a line here grants it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, Group
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from webapp.accounts import services as accounts
from webapp.accounts.models import ApiKey, LinkPurpose, OneTimeLink, Role, Scope, SignedInBrowser, User
from webapp.chat.models import Conversation, Message
from webapp.errors import Forbidden, NotSignedIn
from webapp.graph.models import GraphSource
from webapp.knowledge.models import Collection, Document, Share, Visibility, WebImport
from webapp.privacy.models import DataExport
from webapp.retrieval.models import Mark
from webapp.training.models import Dataset, Evaluation, Job
from webapp.writing.models import (
    GlossaryTerm,
    SummarizedText,
    Summary,
    Translation,
    TranslationBatch,
    TranslationFile,
)

Action = Literal["chat", "create_collection", "edit_shared", "administer"]

LEAST_ROLE: dict[Action, Role] = {
    "chat": Role.GUEST,
    "create_collection": Role.USER,
    "edit_shared": Role.EDITOR,
    "administer": Role.ADMIN,
}
"""What a role may do, and each role after it: all of the site's permissions."""


def may(user: User | AnonymousUser, action: Action) -> bool:
    """Whether `user` may do `action` at all; on what is the querysets' business. AnonymousUser counts as a guest."""
    least = LEAST_ROLE[action]
    if least == Role.GUEST:
        return _is_member(user) or (settings.GUESTS_MAY_CHAT and (user.is_anonymous or user.is_active))
    return user.is_authenticated and user.at_least(least)


def require(user: User | AnonymousUser, action: Action) -> None:
    """Raise NotSignedIn or Forbidden unless `user` may do `action`."""
    if may(user, action):
        return
    if not _is_member(user):
        raise NotSignedIn(_("Sign in first."))
    raise Forbidden(_("Your role does not allow this. Ask an administrator of this site."))


def require_scope(user: User | AnonymousUser, scope: Scope | None) -> None:
    """Raise Forbidden unless the API key that `user` came with is for this; a browser has no key and needs none.

    Without a `scope` only a key that has all of them will do.
    """
    key = user.via_key if user.is_authenticated else None
    if key is not None and not ({scope} if scope else set(Scope.values)) <= set(key.scopes):
        raise Forbidden(_("This API key is not for this: it lacks the scope %(scope)s. Make one that has it under "
                          "Account.") % {"scope": scope or ", ".join(Scope.values)})


def readable_collections(user: User | AnonymousUser) -> QuerySet[Collection]:
    """One's own, those shared with one by name or by group, and those for everyone."""
    if not may(user, "chat"):
        return Collection.objects.none()
    for_all = Q(visibility=Visibility.EVERYONE)
    if not _is_member(user):
        return Collection.objects.filter(for_all)
    return Collection.objects.filter(for_all | Q(owner=user) | _shared(shares_with(user)))


def editable_collections(user: User | AnonymousUser) -> QuerySet[Collection]:
    """Those whose documents `user` may add and delete: the managed ones, and those shared for editing."""
    if not _is_member(user):
        return Collection.objects.none()
    return Collection.objects.filter(_managed(user) | _shared(shares_with(user).filter(may_edit=True)))


def managed_collections(user: User | AnonymousUser) -> QuerySet[Collection]:
    """Those that `user` may rename, share and delete: their own; an editor's also what everyone sees, such as the
    starter collections."""
    return Collection.objects.filter(_managed(user)) if _is_member(user) else Collection.objects.none()


def shares_with(user: User) -> QuerySet[Share]:
    """What lets `user` into collections of others."""
    return Share.objects.filter(Q(user=user) | Q(group__in=user.groups.all()))


def groups_to_share_with(user: User | AnonymousUser) -> QuerySet[Group]:
    """The groups that one belongs to; an administrator's are all."""
    if may(user, "administer"):
        return Group.objects.order_by("name")
    return user.groups.order_by("name") if _is_member(user) else Group.objects.none()


def _managed(user: User) -> Q:
    own = Q(owner=user)
    return own | Q(visibility=Visibility.EVERYONE) if may(user, "edit_shared") else own


def _shared(shares: QuerySet[Share]) -> Q:
    # By their ids: joined, a collection would be counted once for each of its shares.
    return Q(visibility=Visibility.SHARED, pk__in=shares.values("collection"))


def readable_documents(user: User | AnonymousUser) -> QuerySet[Document]:
    return Document.objects.filter(collection__in=readable_collections(user))


def editable_documents(user: User | AnonymousUser) -> QuerySet[Document]:
    return Document.objects.filter(collection__in=editable_collections(user))


def web_imports(user: User | AnonymousUser) -> QuerySet[WebImport]:
    """What is or was fetched into collections that one may edit."""
    return WebImport.objects.filter(collection__in=editable_collections(user))


def editable_marks(user: User | AnonymousUser) -> QuerySet[Mark]:
    """What was said of the passages of collections that one may edit."""
    return Mark.objects.filter(collection__in=editable_collections(user))


def datasets(user: User | AnonymousUser) -> QuerySet[Dataset]:
    """Administrators share all that belongs to improving the models."""
    return Dataset.objects.all() if may(user, "administer") else Dataset.objects.none()


def jobs(user: User | AnonymousUser) -> QuerySet[Job]:
    return Job.objects.all() if may(user, "administer") else Job.objects.none()


def evaluations(user: User | AnonymousUser) -> QuerySet[Evaluation]:
    return Evaluation.objects.all() if may(user, "administer") else Evaluation.objects.none()


def graph_sources(user: User | AnonymousUser) -> QuerySet[GraphSource]:
    """The files that the knowledge graph is made of. What they state is the whole site's to read."""
    return GraphSource.objects.all() if may(user, "administer") else GraphSource.objects.none()


def people(user: User | AnonymousUser) -> QuerySet[User]:
    """The accounts that `user` looks after; guests are none."""
    return User.objects.exclude(role=Role.GUEST) if may(user, "administer") else User.objects.none()


def groups(user: User | AnonymousUser) -> QuerySet[Group]:
    return Group.objects.order_by("name") if may(user, "administer") else Group.objects.none()


def invitations(user: User | AnonymousUser) -> QuerySet[OneTimeLink]:
    """Those that are still open."""
    if not may(user, "administer"):
        return OneTimeLink.objects.none()
    return OneTimeLink.objects.filter(purpose=LinkPurpose.INVITE, expires_at__gt=timezone.now())


def own_api_keys(user: User | AnonymousUser) -> QuerySet[ApiKey]:
    return ApiKey.objects.filter(user=user) if _is_member(user) else ApiKey.objects.none()


def own_browsers(user: User | AnonymousUser) -> QuerySet[SignedInBrowser]:
    return SignedInBrowser.objects.filter(user=user) if _is_member(user) else SignedInBrowser.objects.none()


def own_exports(user: User | AnonymousUser) -> QuerySet[DataExport]:
    return DataExport.objects.filter(user=user) if _is_member(user) else DataExport.objects.none()


def own_conversations(user: User | AnonymousUser) -> QuerySet[Conversation]:
    return Conversation.objects.filter(owner=user) if user.is_authenticated else Conversation.objects.none()


def own_messages(user: User | AnonymousUser) -> QuerySet[Message]:
    return Message.objects.filter(conversation__in=own_conversations(user))


def answers_shown_to(user: User | AnonymousUser) -> QuerySet[Message]:
    """One's own; to an administrator also those that somebody judged bad, which hands them to whoever looks after the
    models. Of all others not even an administrator sees what was asked."""
    if not user.is_authenticated:
        return Message.objects.none()
    own = Q(conversation__owner=user)
    return Message.objects.filter(own | Q(feedback__helpful=False) if may(user, "administer") else own)


def own_summarized_texts(user: User | AnonymousUser) -> QuerySet[SummarizedText]:
    """Guests have theirs too, as with conversations."""
    if not may(user, "chat") or user.is_anonymous:
        return SummarizedText.objects.none()
    return SummarizedText.objects.filter(owner=user)


def own_summaries(user: User | AnonymousUser) -> QuerySet[Summary]:
    return Summary.objects.filter(source__in=own_summarized_texts(user))


def own_translations(user: User | AnonymousUser) -> QuerySet[Translation]:
    return Translation.objects.filter(owner=user) if _is_member(user) else Translation.objects.none()


def own_translation_batches(user: User | AnonymousUser) -> QuerySet[TranslationBatch]:
    if not may(user, "chat") or user.is_anonymous:
        return TranslationBatch.objects.none()
    return TranslationBatch.objects.filter(owner=user)


def own_translation_files(user: User | AnonymousUser) -> QuerySet[TranslationFile]:
    return TranslationFile.objects.filter(batch__in=own_translation_batches(user))


def glossary_terms(user: User | AnonymousUser) -> QuerySet[GlossaryTerm]:
    """Those that hold for `user`: the site's, and their own."""
    if not may(user, "chat"):
        return GlossaryTerm.objects.none()
    sites = Q(owner=None)
    return GlossaryTerm.objects.filter(sites | Q(owner=user) if _is_member(user) else sites)


def editable_glossary_terms(user: User | AnonymousUser) -> QuerySet[GlossaryTerm]:
    """One's own; an administrator's also the site's."""
    if not _is_member(user):
        return GlossaryTerm.objects.none()
    own = Q(owner=user)
    return GlossaryTerm.objects.filter(own | Q(owner=None) if may(user, "administer") else own)


async def person(scope_or_request: Mapping[str, Any] | HttpRequest) -> User:
    """The signed-in user of a socket's scope or a request, or this browser's guest; NotSignedIn when neither may be.

    A guest's row is made here, so call it when something is about to be written for them.
    """
    return await sync_to_async(person_of)(scope_or_request)


def person_of(scope_or_request: Mapping[str, Any] | HttpRequest) -> User:
    """`person`, for code that is not async."""
    if isinstance(scope_or_request, Mapping):
        user, session = scope_or_request.get("user"), scope_or_request.get("session")
    else:
        user, session = scope_or_request.user, getattr(scope_or_request, "session", None)
    if user is not None and user.is_authenticated and user.is_active:
        return user
    if not settings.GUESTS_MAY_CHAT:
        raise NotSignedIn(_("Sign in first."))
    if session is None:
        raise NotSignedIn(_("Guests are recognised by a cookie, which this request has not. Use an API key instead."))
    return accounts.guest_for(accounts.as_it_is_now(session))


def visitor_of(request: HttpRequest) -> User | AnonymousUser:
    """Who looks at a page: the signed-in user, this browser's guest if it has one already, or nobody known."""
    if request.user.is_authenticated:
        return request.user
    return (settings.GUESTS_MAY_CHAT and accounts.known_guest(request.session)) or request.user


def _is_member(user: User | AnonymousUser) -> bool:
    """Whether this is an active account of a person, not a guest."""
    return user.is_authenticated and user.at_least(Role.USER)
