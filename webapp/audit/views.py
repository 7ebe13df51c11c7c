"""The audit log's page for administrators, and the log as a file."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from webapp import access
from webapp.audit import exporting, services
from webapp.audit.forms import SearchForm
from webapp.audit.models import Action, Entry
from webapp.errors import BadInput

ENTRIES_A_PAGE = 100


@never_cache
@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    access.require(request.user, "administer")
    form = SearchForm(request.GET)
    found = _found(form)
    query = request.GET.copy()
    query.pop("page", None)
    return render(request, "audit/audit.html", {
        "form": form, "page": Paginator(found, ENTRIES_A_PAGE).get_page(request.GET.get("page")),
        "query": query.urlencode(),
    }, status=400 if form.errors else 200)


@never_cache
@require_safe
def export(request: HttpRequest) -> StreamingHttpResponse:
    """What the same search finds, as ?format=csv or json, sent as it is read."""
    access.require(request.user, "administer")
    kind = request.GET.get("format", "csv")
    if kind not in exporting.FORMATS:
        raise BadInput(_("The log is exported as csv or json."), "format")
    form = SearchForm(request.GET)
    if not form.is_valid():  # an empty file would look as if nothing had happened
        raise BadInput(" ".join(sentence for sentences in form.errors.values() for sentence in sentences))
    found = _found(form)
    services.record(Action.LOG_EXPORTED, kind)
    media_type, lines = exporting.FORMATS[kind]
    response = StreamingHttpResponse(lines(found), content_type=media_type)
    name = f"audit-{timezone.localdate():%Y-%m-%d}.{kind}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _found(form: SearchForm) -> QuerySet[Entry]:
    if not form.is_valid():
        return Entry.objects.none()
    values = form.cleaned_data
    return services.search(values["q"], values["action"], values["since"], values["until"])
