"""The server that mails are sent by, if there is one."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from webapp.settings.table import SettingError, answers_to_any_name, read


def mail_server(url: str) -> dict[str, object]:
    """Django's settings for the server at `url`."""
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise SettingError("WENDA_EMAIL_URL must be smtp://user:password@host:587 or smtps://user:password@host:465.")
    tls = parts.scheme == "smtps"
    return {
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or (465 if tls else 587),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": tls,
        # A server on this machine, as for tests or a local relay, seldom has a certificate.
        "EMAIL_USE_TLS": not tls and parts.hostname not in ("localhost", "127.0.0.1", "::1"),
        "EMAIL_TIMEOUT": 10,
    }


DEFAULT_FROM_EMAIL = read("WENDA_EMAIL_FROM")
# Never where any name is taken: a link would begin with whatever name the one who asked for it chose.
SENDS_MAIL = bool(read("WENDA_EMAIL_URL")) and not answers_to_any_name()
if SENDS_MAIL:
    globals().update(mail_server(read("WENDA_EMAIL_URL")))
