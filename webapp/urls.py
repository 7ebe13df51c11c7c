"""Every address of the site: pages, the REST interface, health."""

from __future__ import annotations

from django.urls import include, path

from webapp.api.problems import page_or_problem

urlpatterns = [
    path("", include("webapp.chat.urls")),
    path("", include("webapp.knowledge.urls")),
    path("", include("webapp.accounts.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/", include("webapp.api.urls")),
    path("", include("webapp.ops.urls")),
]

handler400, handler403, handler404, handler500 = (page_or_problem(status) for status in (400, 403, 404, 500))
