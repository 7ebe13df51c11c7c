"""Pages of the registry: every version with its lineage, and the gate through which one goes live."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from webapp import access
from webapp.errors import BadInput, Conflict, NotFound
from webapp.training import compress_jobs, promoting, shelf
from webapp.training.models import DatasetVersion, Promotion

PROMOTIONS_SHOWN = 30


@never_cache
@require_safe
def models(request: HttpRequest) -> HttpResponse:
    access.require(request.user, "administer")
    found = [(name, shelf.versions(name), shelf.can_roll_back(name)) for name in shelf.names()]
    return render(request, "training/models.html", {
        "models": [{"name": name, "versions": versions, "can_roll_back": can, "kind": versions[0].kind,
                    "task": versions[0].task} for name, versions, can in found if versions],
        "promotions": Promotion.objects.all()[:PROMOTIONS_SHOWN],
    })


@never_cache
@require_http_methods(["GET", "POST"])
def version(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """A version with its lineage and, unless it is served, what speaks for putting it into use; posting does it."""
    access.require(request.user, "administer")
    there = shelf.versions(name) if name in shelf.names() else []
    shown = next((one for one in there if one.version == version), None)
    if shown is None:
        raise NotFound(_("There is no such version."))
    error = ""
    if request.method == "POST":
        try:
            promoting.promote(name, version, request.user, reason=request.POST.get("reason", ""),
                              against_rule=request.POST.get("against_rule") == "on")
            messages.success(request, _("%(name)s is served in version %(version)s now.")
                             % {"name": name, "version": version})
            return redirect("models")
        except (BadInput, Conflict) as problem:
            error = problem.message
    gate = promoting.gate(name, version)
    return render(request, "training/version.html", {
        "shown": shown, "gate": gate, "error": error, "main": gate.differences.get(gate.main),
        "differences": gate.differences.items(),
        "data": shelf.trained_on(shown), "directions": shelf.directions(shown),
        "held_out": DatasetVersion.objects.filter(dataset__task=gate.task, rows_held_out__gt=0, is_accepted=True)
        .select_related("dataset").order_by("-created_at")[:20],
    }, status=400 if error else 200)


@require_POST
def export(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """Queue the writing of an archive in the format that was chosen."""
    access.require(request.user, "administer")
    try:
        job = compress_jobs.export(f"{name}@{version}", request.POST.get("format", ""), request.user)
        return redirect("job", job.pk)
    except BadInput as problem:
        messages.error(request, problem.message)
    return redirect("models")


@require_POST
def rollback(request: HttpRequest, name: str) -> HttpResponse:
    access.require(request.user, "administer")
    if name not in shelf.names():
        raise NotFound(_("There is no such model."))
    try:
        done = promoting.rollback(name, request.user, reason=request.POST.get("reason", ""))
        messages.success(request, _("%(name)s is served in version %(version)s again.")
                         % {"name": name, "version": done.version})
    except Conflict as problem:
        messages.error(request, problem.message)
    return redirect("models")
