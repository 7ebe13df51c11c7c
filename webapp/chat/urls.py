"""The addresses of this app's pages."""

from __future__ import annotations

from django.urls import path

from webapp.chat import views

urlpatterns = [
    path("", views.chat, name="chat"),
    path("c/<uuid:identifier>/", views.chat, name="conversation"),
]
