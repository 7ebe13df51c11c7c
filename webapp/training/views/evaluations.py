"""Pages of evaluations: the leaderboard and the form, and one evaluation row by row, beside another if wanted."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from webapp import access
from webapp.errors import BadInput
from webapp.training import comparing, jobs, labelling_tables, promoting, shelf, subjects, watching
from webapp.training.models import DatasetVersion, Watch
from webapp.training.views import retraining

ROWS_A_PAGE = 25


@never_cache
@require_http_methods(["GET", "POST"])
def evaluations(request: HttpRequest) -> HttpResponse:
    """The leaderboard of each task and data set; measuring more models."""
    access.require(request.user, "administer")
    wanted = request.POST.get("task") or request.GET.get("task")
    task = wanted if wanted in subjects.SUBJECTS else "qa"
    versions = list(DatasetVersion.objects.filter(
        dataset__in=access.datasets(request.user), dataset__task=task, rows_held_out__gt=0
    ).select_related("dataset").order_by("-created_at"))
    error = ""
    if request.method == "POST":
        limit = request.POST.get("limit", "")
        try:
            data = next((one for one in versions if str(one.pk) == request.POST.get("data")), None)
            if data is None:
                raise BadInput(_("Choose a data set."), "data")
            made = jobs.evaluate(task, data, request.POST.getlist("models"), request.user,
                                 limit=int(limit) if limit.isascii() and limit.isdigit() and len(limit) < 10
                                 else None,
                                 options=_languages(request))
            return redirect("job", made.pk)
        except BadInput as problem:
            error = problem.message
    return render(request, "training/evaluations.html", {
        "task": task, "tasks": [(one, shelf.task_name(one)) for one in subjects.SUBJECTS], "versions": versions,
        "models": subjects.versions_of((subjects.SUBJECTS[task].kind,)), "error": error,
        "chosen": request.POST.getlist("models") or request.GET.getlist("model"),
        "data": request.POST.get("data") or request.GET.get("data", ""),
        "watches": watching.of(task), **retraining.shown(task, versions),
        "boards": comparing.leaderboards(access.evaluations(request.user), task),
    }, status=400 if error else 200)


@require_POST
def watch(request: HttpRequest) -> HttpResponse:
    """Measure what is served on a data set every so many hours."""
    access.require(request.user, "administer")
    task, hours = request.POST.get("task", ""), request.POST.get("every_hours", "")
    versions = DatasetVersion.objects.filter(dataset__in=access.datasets(request.user), dataset__task=task)
    data = versions.filter(pk=_identifier(request.POST.get("data"))).first()
    try:
        if data is None:
            raise BadInput(_("Choose a data set."), "data")
        watching.add(data, int(hours) if hours.isascii() and hours.isdigit() and len(hours) < 6 else 0,
                     request.user, rolls_back=request.POST.get("rolls_back") == "on",
                     options={name: value for name, value in _languages(request).items() if value})
        messages.success(request, _("The served model is measured again and again from now on."))
    except BadInput as problem:
        messages.error(request, problem.message)
    return redirect(f"{reverse('evaluations')}?{urlencode({'task': task})}")


@require_POST
def unwatch(request: HttpRequest, identifier: int) -> HttpResponse:
    access.require(request.user, "administer")
    found = get_object_or_404(Watch, pk=identifier)
    found.delete()
    return redirect(f"{reverse('evaluations')}?{urlencode({'task': found.task})}")


def _identifier(given: str | None) -> UUID | None:
    try:
        return UUID(given or "")
    except ValueError:
        return None


def _languages(request: HttpRequest) -> dict[str, str]:
    """Of a translation: from two fields, or from one that holds both."""
    chosen = request.POST.get("direction", "").split()
    both = chosen if len(chosen) == 2 else [request.POST.get(name, "") for name in ("source", "target")]
    return dict(zip(("source", "target"), both, strict=True))


@never_cache
@require_safe
def evaluation(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """Row by row; ?with= another evaluation on the same rows, ?show= which rows."""
    access.require(request.user, "administer")
    found = get_object_or_404(access.evaluations(request.user).select_related("data"), pk=identifier)
    others = access.evaluations(request.user).filter(
        task=found.task, data=found.data, n=found.n, condition=found.condition, data__isnull=False,
    ).exclude(pk=found.pk)
    other = _other(others, request.GET.get("with"))
    show = request.GET.get("show", "")
    table = comparing.table(promoting.examples(found), promoting.examples(other) if other else None,
                            subjects.SUBJECTS[found.task].main)
    shown = [row for row in table if comparing.is_shown(row, show)]
    metrics = [(name, value, found.intervals.get(name)) for name, value in found.metrics.items()]
    return render(request, "training/evaluation.html", {
        "evaluation": found, "others": others[:20], "other": other, "show": show, "metrics": metrics,
        "differences": promoting.compare(other, found) if other else {}, "filters": comparing.filters(bool(other)),
        "groups": comparing.groups(table), "labelling": labelling_tables.tables(found.labelling),
        "page": Paginator(shown, ROWS_A_PAGE).get_page(request.GET.get("page")),
    })


def _other(others: Any, identifier: str | None) -> Any:
    try:
        return others.filter(pk=identifier).first() if identifier else None
    except (ValueError, ValidationError):
        return None
