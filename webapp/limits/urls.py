"""The addresses of this app's pages."""

from __future__ import annotations

from django.urls import path

from webapp.limits import views

urlpatterns = [
    path("account/usage/", views.usage, name="usage"),
    path("dashboard/quotas/", views.quotas, name="quotas"),
    path("dashboard/quotas/<int:identifier>/", views.quota, name="quota"),
]
