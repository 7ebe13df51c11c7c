"""The addresses of this app's pages."""

from __future__ import annotations

from django.urls import path

from webapp.knowledge import views

urlpatterns = [
    path("collections/", views.collections, name="collections"),
    path("collections/<uuid:identifier>/", views.collection, name="collection"),
    path("collections/<uuid:identifier>/delete/", views.delete_collection, name="delete-collection"),
    path("collections/<uuid:identifier>/shares/", views.shares, name="collection-shares"),
    path("collections/<uuid:identifier>/shares/<int:share>/end/", views.end_share, name="end-share"),
    path("documents/<uuid:identifier>/", views.document, name="document"),
    path("documents/<uuid:identifier>/file/", views.document_file, name="document-file"),
    path("help/", views.help_page, name="help"),
]
