"""Pages of data sets: all of them, uploading, one with its report, its rows and its versions."""

from __future__ import annotations

from itertools import islice
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from webapp import access
from webapp.chat.models import Feedback
from webapp.errors import BadInput, Conflict, TooLarge
from webapp.training import datasets as services
from webapp.training import marked_passages, overlaps, rows_file, sentences
from webapp.training.models import DatasetVersion, DataTask

ROWS_SHOWN = 50
BAR_WIDTH = 20


@never_cache
@require_http_methods(["GET", "POST"])
def datasets(request: HttpRequest) -> HttpResponse:
    """All of them; a file makes a new one."""
    access.require(request.user, "administer")
    errors: dict[str, str] = {}
    if request.method == "POST":
        file = request.FILES.get("file")
        try:
            if file is None:
                raise BadInput(_("Choose a file."), "file")
            made = services.create_with_file(
                request.POST.get("name", "") or file.name.split(".")[0], request.POST.get("task", ""), request.user,
                file.name, file.chunks(), share=_share(request),
            )
            return redirect("dataset", made.dataset_id)
        except (BadInput, TooLarge) as problem:
            errors[getattr(problem, "field", "") or "file"] = problem.message
    return render(request, "training/datasets.html", {
        "datasets": access.datasets(request.user).prefetch_related("versions"), "tasks": DataTask.choices,
        "errors": errors, "given": request.POST, "limit_mb": settings.MAX_UPLOAD_BYTES // 1_000_000,
        "judged_bad": Feedback.objects.filter(helpful=False).count(),
    }, status=400 if errors else 200)


@require_POST
def make_of_marks(request: HttpRequest) -> HttpResponse:
    """Of the passages that were marked on the search page."""
    access.require(request.user, "administer")
    try:
        version, known = marked_passages.make(request.user)
    except Conflict as problem:
        messages.error(request, problem.message)
        return redirect("search")
    if known:
        messages.info(request, _("The data set has all marks already."))
    return redirect("dataset", version.dataset_id)


@never_cache
@require_http_methods(["GET", "POST"])
def dataset(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """One version (?version=, the newest else) with its report and its rows (?q=, ?side=); a file adds a version."""
    access.require(request.user, "administer")
    found = get_object_or_404(access.datasets(request.user), pk=identifier)
    error = ""
    if request.method == "POST":
        file = request.FILES.get("file")
        try:
            if file is None:
                raise BadInput(_("Choose a file."), "file")
            _made, known = services.add_version(found, request.user, file.name, file.chunks())
            if known:
                messages.info(request, _("The data set has this content already."))
            return redirect("dataset", identifier)
        except (BadInput, TooLarge) as problem:
            error = problem.message
    number = request.GET.get("version", "")
    versions = found.versions.all()
    is_number = number.isascii() and number.isdigit() and len(number) < 10
    shown = versions.filter(number=int(number)).first() if is_number else versions.first()
    context = {"dataset": found, "versions": versions, "version": shown, "error": error}
    if shown is not None:
        context |= _contents(request, shown)
    return render(request, "training/dataset.html", context, status=400 if error else 200)


def _contents(request: HttpRequest, version: DatasetVersion) -> dict[str, Any]:
    search, side = request.GET.get("q", "").strip(), request.GET.get("side", "")
    report = version.report
    highest = max((one["count"] for one in report["lengths"]), default=1)
    return {
        "search": search, "side": side,
        "rows": [_shown(row) for row in islice(rows_file.rows(version, search, side), ROWS_SHOWN)],
        "rows_shown": ROWS_SHOWN,
        "problems": [{"text": sentences.problem(one), "kept": one["kept"]} for one in report["problems"]],
        "overlaps": overlaps.notes([version]).get(version.pk, []),
        "counts": [(sentences.heading(code), count) for code, count in report["counts"].items()],
        "bars": [_bar(one, index, 56 * one["count"] / highest) for index, one in enumerate(report["lengths"])],
        "bars_width": BAR_WIDTH * len(report["lengths"]),
    }


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """With `pieces` where entities are marked in its text: (text, label), the label empty between them."""
    if "entities" not in row:
        return row
    pieces, at = [], 0
    for one in row["entities"]:
        pieces += [(row["text"][at : one["start"]], ""), (row["text"][one["start"] : one["end"]], one["label"])]
        at = one["end"]
    return {**row, "pieces": [*pieces, (row["text"][at:], "")]}


def _bar(one: dict[str, int], index: int, height: float) -> dict[str, Any]:
    """A bin of the histogram with its place in the picture."""
    return {**one, "x": str(BAR_WIDTH * index), "y": f"{60 - height:.1f}", "height": f"{height:.1f}"}


@require_POST
def accept(request: HttpRequest, identifier: UUID) -> HttpResponse:
    access.require(request.user, "administer")
    found = get_object_or_404(access.datasets(request.user), pk=identifier)
    if found.newest is not None:
        services.accept(found.newest)
        messages.success(request, _("The rows that could not be used are left out."))
    return redirect("dataset", identifier)


@require_POST
def delete(request: HttpRequest, identifier: UUID) -> HttpResponse:
    access.require(request.user, "administer")
    found = get_object_or_404(access.datasets(request.user), pk=identifier)
    try:
        services.delete(found)
    except Conflict as problem:
        messages.error(request, problem.message)
        return redirect("dataset", identifier)
    messages.success(request, _("The data set “%(name)s” is deleted.") % {"name": found.name})
    return redirect("datasets")


def _share(request: HttpRequest) -> float:
    given = request.POST.get("share", "20")
    if not given.isascii() or not given.isdigit() or len(given) > 2:
        raise BadInput(_("The held-out share is from 0 to 90 %."), "share")
    return int(given) / 100
