"""Takes out of a text what must not be written down: secrets always, personal data where the setting says so.

Personal data is masked letter by letter ("x") and digit by digit ("0"), so that the text keeps its length and what
points into it still does. Only plain forms are known: mail addresses, telephone numbers, numbers of bank cards.
"""

from __future__ import annotations

import logging
import re

from django.conf import settings

from models_service.json_log import JsonLines

MASKED = "***"

_SECRETS = re.compile(r"""
      (?P<before>
          /(?:setup|invited|new-password)/        # one-time links
        | \bBearer\s+
        | :// [^\s/:@]* : (?=[^\s/@]+@)           # a password within an address
        | \b(?:password|api_key|secret)["']?\s*[=:]\s*["']?
      ) (?P<secret> (?<=["']) [^"'\n]+  |  [^\s"'/@]+ (?=@)  |  [^\s"'/@&,}]+ )
    | (?P<key> \bwenda-[A-Za-z0-9_-]{20,} )       # API keys
""", re.VERBOSE | re.IGNORECASE)

_MAIL = r"[^\W_](?:[\w.+-]{0,63})@[^\W_](?:[\w-]{0,62})(?:\.[\w-]{1,63}){1,8}"
_CARD = r"(?<![\d.,-])\d(?:[ -]?\d){12,18}(?![.,-]?\d)"
_PHONE = r"""(?:
      (?<![\w.])(?:\+|00)[1-9]\d{0,3}(?:[ ./()-]{0,2}\d){5,12}    # with the country's number
    | (?<![\w.,-])\(?0\d{1,5}\)?[ /-]\d{2,}(?:[ -]?\d){2,8}       # with that of a city: 030 1234567
    | (?<![\w.,-])\(?\d{3}\)?[ .-]\d{3}[.-]\d{4}                  # 555-123-4567
    | (?<![\w.,-])1[3-9]\d{9}                                     # a mobile phone in China
  )(?!\w)"""
# One after the other: thirteen digits that are no card's may be a telephone's.
_PERSONAL = tuple(re.compile(pattern, re.VERBOSE) for pattern in (_MAIL, rf"(?P<card>{_CARD})", _PHONE))


_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
"""What moves or colours what a terminal shows, or ends a line; without tabs and line feeds."""


class MaskingFormatter(logging.Formatter):
    """Masks what a log line holds, its traceback too. Only what begins a line is a new event: the rest of one is
    indented, so that nobody's text, such as an address that was asked for, looks like another."""

    def format(self, record: logging.LogRecord) -> str:
        line = masked(super().format(record)).replace("\n", "\n    ")
        return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), line)


class MaskingJsonLines(JsonLines):
    """The same as JSON."""

    def masked(self, text: str) -> str:
        return masked(text)


def masked(text: str) -> str:
    """What may be written down of `text`: no secrets, and no personal data where the setting says so."""
    text = without_secrets(text)
    return without_personal_data(text) if settings.MASK_PERSONAL_DATA else text


def without_secrets(text: str) -> str:
    return _SECRETS.sub(lambda found: (found["before"] or "") + MASKED, text)


def without_personal_data(text: str) -> str:
    """`text` in the same length."""
    for pattern in _PERSONAL:
        text = pattern.sub(_mask, text)
    return text


def passes_luhn(digits: str) -> bool:
    """Whether the last digit checks the others, as on every bank card."""
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


def _mask(found: re.Match[str]) -> str:
    text = found[0]
    if "card" in found.groupdict() and not passes_luhn(re.sub(r"\D", "", text)):
        return text
    return "".join("0" if letter.isdecimal() else "x" if letter.isalnum() else letter for letter in text)
