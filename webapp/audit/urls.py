"""The addresses of the audit log, under /dashboard/audit/."""

from __future__ import annotations

from django.urls import path

from webapp.audit import views

urlpatterns = [
    path("", views.audit, name="audit"),
    path("export/", views.export, name="audit-export"),
]
