"""The addresses of this app's pages."""

from __future__ import annotations

from django.urls import path

from webapp.chat import abstention_views, views

urlpatterns = [
    path("", views.chat, name="chat"),
    path("c/<uuid:identifier>/", views.chat, name="conversation"),
    path("dashboard/abstention/", abstention_views.abstention_page, name="abstention"),
]
