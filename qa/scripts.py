"""Which writing system a text is in; `models_service/scripts.py`, under the name that this room knows it by."""

from models_service.scripts import CJK, count_cjk, is_cjk

__all__ = ["CJK", "count_cjk", "is_cjk"]
