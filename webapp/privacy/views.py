"""The account page's last part: one's data as a file, and deleting the account with all of it."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from models_service.sealed import files
from webapp import access
from webapp.accounts.forms import CurrentPassword
from webapp.accounts.models import User
from webapp.errors import Conflict
from webapp.privacy import erasing, exporting
from webapp.privacy.models import ExportStatus
from webapp.streamed_file import StreamedFile


@require_POST
def ask_for_export(request: HttpRequest) -> HttpResponse:
    access.require(request.user, "create_collection")
    exporting.ask_for(request.user)
    messages.success(request, _("Your data is being put together. Load this page again in a moment."))
    return redirect("account")


@never_cache
@require_safe
def export(request: HttpRequest) -> StreamedFile:
    access.require(request.user, "create_collection")
    get_object_or_404(access.own_exports(request.user), status=ExportStatus.DONE)
    return StreamedFile(files.open_read(exporting.file_of(request.user.pk)), as_attachment=True,
                        filename=f"wenda-{request.user.username}.zip")


@sensitive_post_parameters("current")
@never_cache
@require_http_methods(["GET", "POST"])
def delete_account(request: HttpRequest) -> HttpResponse:
    """Shows what goes, and asks for the password."""
    access.require(request.user, "create_collection")
    form = CurrentPassword(request.POST if request.method == "POST" else None, user=request.user)
    refusal = ""
    if request.method == "POST" and form.is_valid():
        user = User.objects.get(pk=request.user.pk)
        try:
            erasing.erase(user)
        except Conflict as error:
            refusal = error.message
        else:
            logout(request)
            messages.success(request, _("Your account is deleted, with everything that was yours."))
            return redirect("sign-in")
    return render(request, "privacy/delete_account.html", {
        "form": form, "refusal": refusal, "collections": request.user.collections.count(),
        "conversations": request.user.conversations.count(),
    }, status=400 if form.errors or refusal else 200)
