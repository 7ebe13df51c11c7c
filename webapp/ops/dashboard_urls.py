"""The addresses of the Ops page, under /dashboard/ops/."""

from __future__ import annotations

from django.urls import path

from webapp.ops import page

urlpatterns = [
    path("", page.ops, name="ops"),
    path("figures/", page.figures, name="ops-figures"),
]
