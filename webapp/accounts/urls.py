"""The addresses of this app's pages."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import path

from webapp.accounts import password_views, views

urlpatterns = [
    path("sign-in/", views.SignIn.as_view(), name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("sign-up/", views.sign_up, name="sign-up"),
    path("setup/<str:token>/", views.setup, name="setup"),
    path("invited/<str:token>/", views.invited, name="invited"),
    path("forgotten-password/", password_views.forgotten, name="forgotten-password"),
    path("new-password/<str:token>/", password_views.new_password, name="new-password"),
    path("language/", views.language, name="set_language"),
    path("account/", views.account, name="account"),
    path("account/password/", password_views.change_password, name="change-password"),
    path("account/browsers/<int:identifier>/end/", password_views.end_browser, name="end-browser"),
    path("account/keys/<int:identifier>/delete/", views.delete_key, name="delete-key"),
]
