"""The translating page and the files made on it. The rest passes over /ws/translate/ and the REST interface."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from models_service.protocol_translated_text import MAX_INTERACTIVE_CHARACTERS
from models_service.sealed import files
from qa.writing.files import FORMATS
from webapp import access
from webapp.streamed_file import StreamedFile
from webapp.writing import translation_batches
from webapp.writing.models import FileStatus


@never_cache
@require_safe
def translate(request: HttpRequest) -> HttpResponse:
    visitor = access.visitor_of(request)
    access.require(visitor, "chat")
    return render(request, "writing/translate.html", {
        "limit": MAX_INTERACTIVE_CHARACTERS,
        "file_limit": settings.MAX_UPLOAD_BYTES,
        "endings": ",".join(sorted(FORMATS)),
        "ending_list": ", ".join(sorted(FORMATS)),
    })


@never_cache
@require_safe
def translated_file(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """A translated file, to be saved: never shown in the page, for it is someone's HTML."""
    visitor = access.visitor_of(request)
    access.require(visitor, "chat")
    file = get_object_or_404(access.own_translation_files(visitor), pk=identifier, status=FileStatus.DONE)
    place = translation_batches.folder(file.pk) / "made"
    if not place.exists():
        raise Http404
    return StreamedFile(files.open_read(place), as_attachment=True, filename=translation_batches.made_name(file),
                        content_type="application/octet-stream")
