"""Keys, hosts, cookies and headers: what keeps a stranger's page from acting for a user."""

from __future__ import annotations

import os
from pathlib import Path

from django.core.management.utils import get_random_secret_key

from webapp.settings.places import DATA
from webapp.settings.table import LOOPBACK_HOSTS, answers_to_any_name, open_to_all, read


def kept_secret_key(file: Path) -> str:
    """The key in `file`, made on first use and readable by its owner only. Two processes that race agree on one."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text().strip()
    with os.fdopen(descriptor, "w") as out:
        out.write(get_random_secret_key())
    return file.read_text().strip()


SECRET_KEY = read("WENDA_SECRET_KEY") or kept_secret_key(DATA / "secret-key")
DEBUG = read("WENDA_DEBUG")

ALLOWED_HOSTS = ["*"] if answers_to_any_name() else (
    read("WENDA_ALLOWED_HOSTS") or sorted({read("WENDA_HOST"), *LOOPBACK_HOSTS, "[::1]"})
)
CSRF_TRUSTED_ORIGINS = read("WENDA_TRUSTED_ORIGINS")

GUESTS_MAY_CHAT = open_to_all("WENDA_GUESTS")
SIGN_UP_IS_OPEN = open_to_all("WENDA_SIGN_UP")

MASK_PERSONAL_DATA = read("WENDA_MASK_PERSONAL_DATA")
AUDIT_DAYS = read("WENDA_AUDIT_DAYS")
KEEP_CONVERSATION_DAYS = read("WENDA_KEEP_CONVERSATION_DAYS")
KEEP_UPLOAD_DAYS = read("WENDA_KEEP_UPLOAD_DAYS")

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "chat"
LOGOUT_REDIRECT_URL = "chat"

_https = read("WENDA_HTTPS")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 90 * 24 * 3600
LANGUAGE_COOKIE_SECURE = _https
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _https  # those of the site's own name
SECURE_SSL_REDIRECT = _https
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]
"""Monitors ask on the machine itself, past the proxy."""
SILENCED_SYSTEM_CHECKS = ["security.W021"]
"""The browsers' preload list takes whole domains: whether to be on it is the domain owner's to say, in the proxy."""
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _https else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "default-src": ["'self'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "connect-src": ["'self'"],
    "object-src": ["'none'"],
    "base-uri": ["'self'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
}
