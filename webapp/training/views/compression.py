"""The page that makes a smaller or quicker version of a version."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from models_service.compression.methods import METHODS, methods_for
from webapp import access
from webapp.errors import BadInput, NotFound
from webapp.training import compress_form, compress_jobs, shelf
from webapp.training.models import DatasetVersion


@never_cache
@require_http_methods(["GET", "POST"])
def compress(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """?method= one of METHODS; posting queues the job."""
    access.require(request.user, "administer")
    there = shelf.versions(name) if name in shelf.names() else []
    shown = next((one for one in there if one.version == version), None)
    methods = methods_for(shown.kind) if shown else []
    if shown is None or not methods:
        raise NotFound(_("There is no such version, or it cannot be compressed."))
    method = request.GET.get("method", "")
    method = method if method in methods else methods[0]
    data_sets = DatasetVersion.objects.filter(dataset__in=access.datasets(request.user), is_accepted=True)
    if shown.task:
        data_sets = data_sets.filter(dataset__task=shown.task)
    data_sets = list(data_sets.select_related("dataset").order_by("-created_at"))
    chosen, limit = request.POST.get("data", ""), request.POST.get("limit", "")
    given = {one: request.POST[one] for one in METHODS[method].settings.model_fields if request.POST.get(one)}
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            data = next((one for one in data_sets if str(one.pk) == chosen), None)
            if chosen and data is None:
                raise BadInput(_("Choose a data set."), "data")
            made = compress_jobs.compress(shown.label, method, data, given, request.user, limit=_number(limit))
            return redirect("job", made.pk)
        except BadInput as problem:
            errors[problem.field] = problem.message
    return render(request, "training/compress.html", {
        "shown": shown, "methods": [(one, compress_form.NAMES[one]) for one in methods], "method": method,
        "told": compress_form.TOLD[method], "data_sets": data_sets, "limit": limit, "errors": errors,
        "chosen": chosen or (str(data_sets[0].pk) if data_sets and request.method == "GET" else ""),
        "settings": compress_form.settings_of(method, given, errors),
    }, status=400 if errors else 200)


def _number(given: str) -> int | None:
    if not given:
        return None
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 0
