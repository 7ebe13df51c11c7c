"""Bytes of unknown encoding to text, without silent mojibake: what cannot be decoded plausibly is an error.

Order: byte order mark, strict UTF-8, UTF-16 without a mark, GB18030 when it gives common Chinese, then
charset-normalizer for the rest.
"""

from __future__ import annotations

import codecs
import re
import unicodedata

import charset_normalizer

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_SAMPLE_BYTES = 256 * 1024
_GB2312_PUNCTUATION = range(0xA1, 0xA4)
_GB2312_COMMON_HAN = range(0xB0, 0xD8)


class NotText(ValueError):
    """The bytes are not text in any encoding that is known here."""


def decode(data: bytes) -> str:
    """Decode a text file.

    Raises:
        NotText: binary data, or an encoding that could only be guessed wrongly.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _strict(data, encoding)
    controls = len(_CONTROL.findall(data[:_SAMPLE_BYTES]))
    if controls:
        return _decode_with_control_bytes(data, controls)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _decode_legacy(data)


def _strict(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise NotText(f"starts as {encoding} but is damaged at byte {error.start}") from error


def _decode_with_control_bytes(data: bytes, controls: int) -> str:
    """UTF-16 shows as bytes below 0x20; so does binary. A few in valid UTF-8 are terminal colours and the like."""
    best, best_share = "", 0.9
    for encoding in ("utf-16-le", "utf-16-be"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        share = _readable_share(text)
        if share > best_share:
            best, best_share = text, share
    if best:
        return best
    sample = data[:_SAMPLE_BYTES]
    if controls < len(sample) / 100 and b"\x00" not in sample:
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            pass
    raise NotText("the file is binary, not text")


def _readable_share(text: str) -> float:
    """The share of characters that everyday text is made of."""
    sample = text[:4096]
    return sum(_readable(c) for c in sample) / max(len(sample), 1)


def _readable(character: str) -> bool:
    if character in "\n\r\t" or " " <= character <= "~":
        return True
    if character < "\u0600" or "\u2010" <= character <= "\u2042":
        return unicodedata.category(character)[0] in "LPSNZ" and character > "\x9f"
    return (
        "\u3000" <= character <= "\u30ff" or "\u4e00" <= character <= "\u9fff"
        or "\uac00" <= character <= "\ud7a3" or "\uff00" <= character <= "\uffef"
    )


def _decode_legacy(data: bytes) -> str:
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        pass
    else:
        if _common_chinese_share(text) >= 0.7:
            return text
    guess = charset_normalizer.from_bytes(data[:_SAMPLE_BYTES]).best()
    for encoding in ([guess.encoding] if guess else []) + ["cp1252"]:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise NotText("its character encoding is not one that can be told: save it as UTF-8")


def _common_chinese_share(text: str) -> float:
    """Of the non-ASCII characters, the share of GB2312's punctuation and its 3,755 common Han characters.

    Latin-1 also decodes as GB18030, but to rare characters.
    """
    outside = [c for c in text[:20_000] if c > "\x7f"]
    leads = (c.encode("gb2312", "ignore")[:1] for c in outside)
    common = sum(bool(lead) and (lead[0] in _GB2312_PUNCTUATION or lead[0] in _GB2312_COMMON_HAN) for lead in leads)
    return common / max(len(outside), 1)
