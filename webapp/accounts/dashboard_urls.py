"""The addresses of the dashboard's pages about people, under /dashboard/people/."""

from __future__ import annotations

from django.urls import path

from webapp.accounts import people_views

urlpatterns = [
    path("", people_views.people, name="people"),
    path("<int:identifier>/", people_views.person, name="person"),
    path("invitations/<int:identifier>/withdraw/", people_views.withdraw_invitation, name="withdraw-invitation"),
    path("groups/<int:identifier>/delete/", people_views.delete_group, name="delete-group"),
]
