"""What the site is made of: apps, middleware, templates, languages, static files."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from webapp.settings.places import DATA, models_service_urls
from webapp.settings.table import PROJECT, has_generator, read

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "webapp.accounts",
    "webapp.limits",
    "webapp.knowledge",
    "webapp.graph",
    "webapp.chat",
    "webapp.retrieval",
    "webapp.writing",
    "webapp.training",
    "webapp.audit",
    "webapp.privacy",
    "webapp.api",
    "webapp.ops",
]

MIDDLEWARE = [
    "webapp.ops.request_id.RequestId",
    "webapp.ops.metrics.CountRequests",
    "webapp.ops.security_headers.SecurityHeaders",
    "webapp.ops.monitor_door.MonitorDoor",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "webapp.audit.origin.KnowsOrigin",
    "webapp.accounts.signed_in_browsers.NotesBrowsers",
    "webapp.accounts.guest_session.GuestSession",
    "webapp.limits.headers.LimitHeaders",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "webapp.page_errors.PageErrors",
]

ROOT_URLCONF = "webapp.urls"
ASGI_APPLICATION = "webapp.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PROJECT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "webapp.accounts.context.access",
            ],
        },
    },
]

LANGUAGE_CODE = read("WENDA_LANGUAGE")
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [PROJECT / "webapp" / "locale"]
TIME_ZONE = read("WENDA_TIME_ZONE")
USE_TZ = True

DATA_DIR = DATA
MODELS_SERVICE_URLS = models_service_urls()
HAS_GENERATOR = has_generator()
LIMITS = {
    name.lower(): read(f"WENDA_{name}")
    for name in ("REQUESTS_PER_MINUTE", "TOKENS_PER_DAY", "AT_ONCE", "JOBS_PER_DAY")
}
"""Of one person, unless an administrator has set others for them."""
PROMOTE_MARGIN = read("WENDA_PROMOTE_MARGIN")
GENERATOR = read("WENDA_GENERATOR")
GENERATOR_MODEL = read("WENDA_GENERATOR_MODEL")

STATIC_URL = "/static/"
STATICFILES_DIRS = [PROJECT / "static"]
STATIC_ROOT = DATA / "static"
# Files are served where they lie: nothing to collect, and an edited page script is seen at the next load.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
