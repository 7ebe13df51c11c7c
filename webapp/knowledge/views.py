"""The pages of the knowledge base: collections, one collection, one document at a passage, help."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from models_service.sealed import files
from qa import archive
from qa.document_store import DocumentMissing
from qa.documents import ENDINGS, FORMAT_NAMES
from webapp import access
from webapp.errors import BadInput, Conflict
from webapp.knowledge import mending, reading, services, sharing, storage
from webapp.knowledge.figures import with_figures
from webapp.knowledge.forms import CollectionForm, ShareForm
from webapp.knowledge.models import DocumentStatus, WebOrigin
from webapp.streamed_file import StreamedFile

DOCUMENTS_A_PAGE = 100


@never_cache
@require_http_methods(["GET", "POST"])
def collections(request: HttpRequest) -> HttpResponse:
    """All that may be read; making a new one."""
    visitor = access.visitor_of(request)
    access.require(visitor, "chat")
    form = CollectionForm(request.POST or None)
    if request.method == "POST":
        access.require(request.user, "create_collection")
        if form.is_valid():
            try:
                made = services.create_collection(request.user, **form.cleaned_data)
                return redirect("collection", made.pk)
            except BadInput as error:
                _tell(form, error)
    shown = with_figures(access.readable_collections(visitor), visitor).order_by("name")
    return render(request, "knowledge/collections.html", {"collections": shown, "form": form},
                  status=400 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def collection(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """Its documents; changing its name, description and visibility."""
    visitor = access.visitor_of(request)
    access.require(visitor, "chat")
    if request.method == "POST":
        own = get_object_or_404(access.managed_collections(visitor), pk=identifier)
        form = CollectionForm(request.POST)
        if form.is_valid():
            try:
                services.change_collection(own, **form.cleaned_data)
                messages.success(request, _("Saved."))
                return redirect("collection", identifier)
            except BadInput as error:
                _tell(form, error)
    shown = get_object_or_404(with_figures(access.readable_collections(visitor), visitor), pk=identifier)
    if request.method != "POST":
        form = CollectionForm(initial={name: getattr(shown, name) for name in CollectionForm.base_fields})
    search = request.GET.get("q", "").strip()
    documents = shown.documents.filter(Q(title__icontains=search) | Q(name__icontains=search))
    return render(request, "knowledge/collection.html", {
        "collection": shown,
        "mending": mending.standing(shown.pk),
        "form": form,
        "search": search,
        "page": Paginator(documents, DOCUMENTS_A_PAGE).get_page(request.GET.get("page")),
        "may_fetch": settings.FETCH_ON,
        "limit": settings.MAX_UPLOAD_BYTES,
        "limit_mb": settings.MAX_UPLOAD_BYTES // 1_000_000,
        "endings": ",".join((*ENDINGS, archive.ENDING)),
        "formats": ", ".join((*FORMAT_NAMES, "ZIP")),
    }, status=400 if form.errors else 200)


@require_POST
def delete_collection(request: HttpRequest, identifier: UUID) -> HttpResponse:
    own = get_object_or_404(access.managed_collections(request.user), pk=identifier)
    services.delete_collection(own)
    messages.success(request, _("The collection “%(name)s” is deleted.") % {"name": own.name})
    return redirect("collections")


@never_cache
@require_http_methods(["GET", "POST"])
def shares(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """Who is let into a collection; letting someone in, or changing what they may do."""
    access.require(request.user, "create_collection")
    own = get_object_or_404(access.managed_collections(request.user), pk=identifier)
    posted = request.POST if request.method == "POST" else None
    form = ShareForm(posted, groups=access.groups_to_share_with(request.user))
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            whom = values["group"] or sharing.person_called(values["username"])
            made = sharing.share(own, whom, may_edit=values["may_edit"])
            messages.success(request, _("Shared with %(name)s.") % {"name": made})
            return redirect("collection-shares", identifier)
        except BadInput as error:
            _tell(form, error)
    context = {"collection": own, "form": form, "shares": own.shares.select_related("user", "group")}
    return render(request, "knowledge/shares.html", context, status=400 if form.errors else 200)


@require_POST
def end_share(request: HttpRequest, identifier: UUID, share: int) -> HttpResponse:
    access.require(request.user, "create_collection")
    own = get_object_or_404(access.managed_collections(request.user), pk=identifier)
    found = get_object_or_404(own.shares.select_related("collection", "user", "group"), pk=share)
    sharing.end(found)
    messages.success(request, _("No longer shared with %(name)s.") % {"name": found})
    return redirect("collection-shares", identifier)


@never_cache
@require_safe
def document(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """A document's text around a passage: ?start= and end= say which, span_start= and span_end= the words in it."""
    visitor = access.visitor_of(request)
    access.require(visitor, "chat")
    found = get_object_or_404(access.readable_documents(visitor).select_related("collection"), pk=identifier)
    context = {"document": found, "is_ready": found.status == DocumentStatus.READY}
    if found.is_from_web:
        context["may_refresh"] = settings.FETCH_ON and access.editable_documents(visitor).filter(pk=found.pk).exists()
        context["checked_at"] = WebOrigin.objects.filter(document=found).values_list("checked_at", flat=True).first()
    if reading.has_pdf_view(found):
        context["original"] = reverse("document-file", args=[found.pk])
    if reading.has_picture_view(found):
        context["picture"] = reverse("document-file", args=[found.pk])
    try:
        context["window"] = reading.window(found, reading.place(request.GET))
    except Conflict as error:  # it has no text yet
        context["no_text"] = found.error or error.message
    return render(request, "knowledge/document.html", context)


@require_safe
def document_file(request: HttpRequest, identifier: UUID) -> StreamedFile:
    """The file as it was added. Only PDFs and pictures are shown; what else a browser might run is handed over."""
    visitor = access.visitor_of(request)
    access.require(visitor, "chat")
    found = get_object_or_404(access.readable_documents(visitor), pk=identifier)
    try:
        content = files.open_read(storage.documents().original(str(found.pk)))
    except (DocumentMissing, FileNotFoundError):
        raise Http404 from None
    is_shown = reading.has_pdf_view(found) or reading.has_picture_view(found)
    response = StreamedFile(content, as_attachment=not is_shown, filename=found.name,
                            content_type=found.media_type if is_shown else "application/octet-stream")
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    visitor = access.visitor_of(request)
    return render(request, "knowledge/help.html", {"chapters": reading.help_documents(visitor, get_language() or "")})


def _tell(form: CollectionForm | ShareForm, error: BadInput) -> None:
    form.add_error(error.field if error.field in form.fields else None, error.message)
