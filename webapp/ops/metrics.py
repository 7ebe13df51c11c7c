"""What a web process counts for a monitor of its own requests, and the figures of the whole site beside them."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from prometheus_client import REGISTRY, Counter, Histogram

from webapp.ops import answer_times, open_sockets, request_times  # noqa: F401, their metrics are shown with these
from webapp.ops.site_state import SiteState

REQUESTS = Counter("wenda_http_requests_total", "HTTP requests answered", ["method", "route", "status"])
SECONDS = Histogram(
    "wenda_http_request_seconds", "from an HTTP request to the beginning of its answer", ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class CountRequests:
    """Middleware. Counts by the route's name or pattern, not by address: ids would make an endless list of series."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self.get_response(request)
        seconds = time.perf_counter() - began
        route = route_of(request)
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(method, route, str(response.status_code)).inc()
        SECONDS.labels(route).observe(seconds)
        request_times.saw(route, seconds, response.status_code)
        return response


def route_of(request: HttpRequest) -> str:
    """What the address's route is called, its pattern where it has no name; never the address itself."""
    match = request.resolver_match
    return (match.url_name or match.route) if match else "unknown"


REGISTRY.register(SiteState())
