"""A part of the page of evaluations: what is trained again by itself, set up, ended, taken over, tried, dismissed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from webapp import access
from webapp.errors import BadInput, SiteError
from webapp.training import corrections
from webapp.training import retraining as services
from webapp.training.models import Dataset, DatasetVersion, DataTask, Retraining, Round


def shown(task: str, versions: Iterable[DatasetVersion]) -> dict[str, Any]:
    """What the page needs: what there is, and the data sets of these versions that it can be set up for."""
    there = services.of(task)
    taken = {one.retraining.dataset_id for one in there}
    datasets = dict.fromkeys(one.dataset for one in versions if one.is_accepted and one.dataset_id not in taken)
    return {"retrainings": there, "retrainable": list(datasets),
            "has_corrections": task == DataTask.QA and any(one.name == corrections.NAME for one in datasets)}


@require_POST
def retrain(request: HttpRequest) -> HttpResponse:
    """Train again whenever the chosen data set has grown, with the recipe's settings."""
    access.require(request.user, "administer")
    given = {name: request.POST.get(name, "") for name in ("source", "target")}

    def add() -> Retraining:
        return services.add(
            _dataset(request), _number(request, "every_hours"), request.user,
            evaluation={name: value for name, value in given.items() if value},
            least_corrections=_number(request, "least_corrections") if request.POST.get("least_corrections") else 0,
            promotes=request.POST.get("promotes") == "on")

    return _done(request, add, _told(), request.POST.get("task", ""))


@require_POST
def retrain_like(request: HttpRequest, identifier: UUID) -> HttpResponse:
    """With the settings of a finished fine-tune."""
    access.require(request.user, "administer")
    job = get_object_or_404(access.jobs(request.user).select_related("data__dataset"), pk=identifier)
    return _done(request, lambda: services.add_like(job, _number(request, "every_hours"), request.user), _told(),
                 job.task)


@require_POST
def end(request: HttpRequest, identifier: int) -> HttpResponse:
    access.require(request.user, "administer")
    found = get_object_or_404(Retraining, pk=identifier)
    return _done(request, lambda: services.end(found), _("It is trained again by itself no more."),
                 found.dataset.task)


@require_POST
def take_over(request: HttpRequest, identifier: int) -> HttpResponse:
    access.require(request.user, "administer")
    found = get_object_or_404(Retraining, pk=identifier)
    return _done(request, lambda: services.take_over(found, request.user), _("It goes on in your name."),
                 found.dataset.task)


@require_POST
def again(request: HttpRequest, identifier: int) -> HttpResponse:
    access.require(request.user, "administer")
    found = get_object_or_404(Round, pk=identifier)
    return _done(request, lambda: services.again(found), _("It is tried again."), found.data.dataset.task)


@require_POST
def dismiss(request: HttpRequest, identifier: int) -> HttpResponse:
    access.require(request.user, "administer")
    found = get_object_or_404(Round, pk=identifier)
    return _done(request, lambda: services.dismiss(found), _("The proposal is dismissed. The version stays."),
                 found.data.dataset.task)


def _told() -> str:
    return _("From now on it is trained again whenever the data set has grown.")


def _done(request: HttpRequest, change: Callable[[], Any], told: str, task: str) -> HttpResponse:
    """Back on the page of evaluations, with what came of it."""
    try:
        change()
        messages.success(request, told)
    except SiteError as problem:
        messages.error(request, problem.message)
    return redirect(f"{reverse('evaluations')}?{urlencode({'task': task})}")


def _dataset(request: HttpRequest) -> Dataset:
    try:
        return access.datasets(request.user).get(pk=request.POST.get("dataset", ""))
    except (Dataset.DoesNotExist, ValidationError, ValueError):
        raise BadInput(_("Choose a data set."), "dataset") from None


def _number(request: HttpRequest, name: str) -> int:
    """-1 for what is no number, which no service takes."""
    given = request.POST.get(name, "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 6 else -1
