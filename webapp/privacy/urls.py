"""The addresses of this app's pages, under /account/."""

from __future__ import annotations

from django.urls import path

from webapp.privacy import views

urlpatterns = [
    path("export/", views.ask_for_export, name="ask-for-export"),
    path("export/wenda.zip", views.export, name="data-export"),
    path("delete/", views.delete_account, name="delete-account"),
]
