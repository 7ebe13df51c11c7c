"""The addresses of this app's pages."""

from __future__ import annotations

from django.urls import path

from webapp.retrieval import views

urlpatterns = [path("search/", views.search, name="search")]
