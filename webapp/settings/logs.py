"""One event a line, with the request that it belongs to: JSON for whatever gathers logs, readable on a terminal."""

from __future__ import annotations

from models_service.json_log import wants_json
from webapp.settings.table import read

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request": {"()": "webapp.ops.request_id.RequestIdFilter"}},
    "formatters": {
        "line": {"()": "webapp.masking.MaskingFormatter", "style": "{",
                 "fmt": "{asctime} {levelname:<7} {name} [{request_id}] {message}"},
        "json": {"()": "webapp.masking.MaskingJsonLines"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "filters": ["request"],
                    "formatter": "json" if wants_json(read("WENDA_LOG_FORMAT")) else "line"},
        "recent": {"class": "webapp.ops.recent_errors.RecentErrors", "level": "WARNING", "filters": ["request"]},
    },
    "root": {"handlers": ["console", "recent"], "level": read("WENDA_LOG_LEVEL")},
    "loggers": {
        "django.server": {"handlers": ["console"], "propagate": False},
        "uvicorn.error": {"level": "WARNING"},
        "uvicorn.access": {"level": "WARNING"},
        "celery": {"level": "INFO"},
        "httpx": {"level": "WARNING"},
        "faiss.loader": {"level": "WARNING"},
    },
}
