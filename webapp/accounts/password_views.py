"""Passwords and browsers: setting a new one, by a link or knowing the old one, and signing other browsers out."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from webapp import access
from webapp.accounts import mailing, one_time_links, services, signed_in_browsers
from webapp.accounts.forms import ChangePasswordForm, ForgottenPasswordForm, NewPasswordForm
from webapp.accounts.models import LinkPurpose
from webapp.errors import BadInput


@sensitive_post_parameters("current", "password", "password_again")
@never_cache
@require_http_methods(["GET", "POST"])
def change_password(request: HttpRequest) -> HttpResponse:
    """This browser stays signed in, all others do not."""
    access.require(request.user, "create_collection")
    form = ChangePasswordForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            services.change_password(request.user, form.cleaned_data["password"])
        except BadInput as error:
            form.add_error("password", error.message)
        else:
            before = request.session.session_key
            update_session_auth_hash(request, request.user)
            signed_in_browsers.keep(before, request.session)
            signed_in_browsers.end_all(request.user, but=request.session.session_key)
            messages.success(request, _("Your password is changed. Your other browsers are signed out."))
            return redirect("account")
    return render(request, "accounts/change_password.html", {"form": form}, status=400 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def forgotten(request: HttpRequest) -> HttpResponse:
    """Mails a link, where mail is set up; the answer is the same whether there is such an account or not."""
    form = ForgottenPasswordForm(request.POST or None)
    sent = False
    if settings.SENDS_MAIL and request.method == "POST" and form.is_valid():
        mailing.send_password_link(request, form.cleaned_data["name"])
        sent = True
    context = {"form": form, "sends_mail": settings.SENDS_MAIL, "sent": sent}
    return render(request, "accounts/forgotten.html", context, status=400 if form.errors else 200)


@sensitive_post_parameters("password", "password_again")
@never_cache
@require_http_methods(["GET", "POST"])
def new_password(request: HttpRequest, token: str) -> HttpResponse:
    """Whoever holds the link sets a new password."""
    link = one_time_links.find(LinkPurpose.RESET, token)
    form = NewPasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            one_time_links.set_new_password(token, form.cleaned_data["password"])
        except BadInput as error:
            form.add_error("password", error.message)
        else:
            messages.success(request, _("Your new password is set. Sign in with it."))
            return redirect("sign-in")
    context = {"form": form, "username": link.user.username}
    return render(request, "accounts/new_password.html", context, status=400 if form.errors else 200)


@require_POST
def end_browser(request: HttpRequest, identifier: int) -> HttpResponse:
    access.require(request.user, "create_collection")
    signed_in_browsers.end(get_object_or_404(access.own_browsers(request.user), pk=identifier))
    messages.success(request, _("That browser is signed out."))
    return redirect("account")
