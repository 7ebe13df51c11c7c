"""The addresses of this app's pages."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import path

from webapp.accounts import views

urlpatterns = [
    path("sign-in/", views.SignIn.as_view(), name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("sign-up/", views.sign_up, name="sign-up"),
    path("setup/<str:token>/", views.setup, name="setup"),
    path("language/", views.language, name="set_language"),
    path("account/", views.account, name="account"),
    path("account/keys/<int:identifier>/delete/", views.delete_key, name="delete-key"),
]
