"""Which writing system a text is in (`models_service/scripts.py`), and how lines and sentences of it are joined."""

import re

from models_service.scripts import CJK, count_cjk, is_cjk

__all__ = ["CJK", "count_cjk", "goes_on_without_space", "is_cjk"]

_ENDS_CJK = re.compile(f"[{CJK}，。、；：！？）」』”…]")
_STARTS_CJK = re.compile(f"[{CJK}（「『“]")


def goes_on_without_space(before: str, after: str) -> bool:
    """Whether no space belongs between these two: between Chinese or Japanese on both sides."""
    return bool(_ENDS_CJK.fullmatch(before[-1:]) and _STARTS_CJK.match(after))
