"""The addresses of the knowledge graph's pages: for readers under /graph/, for administrators on the dashboard."""

from __future__ import annotations

from django.urls import path

from webapp.graph import views

urlpatterns = [
    path("graph/", views.search, name="graph"),
    path("graph/entity/", views.entity, name="graph-entity"),
    path("dashboard/graph/", views.sources, name="graph-sources"),
    path("dashboard/graph/sparql/", views.sparql, name="graph-sparql"),
    path("dashboard/graph/<uuid:identifier>/<str:action>/", views.act, name="graph-source-action"),
]
