"""The addresses of this app's pages."""

from __future__ import annotations

urlpatterns: list = []
