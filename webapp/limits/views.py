"""The page on which people see what they have used, and the dashboard's on which administrators set quotas."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from webapp import access
from webapp.limits import allowed, meter
from webapp.limits.forms import QuotaForm
from webapp.limits.models import Quota

DAYS_SHOWN = 14
PEOPLE_ON_A_PAGE = 50


@never_cache
@require_safe
def usage(request: HttpRequest) -> HttpResponse:
    access.require(request.user, "create_collection")
    days = meter.days(request.user, DAYS_SHOWN)
    return render(request, "limits/usage.html", {
        "standings": meter.standings(request.user), "days": days,
        "most_tokens": max([1, *(day.tokens for day in days)]),
    })


@never_cache
@require_safe
def quotas(request: HttpRequest) -> HttpResponse:
    """Everyone with an account; those with limits of their own are marked."""
    access.require(request.user, "administer")
    words = request.GET.get("q", "").strip()
    found = access.people(request.user).select_related("quota").order_by("username")
    page = Paginator(found.filter(username__icontains=words) if words else found, PEOPLE_ON_A_PAGE).get_page(
        request.GET.get("page"))
    rows = [(person, meter.days(person, 1)[0], allowed.of(person)) for person in page]
    return render(request, "limits/quotas.html", {"rows": rows, "page": page, "words": words,
                                                  "site": allowed.of_site()})


@never_cache
@require_http_methods(["GET", "POST"])
def quota(request: HttpRequest, identifier: int) -> HttpResponse:
    access.require(request.user, "administer")
    person = get_object_or_404(access.people(request.user), pk=identifier)
    own = Quota.objects.filter(user=person).first() or Quota(user=person)
    form = QuotaForm(request.POST or None, instance=own)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("The limits of %(name)s are saved.") % {"name": person.username})
        return redirect("quotas")
    context = {"person": person, "form": form, "standings": meter.standings(person)}
    return render(request, "limits/quota.html", context, status=400 if form.errors else 200)
