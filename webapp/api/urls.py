"""The addresses of the REST interface, under /api/."""

from __future__ import annotations

urlpatterns: list = []
