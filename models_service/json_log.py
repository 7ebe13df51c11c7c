"""Log lines as JSON objects, one a line, for whatever gathers them: the same form in every process of the site."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from models_service.trace import current

FORMATS = ("auto", "json", "line")
"""auto: a readable line where a person watches, JSON where the log goes into a file or a pipe."""


def wants_json(form: str) -> bool:
    """Whether a log on standard error is written as JSON, of one of FORMATS."""
    return form == "json" or (form == "auto" and not sys.stderr.isatty())


def request_of(record: logging.LogRecord) -> str:
    """The request that the line is of: told by whoever wrote it, else the one that is being worked on."""
    return getattr(record, "request_id", None) or current.get()


class JsonLines(logging.Formatter):
    """time, level, logger, request_id, process and message, the line's own `fields`, and a traceback as `error`."""

    def __init__(self, part: str = "") -> None:
        """`part` is what the process is called, such as "models"."""
        super().__init__()
        self._part = part

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname, "logger": record.name, "request_id": request_of(record),
            "process": record.process, "part": self._part or None, "message": self.masked(record.getMessage()),
        }
        fields = {name: value for name, value in getattr(record, "fields", {}).items() if name not in told}
        error = self.masked(self.formatException(record.exc_info)) if record.exc_info else None
        told = {**told, **fields, "error": error}
        return json.dumps({name: value for name, value in told.items() if value is not None}, ensure_ascii=False,
                          default=str)

    def masked(self, text: str) -> str:
        """What may be written down of a message or a traceback; here all of it."""
        return text
