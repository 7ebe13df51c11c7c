"""The trainings' small data."""

from __future__ import annotations

from tests.training.conftest import squad_file, tiny_base

__all__ = ["squad_file", "tiny_base"]
