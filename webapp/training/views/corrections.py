"""Pages of corrections: the answers that were judged bad, saying what is right, and the data set made of them."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from webapp import access
from webapp.accounts.models import User
from webapp.chat.models import Feedback
from webapp.errors import BadInput, Conflict
from webapp.training import corrections as services
from webapp.training import preferred_answers
from webapp.training.models import DatasetVersion


@never_cache
@require_safe
def corrections(request: HttpRequest) -> HttpResponse:
    access.require(request.user, "administer")
    cases = services.cases(request.user)
    return render(request, "training/corrections.html", {
        "cases": cases, "some_are_written": any(case.is_written for case in cases)})


@never_cache
@require_POST
def correct(request: HttpRequest, identifier: int) -> HttpResponse:
    access.require(request.user, "administer")
    feedback = get_object_or_404(Feedback.objects.select_related("message__parent"), pk=identifier, helpful=False)
    try:
        services.correct(services.case(feedback, request.user), request.POST.get("context", ""),
                         request.POST.get("answer", ""), request.user)
        messages.success(request, _("Saved."))
    except BadInput as problem:
        messages.error(request, problem.message)
    return redirect("corrections")


@require_POST
def make(request: HttpRequest) -> HttpResponse:
    """Of all corrections, for a reader."""
    return _made(request, services.make)


@require_POST
def make_pairs(request: HttpRequest) -> HttpResponse:
    """Of those of a text generator's answers, for one."""
    return _made(request, preferred_answers.make)


def _made(request: HttpRequest, make: Callable[[User], tuple[DatasetVersion, bool]]) -> HttpResponse:
    access.require(request.user, "administer")
    try:
        version, known = make(request.user)
    except Conflict as problem:
        messages.error(request, problem.message)
        return redirect("corrections")
    if known:
        messages.info(request, _("The data set has all corrections already."))
    return redirect("dataset", version.dataset_id)
