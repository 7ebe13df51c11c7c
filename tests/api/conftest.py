"""The one shape of errors that the REST interface's tests look for."""

from __future__ import annotations

from typing import Any


def is_problem(response: Any, status: int) -> dict[str, Any]:
    """The body, having checked that it is RFC 9457 problem+json of this status."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert {"type", "title", "status", "detail"} <= set(body)
    assert body["status"] == status
    assert body["title"] and body["detail"]
    return body
