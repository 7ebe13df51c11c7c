"""Pages of jobs: all of them, one as it runs, the launch form, two side by side."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from models_service.export_formats import ARCHIVE_FILE
from models_service.training.plan import can_vary
from webapp import access
from webapp.audit.models import Action
from webapp.audit.services import record
from webapp.errors import BadInput, NotFound
from webapp.ops import worker_pulse
from webapp.streamed_file import StreamedFile
from webapp.training import curves, jobs, launch_form, overlaps, places, retraining, shelf, subjects, watching
from webapp.training.models import AT_WORK, TRAININGS, DatasetVersion, JobKind, JobStatus
from webapp.training.serializers import job_json

JOBS_A_PAGE = 30


@never_cache
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Jobs, the newest first."""
    access.require(request.user, "administer")
    shown = access.jobs(request.user).exclude(kind=JobKind.MEASURE).select_related("created_by")
    return render(request, "training/overview.html", {
        "page": Paginator(shown, JOBS_A_PAGE).get_page(request.GET.get("page")),
        "has_data": access.datasets(request.user).exists(),
        "worker_lives": worker_pulse.beats(settings.REDIS_URL, name=worker_pulse.TRAINER),
        "at_work": AT_WORK, "falls": watching.falls(), "proposals": retraining.proposals(),
    })


@never_cache
@require_safe
def job(request: HttpRequest, identifier: UUID) -> HttpResponse:
    access.require(request.user, "administer")
    found = get_object_or_404(access.jobs(request.user).select_related("data__dataset", "created_by"), pk=identifier)
    given = found.options
    options = jobs.all_options(found)
    return render(request, "training/job.html", {
        "job": found, "job_json": job_json(found), "evaluations": found.evaluations.all(),
        "options": [(name, value, name in given) for name, value in options.items()],
        "is_training": found.kind in TRAININGS, "can_repeat": retraining.can_repeat(found),
        "others": access.jobs(request.user).filter(kind__in=TRAININGS, task=found.task).exclude(pk=found.pk)[:20],
    })


@never_cache
@require_safe
def job_curves(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """All points of a job as CSV."""
    access.require(request.user, "administer")
    found = get_object_or_404(access.jobs(request.user), pk=identifier)
    name = f"{found.task}-{str(found.pk)[:8]}.csv"
    return HttpResponse(curves.table(curves.points(found.pk)), content_type="text/csv; charset=utf-8",
                        headers={"Content-Disposition": f'attachment; filename="{name}"'})


@never_cache
@require_safe
def archive(request: HttpRequest, identifier: UUID) -> StreamedFile:
    """What an export made."""
    access.require(request.user, "administer")
    found = get_object_or_404(access.jobs(request.user), pk=identifier, kind=JobKind.EXPORT)
    file = places.job(found.pk) / ARCHIVE_FILE
    if found.status != JobStatus.DONE or not file.is_file():
        raise NotFound(_("The archive is not there: the job has not ended, or its files were deleted."))
    record(Action.MODEL_DOWNLOADED, found.options["model"], format=found.options["format"])
    name = f"{found.options['model'].replace('@', '-')}-{found.options['format']}.zip"
    return StreamedFile(file.open("rb"), as_attachment=True, filename=name, content_type="application/zip")


@never_cache
@require_http_methods(["GET", "POST"])
def launch(request: HttpRequest) -> HttpResponse:
    """The launch form: ?task=, ?data= a data set's version, ?clone= a job whose settings are taken over."""
    access.require(request.user, "administer")
    cloned = _chosen(access.jobs(request.user), request.GET.get("clone") or request.POST.get("clone"))
    wanted = request.POST.get("task") or request.GET.get("task") or (cloned.task if cloned else "qa")
    task = wanted if wanted in subjects.SUBJECTS else "qa"
    given: dict[str, Any] = dict(cloned.options) if cloned and cloned.task == task else {}
    chosen = request.POST.get("data") or request.GET.get("data") or (str(cloned.data_id) if cloned else "")
    errors: dict[str, str] = {}
    if request.method == "POST":
        names = {setting.name for setting in launch_form.settings_of(task, {})} | {*jobs.PLAN}
        given = {name: request.POST.get(name, "") for name in names if request.POST.get(name) or name == "base"}
        try:
            made = jobs.launch(task, _version(request, chosen), given, request.user,
                               name=request.POST.get("name", ""), cloned_from=cloned)
            return redirect("job", made.pk)
        except BadInput as problem:
            errors[problem.field] = problem.message
    return render(request, "training/new_job.html", {
        "task": task, "tasks": [(one, shelf.task_name(one)) for one in subjects.SUBJECTS],
        "versions": _versions(request, task), "chosen": chosen, "cloned": cloned,
        "settings": launch_form.settings_of(task, given, errors), "errors": errors,
        "name": request.POST.get("name", ""), "plan": _plan(given),
        "can_vary": can_vary(subjects.recipe(task).settings),
    }, status=400 if errors else 200)


def _plan(given: dict[str, Any]) -> dict[str, Any]:
    """As the form's fields hold it; empty when it is an ordinary training."""
    found = {name: given[name] for name in jobs.PLAN if given.get(name)}
    if isinstance(found.get("search"), list):
        found["search"] = "\n".join(found["search"])
    return found


@never_cache
@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """Two jobs' curves over each other and their settings side by side: ?a=, ?b=."""
    access.require(request.user, "administer")
    pair = [_chosen(access.jobs(request.user), request.GET.get(name)) for name in ("a", "b")]
    if None in pair:
        return redirect("dashboard")
    options = [jobs.all_options(one) for one in pair]
    names = list(dict.fromkeys([*options[0], *options[1]]))
    rows = [(name, *(one.get(name) for one in options)) for name in names]
    return render(request, "training/compare_jobs.html", {
        "pair": pair, "rows": [(name, a, b, a != b) for name, a, b in rows],
        "metrics": [(name, *(one.metrics.get(name) for one in pair))
                    for name in dict.fromkeys([*pair[0].metrics, *pair[1].metrics])],
        "points": [{"name": str(one), "points": curves.points(one.pk)} for one in pair],
    })


def _chosen(rows: Any, identifier: str | None) -> Any:
    try:
        return rows.filter(pk=identifier).first() if identifier else None
    except (ValueError, ValidationError):
        return None


def _versions(request: HttpRequest, task: str) -> list[DatasetVersion]:
    """Each with `notes`: what is to be told when it is chosen."""
    found = DatasetVersion.objects.filter(dataset__in=access.datasets(request.user), dataset__task=task)
    versions = list(found.select_related("dataset").order_by("-created_at"))
    told = overlaps.notes(versions)
    for version in versions:
        version.notes = told.get(version.pk, [])
    return versions


def _version(request: HttpRequest, identifier: str) -> DatasetVersion:
    found = _chosen(DatasetVersion.objects.filter(dataset__in=access.datasets(request.user)), identifier)
    if found is None:
        raise BadInput(_("Choose a data set."), "data")
    return found
