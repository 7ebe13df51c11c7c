"""A request with an Idempotency-Key is done once, however often it is sent (the IETF's draft on this header).

The same key with the same request gives the first answer again for a day; with another request it is refused; while
the first is under way it is told to wait. What failed for a reason that may pass is not kept, so that it can be tried
again, and neither is a stream, which saves nothing.
"""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.api.models import KeptAnswer
from webapp.errors import BadInput, Conflict, SiteError

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
MOST_CHARACTERS = 255
KEPT = timedelta(days=1)
GIVEN_UP_AFTER = timedelta(minutes=30)
"""A request that takes longer has died with its process, and may be done by another; no answer takes as long."""
MAY_PASS = (409, 429)
KEPT_HEADERS = ("Content-Type", "Location")


class OtherRequest(SiteError):
    status = 422


class StillRunning(Conflict):
    retryable = True
    retry_after_seconds = 1


class AlreadyAnswered(Exception):
    def __init__(self, kept: KeptAnswer) -> None:
        self.kept = kept


class Idempotent:
    """For views: each POST takes an Idempotency-Key."""

    _claim: KeptAnswer | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        key = request.headers.get(HEADER)
        if key is not None and request.method == "POST" and request.user.is_authenticated:
            self._claim = _claim(request, key)

    def handle_exception(self, error: Exception) -> HttpResponseBase:
        if isinstance(error, AlreadyAnswered):
            again = HttpResponse(bytes(error.kept.body), status=error.kept.status, headers=error.kept.headers)
            again[REPLAYED] = "true"
            return again
        return super().handle_exception(error)

    def finalize_response(
        self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        response = super().finalize_response(request, response, *args, **kwargs)
        if self._claim is not None:
            if isinstance(response, Response):
                response.render()  # now: a caller that has left must not leave the claim behind
            _keep(self._claim, response)
        return response


def _claim(request: Request, key: str) -> KeptAnswer:
    """Whoever makes the row does the work. Raises AlreadyAnswered, or why the key cannot be used."""
    if not 1 <= len(key) <= MOST_CHARACTERS or not key.isprintable():
        raise BadInput(_("Idempotency-Key must have 1 to %(most)s printable characters.") % {"most": MOST_CHARACTERS},
                       HEADER)
    now = timezone.now()
    KeptAnswer.objects.filter(created_at__lt=now - KEPT).delete()
    KeptAnswer.objects.filter(status=None, created_at__lt=now - GIVEN_UP_AFTER).delete()
    wanted = {"user": request.user, "key": hashlib.sha256(key.encode()).hexdigest()}
    asked = _digest(request)
    try:
        with transaction.atomic():
            return KeptAnswer.objects.create(**wanted, request=asked)
    except IntegrityError:
        kept = KeptAnswer.objects.filter(**wanted).first()
    if kept is not None and kept.request != asked:
        raise OtherRequest(_("This Idempotency-Key was used for another request. Take a new key for each request."))
    if kept is None or kept.status is None:
        raise StillRunning(_("The request with this Idempotency-Key is still being answered. Send it again in a "
                             "moment."))
    raise AlreadyAnswered(kept)


def _keep(claim: KeptAnswer, response: HttpResponseBase) -> None:
    if response.streaming or response.status_code >= 500 or response.status_code in MAY_PASS:
        claim.delete()
        return
    claim.status, claim.body = response.status_code, response.content
    claim.headers = {name: response[name] for name in KEPT_HEADERS if response.has_header(name)}
    claim.save()


def _digest(request: Request) -> str:
    """Of what is asked. A form's parts count, not how they are parted, which is new each time that it is sent."""
    asked = hashlib.sha256(request.get_full_path().encode())
    data = request.data
    if not isinstance(data, QueryDict):
        asked.update(json.dumps(data, sort_keys=True).encode())
        return asked.hexdigest()
    for name, values in sorted(data.lists()):
        for value in values:
            asked.update(json.dumps([name, getattr(value, "name", value)]).encode())
            if isinstance(value, UploadedFile):
                for chunk in value.chunks():
                    asked.update(chunk)
                value.seek(0)
    return asked.hexdigest()
