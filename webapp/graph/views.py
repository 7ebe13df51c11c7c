"""The knowledge graph's pages: looking things up for everyone who may chat, files and SPARQL for administrators."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from qa.graph_files import PACKED, SUFFIXES
from qa.graph_query import PREFIXES
from webapp import access
from webapp.errors import BadInput, NotFound, SiteError
from webapp.graph import browsing, querying, services
from webapp.limits import meter

LONGEST_SEARCH = 200
ACTIONS = {"cancel": services.cancel, "retry": services.retry, "remove": services.remove}


@never_cache
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """What ?q= finds, a ?page= of it; without it how much there is."""
    access.require(access.visitor_of(request), "chat")
    text = request.GET.get("q", "").strip()[:LONGEST_SEARCH]
    return render(request, "graph/search.html", {
        "text": text, "results": browsing.find(text, _number(request, "page")), "counts": browsing.counts(),
    })


@never_cache
@require_safe
def entity(request: HttpRequest) -> HttpResponse:
    """The thing that ?iri= names: a ?page= of what is said of it, and one (?in=) of what leads to it."""
    access.require(access.visitor_of(request), "chat")
    iri = request.GET.get("iri", "")
    try:
        shown = browsing.entity(iri, _number(request, "page"), _number(request, "in"))
    except NotFound as error:
        return render(request, "graph/entity.html", {"iri": iri[:2000], "unknown": error.message}, status=404)
    is_web = iri.startswith(("http://", "https://"))
    return render(request, "graph/entity.html", {
        "iri": iri, "is_web": is_web, "entity": shown.entity, "facts": shown.facts, "incoming": shown.incoming,
    })


@never_cache
@require_http_methods(["GET", "POST"])
def sources(request: HttpRequest) -> HttpResponse:
    """The files that the graph is made of; files that are sent are imported."""
    access.require(request.user, "administer")
    problems = _add(request) if request.method == "POST" else []
    if request.method == "POST" and not problems:
        return redirect("graph-sources")
    return render(request, "graph/sources.html", {
        "sources": access.graph_sources(request.user).select_related("added_by"), "counts": browsing.counts(),
        "problems": problems, "limit": settings.MAX_UPLOAD_BYTES, "limit_mb": settings.MAX_UPLOAD_BYTES // 1_000_000,
        "endings": ",".join((*SUFFIXES, *PACKED)),
    }, status=400 if problems else 200)


def _add(request: HttpRequest) -> list[str]:
    """Queue each file that can be; why the others cannot."""
    files = request.FILES.getlist("file")
    if not files:
        return [_("Choose a file.")]
    problems = []
    for file in files:
        try:
            meter.start_jobs(request.user)
            source, known = services.add(file.name, file.chunks(), request.user)
        except SiteError as problem:
            problems.append(problem.message)
            continue
        if known:
            messages.info(request, _("%(name)s was there already.") % {"name": source.name})
        else:
            messages.success(request, _("%(name)s is being imported.") % {"name": source.name})
    return problems


@require_POST
def act(request: HttpRequest, identifier: UUID, action: str) -> HttpResponse:
    """Cancel, try again or remove."""
    access.require(request.user, "administer")
    if action not in ACTIONS:
        raise Http404
    source = get_object_or_404(access.graph_sources(request.user), pk=identifier)
    try:
        ACTIONS[action](source)
    except SiteError as problem:
        messages.error(request, problem.message)
    return redirect("graph-sources")


@never_cache
@require_safe
def sparql(request: HttpRequest) -> HttpResponse:
    """The form; what is asked goes to POST /api/v1/graph/sparql."""
    access.require(request.user, "administer")
    return render(request, "graph/sparql.html", {
        "examples": querying.EXAMPLES, "prefixes": PREFIXES.items(),
        "most_rows": f"{querying.MOST_ROWS:,}", "seconds": f"{querying.SECONDS:g}",
    })


def _number(request: HttpRequest, name: str) -> int:
    text = request.GET.get(name) or "1"
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= browsing.MOST_PAGES):
        raise BadInput(_("There is no such page."), name)
    return int(text)
