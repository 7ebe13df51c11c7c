"""What an address answers when something is wrong, in the OpenAPI description: a problem, or OpenAI's form of one."""

from __future__ import annotations

from typing import Any

from webapp.api.problems import MEDIA_TYPE

_TEXT = {"type": "string"}
_SCHEMAS = {
    "Problem": {
        "type": "object",
        "description": "RFC 9457; `errors` names the fields that have to change, each with its sentences",
        "properties": {
            "type": _TEXT, "title": _TEXT, "status": {"type": "integer"}, "detail": _TEXT,
            "code": _TEXT, "retryable": {"type": "boolean"},
            "errors": {"type": "object", "additionalProperties": {"type": "array", "items": _TEXT}},
            "violated-policies": {"type": "array", "items": _TEXT},
        },
        "required": ["type", "title", "status", "detail"],
    },
    "OpenAIError": {
        "type": "object",
        "properties": {"error": {
            "type": "object",
            "properties": {"message": _TEXT, "type": _TEXT, "param": {"type": ["string", "null"]},
                           "code": {"type": ["string", "null"]}},
            "required": ["message", "type", "param", "code"],
        }},
        "required": ["error"],
    },
}
_REFUSED = ("The request cannot be answered as it is: 400 what was sent is wrong, 401 no key or an unknown one, 403 "
            "the role or the key's scopes do not allow it, 404 there is no such thing for the caller, 409 it does "
            "not fit the state, 413 too large, 415 of another type, 422 the Idempotency-Key was used for another "
            "request, 429 too much: `Retry-After` says when to come again.")
_FAILED = "The site could not do it: 503 a part does not answer, 504 it took too long. Both may be tried again."


def _response(media_type: str, name: str, text: str) -> dict[str, Any]:
    return {"description": text, "content": {media_type: {"schema": {"$ref": f"#/components/schemas/{name}"}}}}


_RESPONSES = {
    "Refused": _response(MEDIA_TYPE, "Problem", _REFUSED), "Failed": _response(MEDIA_TYPE, "Problem", _FAILED),
    "OpenAIRefused": _response("application/json", "OpenAIError", _REFUSED),
    "OpenAIFailed": _response("application/json", "OpenAIError", _FAILED),
}


def with_errors(result: dict[str, Any], generator: object, request: object, public: bool) -> dict[str, Any]:
    """drf-spectacular's hook: the description with every operation's errors."""
    components = result["components"]
    components["schemas"] = dict(sorted({**components["schemas"], **_SCHEMAS}.items()))
    components["responses"] = _RESPONSES
    for path, operations in result["paths"].items():
        kind = "OpenAI" if path.startswith("/v1/") else ""
        for operation in operations.values():
            for status, when in (("4XX", "Refused"), ("5XX", "Failed")):
                operation["responses"].setdefault(status, {"$ref": f"#/components/responses/{kind}{when}"})
    return result
