"""The addresses that a monitor asks."""

from __future__ import annotations

urlpatterns: list = []
