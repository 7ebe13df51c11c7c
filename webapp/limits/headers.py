"""Tells a program how it stands to its limits, in the headers of each reply that was counted.

RateLimit-Policy and RateLimit are the IETF draft's (draft-ietf-httpapi-ratelimit-headers-10); RateLimit-Limit,
-Remaining and -Reset are of its earlier versions, which most clients read. /v1 has those of OpenAI's interface too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from django.http import HttpRequest, HttpResponse

from webapp.limits.meter import Standing, tightest

NOTED = "limit_standings"
"""The attribute of a request that says how its caller stands; set by whoever counted it."""


class LimitHeaders:
    """Middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        standings = getattr(request, NOTED, ())
        if standings:
            for name, value in of_draft(standings):
                response[name] = value
            if request.path.startswith("/v1/"):
                for name, value in of_openai(standings):
                    response[name] = value
        return response


def of_draft(standings: Sequence[Standing]) -> Iterator[tuple[str, str]]:
    yield "RateLimit-Policy", ", ".join(f'"{one.name}";q={one.limit};w={one.window_seconds}' for one in standings)
    yield "RateLimit", ", ".join(f'"{one.name}";r={one.remaining};t={one.resets_in_seconds}' for one in standings)
    if requests := tightest(standings, "requests"):
        yield "RateLimit-Limit", str(requests.limit)
        yield "RateLimit-Remaining", str(requests.remaining)
        yield "RateLimit-Reset", str(requests.resets_in_seconds)


def of_openai(standings: Sequence[Standing]) -> Iterator[tuple[str, str]]:
    for kind in ("requests", "tokens"):
        if one := tightest(standings, kind):
            yield f"x-ratelimit-limit-{kind}", str(one.limit)
            yield f"x-ratelimit-remaining-{kind}", str(one.remaining)
            yield f"x-ratelimit-reset-{kind}", _span(one.resets_in_seconds)


def _span(seconds: int) -> str:
    """As OpenAI writes it: 1h4m30s."""
    hours, minutes = seconds // 3600, seconds // 60 % 60
    parts = [(hours, "h"), (minutes, "m"), (seconds % 60, "s")]
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "0s"
