"""One readable line per event, with the request that it belongs to."""

from __future__ import annotations

from webapp.settings.table import read

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request": {"()": "webapp.ops.request_id.RequestIdFilter"}},
    "formatters": {
        "line": {"()": "webapp.masking.MaskingFormatter", "style": "{",
                 "fmt": "{asctime} {levelname:<7} {name} [{request_id}] {message}"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request"]},
    },
    "root": {"handlers": ["console"], "level": read("WENDA_LOG_LEVEL")},
    "loggers": {
        "django.server": {"handlers": ["console"], "propagate": False},
        "uvicorn.error": {"level": "WARNING"},
        "uvicorn.access": {"level": "WARNING"},
        "celery": {"level": "INFO"},
        "httpx": {"level": "WARNING"},
        "faiss.loader": {"level": "WARNING"},
    },
}
