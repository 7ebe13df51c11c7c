"""What the site counts for a monitor: requests by route and outcome, documents by state."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from prometheus_client import REGISTRY, Counter
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

REQUESTS = Counter("wenda_http_requests_total", "HTTP requests answered", ["method", "route", "status"])
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class CountRequests:
    """Middleware. Counts by the route's pattern, not by address, so that ids make no endless list of series."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        route = request.resolver_match.route if request.resolver_match else "unknown"
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(method, route, str(response.status_code)).inc()
        return response


class Documents(Collector):
    """Asked of the database when a monitor asks us."""

    def collect(self) -> Iterator[Metric]:
        from webapp.knowledge.models import Document

        gauge = GaugeMetricFamily("wenda_documents", "documents by state", labels=["status"])
        for row in Document.objects.order_by().values("status").annotate(n=Count("pk")):
            gauge.add_metric([row["status"]], row["n"])
        yield gauge

    def describe(self) -> list[Metric]:
        return [GaugeMetricFamily("wenda_documents", "documents by state", labels=["status"])]


REGISTRY.register(Documents())
