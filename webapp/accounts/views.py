"""The account pages: signing in and up, the first administrator, profile, language and API keys."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST
from django.views.i18n import set_language

from webapp import access
from webapp.accounts import one_time_links, services
from webapp.accounts.forms import ApiKeyForm, LanguageForm, ProfileForm, SignInForm, SignUpForm
from webapp.accounts.models import LinkPurpose, User
from webapp.audit.models import Action
from webapp.audit.services import record
from webapp.chat.handover import hand_over
from webapp.errors import BadInput, Forbidden


class SignIn(LoginView):
    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_invalid(self, form: SignInForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=429 if form.is_refused else 200)

    def form_valid(self, form: SignInForm) -> HttpResponse:
        return _enter(self.request, form.get_user(), self.get_success_url())


@sensitive_post_parameters("password", "password_again")
@never_cache
@require_http_methods(["GET", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    if not settings.SIGN_UP_IS_OPEN:
        raise Forbidden(_("Sign-up is closed on this site. Ask an administrator for an account."))
    return _new_account(request, "accounts/sign_up.html", services.sign_up)


@sensitive_post_parameters("password", "password_again")
@never_cache
@require_http_methods(["GET", "POST"])
def setup(request: HttpRequest, token: str) -> HttpResponse:
    services.check_setup_token(token)

    def create(username: str, password: str, *, language: str) -> User:
        return services.create_first_admin(token, username, password, language=language)

    return _new_account(request, "accounts/setup.html", create)


@sensitive_post_parameters("password", "password_again")
@never_cache
@require_http_methods(["GET", "POST"])
def invited(request: HttpRequest, token: str) -> HttpResponse:
    """Whoever holds an invitation's link makes an account."""
    one_time_links.find(LinkPurpose.INVITE, token)

    def create(username: str, password: str, *, language: str) -> User:
        return one_time_links.accept_invitation(token, username, password, language=language)

    return _new_account(request, "accounts/invited.html", create)


def _new_account(request: HttpRequest, template: str, create: Callable[..., User]) -> HttpResponse:
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            user = create(values["username"], values["password"], language=get_language() or "")
        except BadInput as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            return _enter(request, user, _next(request))
    context = {"form": form, "next": request.POST.get("next") or request.GET.get("next", "")}
    return render(request, template, context, status=400 if form.errors else 200)


def _next(request: HttpRequest) -> str:
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if safe else "chat"


def _enter(request: HttpRequest, user: User, target: str) -> HttpResponse:
    """Sign `user` in; what they asked as a guest of this browser becomes theirs, the pages speak their language."""
    guest = services.known_guest(request.session)
    login(request, user)
    record(Action.SIGNED_IN, user.username, by=user)
    if guest is not None:
        hand_over(guest, user)
        request.session.pop(services.GUEST_SESSION_KEY, None)
    response = redirect(target)
    if user.language:
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, user.language, samesite="Lax",
                            secure=settings.LANGUAGE_COOKIE_SECURE)
    return response


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """The switch in the header: for this browser, and for the account where one is signed in."""
    if request.user.is_authenticated:
        services.set_language(request.user, request.POST.get("language", ""))
    return set_language(request)


@never_cache
@require_http_methods(["GET", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """Profile, language and API keys: three forms, told apart by `form`."""
    access.require(request.user, "create_collection")
    posted = request.POST.get("form", "")
    profile = ProfileForm(request.POST if posted == "profile" else None, instance=request.user)
    language = LanguageForm(request.POST if posted == "language" else None,
                            initial={"language": request.user.language or get_language()})
    new_key = ApiKeyForm(request.POST if posted == "key" else None)
    secret = ""
    if posted == "profile" and profile.is_valid():
        profile.save()
        messages.success(request, _("Your profile is saved."))
        return redirect("account")
    if posted == "language" and language.is_valid():
        chosen = language.cleaned_data["language"]
        services.set_language(request.user, chosen)
        response = redirect("account")
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, chosen, samesite="Lax",
                            secure=settings.LANGUAGE_COOKIE_SECURE)
        return response
    if posted == "key" and new_key.is_valid():
        try:
            _key, secret = services.create_api_key(request.user, **new_key.values())
            new_key = ApiKeyForm()
        except BadInput as error:
            new_key.add_error(error.field, error.message)
    failed = any(form.errors for form in (profile, language, new_key))
    if failed:
        request.user.refresh_from_db()  # a refused profile must not show in the header as if it were saved
    context = {"profile": profile, "language": language, "new_key": new_key, "secret": secret,
               "keys": request.user.api_keys.all(), "browsers": access.own_browsers(request.user),
               "data_export": access.own_exports(request.user).first(),
               "keep_conversation_days": settings.KEEP_CONVERSATION_DAYS,
               "keep_upload_days": settings.KEEP_UPLOAD_DAYS}
    return render(request, "accounts/account.html", context, status=400 if failed else 200)


@require_POST
def delete_key(request: HttpRequest, identifier: int) -> HttpResponse:
    access.require(request.user, "create_collection")
    services.delete_api_key(request.user, identifier)
    messages.success(request, _("The key is deleted. Programs that use it are refused from now on."))
    return redirect("account")
