"""What languages are called, in the language of the page."""

from __future__ import annotations

from django.utils.translation import get_language_info
from django.utils.translation import gettext as _

_OTHERS = {"zh": "zh-hans", "zt": "zh-hant", "no": "nb"}


def language_name(code: str) -> str:
    """The name in the active language; the code itself when it has none."""
    if code == "zh":
        return _("Chinese")
    try:
        return str(get_language_info(_OTHERS.get(code, code))["name_translated"])
    except KeyError:
        return code


def english_name(code: str) -> str:
    """What programs are told, whoever asks."""
    if code == "zh":
        return "Chinese"
    try:
        return str(get_language_info(_OTHERS.get(code, code))["name"])
    except KeyError:
        return code
