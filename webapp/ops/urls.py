"""The addresses that a monitor asks."""

from __future__ import annotations

from django.urls import path

from webapp.ops import views

urlpatterns = [
    path("healthz", views.healthz),
    path("readyz", views.readyz),
    path("metrics", views.metrics),
]
