"""What can go wrong in the site's services: each error has a code, an HTTP status and a sentence for a person."""

from __future__ import annotations


class SiteError(Exception):
    """The sentence says what is wrong and what to do; it is shown to the person as it is."""

    code = "bad_request"
    status = 400
    retryable = False
    retry_after_seconds: int | None = None

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = str(message)


class NotSignedIn(SiteError):
    code = "forbidden"
    status = 401


class Forbidden(SiteError):
    code = "forbidden"
    status = 403


class NotFound(SiteError):
    code = "not_found"
    status = 404


class BadInput(SiteError):
    """`field` names the input that has to change."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class Conflict(SiteError):
    status = 409


class TooLarge(SiteError):
    code = "too_large"
    status = 413


class Busy(SiteError):
    """Too much at once; a little later it works."""

    code = "busy"
    status = 429
    retryable = True
    retry_after_seconds = 2


class Unavailable(SiteError):
    """A part of the site does not answer; trying again later helps."""

    code = "unavailable"
    status = 503
    retryable = True
    retry_after_seconds = 5
