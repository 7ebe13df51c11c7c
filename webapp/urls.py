"""Every address of the site: pages, the REST interface, health."""

from __future__ import annotations

from django.urls import include, path
from django.views.i18n import JavaScriptCatalog

from webapp.api.problems import page_or_problem

urlpatterns = [
    path("", include("webapp.chat.urls")),
    path("", include("webapp.knowledge.urls")),
    path("", include("webapp.retrieval.urls")),
    path("", include("webapp.accounts.urls")),
    path("account/", include("webapp.privacy.urls")),
    path("dashboard/people/", include("webapp.accounts.dashboard_urls")),
    path("dashboard/audit/", include("webapp.audit.urls")),
    path("dashboard/ops/", include("webapp.ops.dashboard_urls")),
    path("", include("webapp.limits.urls")),
    path("", include("webapp.graph.urls")),
    path("dashboard/", include("webapp.training.urls")),
    path("", include("webapp.writing.urls")),
    path("i18n/catalog.js", JavaScriptCatalog.as_view(), name="javascript-catalog"),
    path("api/", include("webapp.api.urls")),
    path("v1/", include("webapp.api.openai.urls")),
    path("", include("webapp.ops.urls")),
]

handler400, handler403, handler404, handler500 = (page_or_problem(status) for status in (400, 403, 404, 500))
