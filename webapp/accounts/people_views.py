"""The dashboard's pages about people: accounts, invitations and groups."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from webapp import access
from webapp.accounts import one_time_links
from webapp.accounts import people as services
from webapp.accounts.forms import InvitationForm
from webapp.accounts.models import Role, User
from webapp.errors import BadInput, Conflict
from webapp.privacy import erasing

PEOPLE_A_PAGE = 50
ROLES = [choice for choice in Role.choices if choice[0] != Role.GUEST]


@never_cache
@require_http_methods(["GET", "POST"])
def people(request: HttpRequest) -> HttpResponse:
    """All accounts, open invitations and groups; inviting someone, making a group."""
    access.require(request.user, "administer")
    posted = request.POST.get("form", "")
    invitation = InvitationForm(request.POST if posted == "invitation" else None)
    link, group_error = "", ""
    if posted == "invitation" and invitation.is_valid():
        values = invitation.cleaned_data
        _row, token = one_time_links.invite(values["role"], values["note"], request.user)
        link = request.build_absolute_uri(reverse("invited", args=[token]))
        invitation = InvitationForm()
    elif posted == "group":
        try:
            services.make_group(request.POST.get("group", ""))
            return redirect(reverse("people") + "#groups")
        except BadInput as error:
            group_error = error.message
    search = request.GET.get("q", "").strip()
    shown = access.people(request.user).annotate(collection_count=Count("collections")).order_by("username")
    if search:
        shown = shown.filter(Q(username__icontains=search) | Q(first_name__icontains=search)
                             | Q(last_name__icontains=search) | Q(email__icontains=search))
    return render(request, "accounts/people.html", {
        "page": Paginator(shown, PEOPLE_A_PAGE).get_page(request.GET.get("page")),
        "search": search,
        "invitation": invitation,
        "link": link,
        "invitations": access.invitations(request.user).select_related("created_by"),
        "groups": access.groups(request.user).annotate(member_count=Count("user")),
        "group_error": group_error,
    }, status=400 if invitation.errors or group_error else 200)


@require_POST
def withdraw_invitation(request: HttpRequest, identifier: int) -> HttpResponse:
    access.require(request.user, "administer")
    one_time_links.withdraw(get_object_or_404(access.invitations(request.user), pk=identifier))
    messages.success(request, _("The invitation is withdrawn; its link no longer works."))
    return redirect("people")


@require_POST
def delete_group(request: HttpRequest, identifier: int) -> HttpResponse:
    access.require(request.user, "administer")
    services.delete_group(get_object_or_404(access.groups(request.user), pk=identifier))
    return redirect(reverse("people") + "#groups")


@never_cache
@require_http_methods(["GET", "POST"])
def person(request: HttpRequest, identifier: int) -> HttpResponse:
    """One account: its role and groups, deactivating it, a link for a new password, deleting it."""
    access.require(request.user, "administer")
    found = get_object_or_404(access.people(request.user), pk=identifier)
    groups = access.groups(request.user)
    link, refusal = "", ""
    if request.method == "POST":
        do = request.POST.get("do", "")
        try:
            if do == "link":
                _row, token = one_time_links.offer_new_password(found, request.user)
                link = request.build_absolute_uri(reverse("new-password", args=[token]))
            else:
                return _done(request, found, do)
        except (BadInput, Conflict) as error:
            refusal = error.message
            found.refresh_from_db()
    return render(request, "accounts/person.html", {
        "person": found, "roles": ROLES, "groups": groups,
        "member_of": set(found.groups.values_list("pk", flat=True)),
        "link": link, "refusal": refusal, "collections": found.collections.count(), "keys": found.api_keys.count(),
    }, status=400 if refusal else 200)


def _done(request: HttpRequest, found: User, do: str) -> HttpResponse:
    """Do what was pressed, and say so on the next page."""
    if do == "delete":
        erasing.erase(found)
        messages.success(request, _("The account %(name)s is deleted, with everything of theirs.")
                         % {"name": found.username})
        return redirect("people")
    steps: dict[str, Callable[[], None]] = {
        "role": lambda: services.change_role(found, request.POST.get("role", "")),
        "groups": lambda: services.set_groups(
            found, access.groups(request.user).filter(pk__in=_numbers(request.POST.getlist("groups")))),
        "deactivate": lambda: services.deactivate(found),
        "reactivate": lambda: services.reactivate(found),
    }
    if do not in steps:
        raise BadInput(_("This page has no such button. Load it anew."))
    steps[do]()
    messages.success(request, _("Saved."))
    return redirect("person", found.pk)


def _numbers(texts: list[str]) -> list[int]:
    return [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 18]
