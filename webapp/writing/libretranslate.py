"""LibreTranslate's addresses and shapes, so that its clients work here once they have this site's address.

A caller is known by `api_key` in the body or by the Authorization header, never by a browser's cookie, so a page of
another site, which may call these addresses as it may LibreTranslate's, can do nothing in someone's name. Errors are
{"error": sentence} with the status that LibreTranslate gives: 400 for what is wrong with a request, its size too.
"""

from __future__ import annotations

import json
import tempfile
import uuid
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core import signing
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from models_service.protocol_translated_text import MAX_INTERACTIVE_CHARACTERS
from models_service.sealed import files as stored_files
from qa.writing import files
from qa.writing.detection import ranking
from qa.writing.files import FORMATS, FileProblem
from qa.writing.routes import reachable
from webapp import access
from webapp.accounts.models import Scope
from webapp.accounts.services import key_holder
from webapp.api.counting import count
from webapp.api.translations import MOST_TEXTS, client_of, translate_texts
from webapp.errors import BadInput, Forbidden, NotFound, NotSignedIn, SiteError
from webapp.streamed_file import StreamedFile
from webapp.uploads import receive
from webapp.writing import translating, translation_batches
from webapp.writing.language_names import english_name

MOST_ALTERNATIVES = 4
LINK_SECONDS = 3600
"""How long a translated file can be fetched."""
_SALT = "libretranslate-file"

Answer = Callable[[HttpRequest, dict[str, Any]], HttpResponse]


def answers(*methods: str, to_anyone: bool = False) -> Callable[[Answer], Callable[..., HttpResponse]]:
    """A view of LibreTranslate's: fields of the body or the query, the caller by key, errors in its shape.

    Args:
        to_anyone: no key is asked for, for its clients send none there.
    """

    def around(view: Answer) -> Callable[..., HttpResponse]:
        def reply(request: HttpRequest) -> HttpResponse:
            if request.method == "OPTIONS":
                return HttpResponse(headers={"Allow": ", ".join(methods)})
            if request.method not in methods:
                return _error("Method not allowed", 405)
            try:
                fields = _fields(request)
                if not to_anyone:
                    request.user = _caller(request, fields)
                    _require(request)
                count(request, request.user, uses_tokens=not to_anyone)
                return view(request, fields)
            except SiteError as error:
                refusal = _error(error.message, _STATUS.get(error.status, error.status))
                if error.retry_after_seconds is not None:
                    refusal["Retry-After"] = str(error.retry_after_seconds)
                return refusal

        @csrf_exempt
        @wraps(view)
        def handle(request: HttpRequest) -> HttpResponse:
            response = reply(request)
            for name, value in _FOR_PAGES_OF_OTHER_SITES.items():
                response.headers[name] = value
            return response

        return handle

    return around


_STATUS = {401: 403, 413: 400}
_FOR_PAGES_OF_OTHER_SITES = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Max-Age": "86400",
}


def _error(sentence: str, status: int) -> JsonResponse:
    return JsonResponse({"error": sentence}, status=status)


def _fields(request: HttpRequest) -> dict[str, Any]:
    if request.content_type == "application/json":
        try:
            body = json.loads(request.body or b"{}")
        except (ValueError, RecursionError):
            raise BadInput("Invalid request: the body is not JSON") from None
        if not isinstance(body, dict):
            raise BadInput("Invalid request: the body is not a JSON object")
        return body
    fields = {**request.GET.dict(), **request.POST.dict()}
    if "q" in fields:
        fields["q"] = fields["q"].replace("\r\n", "\n")  # as forms end lines
    return fields


def _caller(request: HttpRequest, fields: dict[str, Any]) -> Any:
    key = fields.get("api_key") or request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not key:
        return AnonymousUser()
    try:
        return key_holder(str(key))
    except NotSignedIn:
        raise Forbidden("Invalid API key") from None


def _require(request: HttpRequest) -> None:
    if not access.may(request.user, "chat"):
        raise Forbidden("An API key is required: make one under Account, and send it as api_key")
    access.require_scope(request.user, Scope.WRITING)


def _wanted(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not value or not isinstance(value, str):
        raise BadInput(f"Invalid request: missing {name} parameter")
    return value


def translate(request: HttpRequest) -> HttpResponse:
    """POST /translate; a browser that opens the address is sent to the page."""
    if request.method in ("GET", "HEAD") and "q" not in request.GET:
        access.require(access.visitor_of(request), "chat")
        return redirect("translate")
    return _translate(request)


translate.csrf_exempt = True


@answers("POST", "GET")
def _translate(request: HttpRequest, fields: dict[str, Any]) -> HttpResponse:
    q = fields.get("q")
    if not q:
        raise BadInput("Invalid request: missing q parameter")
    source, target = _wanted(fields, "source"), _wanted(fields, "target")
    texts = q if isinstance(q, list) else [q]
    if len(texts) > MOST_TEXTS or not all(isinstance(text, str) for text in texts):
        raise BadInput(f"Invalid request: q must be a text or a list of at most {MOST_TEXTS} texts")
    format = fields.get("format") or "text"
    if format not in ("text", "html"):
        raise BadInput(f"{str(format)[:40]} format is not supported")
    alternatives = _number(fields.get("alternatives"))
    said = [text for text in texts if text.strip()]
    results = iter(translate_texts(request, said, source=source, target=target, format=format,
                                   alternatives=alternatives) if said else [])
    done = [next(results) if text.strip() else None for text in texts]
    body: dict[str, list[Any]] = {
        "translatedText": [one.translation if one else text for one, text in zip(done, texts, strict=True)]
    }
    if source == "auto":
        body["detectedLanguage"] = [
            {"language": one.source if one else "en", "confidence": _percent(one.detected) if one else 0.0}
            for one in done
        ]
    if alternatives:
        body["alternatives"] = [one.alternatives if one else [] for one in done]
    return JsonResponse(body if isinstance(q, list) else {name: value[0] for name, value in body.items()})


def _number(value: Any) -> int:
    try:
        return max(0, min(MOST_ALTERNATIVES, int(value or 0)))
    except (TypeError, ValueError, OverflowError):
        raise BadInput("Invalid request: alternatives must be a number") from None


def _percent(detected: Any) -> float:
    return round(100 * detected.confidence, 1) if detected else 0.0


@answers("POST", "GET")
def detect(request: HttpRequest, fields: dict[str, Any]) -> HttpResponse:
    q = _wanted(fields, "q")
    pairs = async_to_sync(translating.pairs)()
    offered = sorted({pair.source for pair in pairs})
    found = ranking(translating.check_text(q), offered)[:5]
    return JsonResponse([{"confidence": round(100 * one.confidence, 1), "language": one.language} for one in found
                         if one.confidence >= 0.01], safe=False)


@answers("GET", to_anyone=True)
def languages(request: HttpRequest, fields: dict[str, Any]) -> HttpResponse:
    pairs = async_to_sync(translating.pairs)()
    targets = reachable(pairs)
    codes = sorted({code for pair in pairs for code in (pair.source, pair.target)})
    return JsonResponse([{"code": code, "name": english_name(code), "targets": [code, *targets.get(code, [])]}
                         for code in codes], safe=False)


@answers("GET", to_anyone=True)
def health(request: HttpRequest, fields: dict[str, Any]) -> HttpResponse:
    """That the site answers; /readyz says whether its parts do."""
    return JsonResponse({"status": "ok"})


@answers("GET", to_anyone=True)
def frontend_settings(request: HttpRequest, fields: dict[str, Any]) -> HttpResponse:
    return JsonResponse({
        "apiKeys": True,
        "charLimit": MAX_INTERACTIVE_CHARACTERS,
        "filesTranslation": True,
        "frontendTimeout": 500,
        "keyRequired": not settings.GUESTS_MAY_CHAT,
        "language": {"source": {"code": "auto", "name": "Auto Detect"}, "target": {"code": "en", "name": "English"}},
        "suggestions": False,
        "supportedFilesFormat": sorted(FORMATS),
    })


@answers("POST")
def suggest(request: HttpRequest, fields: dict[str, Any]) -> HttpResponse:
    raise Forbidden("Suggestions are disabled on this server.")


@answers("POST")
def translate_file(request: HttpRequest, fields: dict[str, Any]) -> HttpResponse:
    """Translates while the caller waits, so for files that a text field would hold; larger ones go in as a batch."""
    uploaded = request.FILES.get("file")
    if uploaded is None:
        raise BadInput("Invalid request: missing file parameter")
    source, target = _wanted(fields, "source"), _wanted(fields, "target")
    place = settings.DATA_DIR / "incoming"
    place.mkdir(parents=True, exist_ok=True)
    identifier = uuid.uuid4().hex
    with tempfile.NamedTemporaryFile(dir=place) as original:
        receive(uploaded.chunks(), Path(original.name), uploaded.name)
        try:
            with translating.turn(client_of(request)):  # reading takes a process of its own
                words = files.read(Path(original.name), uploaded.name)
            if len(words.text) > MAX_INTERACTIVE_CHARACTERS:
                raise BadInput(
                    f"The file has {len(words.text):,} characters; at most {MAX_INTERACTIVE_CHARACTERS:,} can be "
                    f"translated while you wait. Send it to {reverse('api-translation-batch-list')}.")
            (done,) = translate_texts(request, [words.text], source=source, target=target, format=words.format)
            files.write(Path(original.name), uploaded.name, done.translation, place / identifier)
        except FileProblem as problem:
            raise BadInput(translation_batches.refusal(problem.code, uploaded.name)) from None
    named = Path(uploaded.name)
    token = signing.dumps([identifier, f"{named.stem}.{target}{named.suffix}"], salt=_SALT)
    address = reverse("libretranslate-download", args=[token])
    return JsonResponse({"translatedFileUrl": request.build_absolute_uri(address)})


def download_file(request: HttpRequest, token: str) -> HttpResponse:
    """The file whose address `translate_file` gave; whoever has the address may fetch it for an hour."""
    try:
        identifier, name = signing.loads(token, salt=_SALT, max_age=LINK_SECONDS)
        made = stored_files.open_read(settings.DATA_DIR / "incoming" / identifier)
    except (signing.BadSignature, FileNotFoundError):
        raise NotFound("There is no such file, or no longer.") from None
    return StreamedFile(made, as_attachment=True, filename=name, content_type="application/octet-stream")
