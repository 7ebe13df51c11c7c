"""The dashboard's page on which administrators choose when the site says that it does not know."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from qa.confidence import Bar, Figures
from webapp import access
from webapp.chat import abstention
from webapp.errors import BadInput


@never_cache
@require_http_methods(["GET", "POST"])
def abstention_page(request: HttpRequest) -> HttpResponse:
    access.require(request.user, "administer")
    error = ""
    if request.method == "POST":
        try:
            abstention.set_bar(_number(request.POST.get("bar", "")), request.user)
            messages.success(request, _("The bar is moved. It holds from the next question on."))
            return redirect("abstention")
        except BadInput as problem:
            error = problem.message
    reader, figures = abstention.figures()
    recent = abstention.recent()
    bar = abstention.bar()
    return render(request, "chat/abstention.html", {
        "bar": bar, "default": abstention.ABSTAIN_BELOW, "error": error, "reader": reader, "figures": figures,
        "told": recent[0].answers, "days": abstention.RECENT_DAYS, "rows": _rows(recent, figures),
        "now_x": f"{100 * bar:g}", **(_curves(figures) if figures else {}),
    }, status=400 if error else 200)


def _rows(recent: list[abstention.Recent], figures: Figures | None) -> list[tuple[abstention.Recent, dict[str, str]]]:
    measured = {each.bar: each for each in figures.bars} if figures else {}
    return [(here, _percent(measured[here.bar]) if here.bar in measured else {}) for here in recent]


def _percent(bar: Bar) -> dict[str, str]:
    return {"answered": f"{bar.coverage:.1%}", "right": "–" if bar.precision is None else f"{bar.precision:.1%}"}


def _curves(figures: Figures) -> dict[str, str]:
    """Points of the two curves in a box of 100 by 50: the bar to the right, the share upwards."""
    return {
        "answered": " ".join(f"{100 * each.bar:g},{50 - 50 * each.coverage:.2f}" for each in figures.bars),
        "right": " ".join(f"{100 * each.bar:g},{50 - 50 * each.precision:.2f}" for each in figures.bars
                          if each.precision is not None),
    }


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return -1.0
