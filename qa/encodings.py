"""Bytes of unknown encoding to text, without silent mojibake: what cannot be decoded plausibly is an error.

Order: byte order mark, strict UTF-8, UTF-16 without a mark; then GB18030, EUC-KR and Windows-1252 when they give
common Chinese, Korean and Western text, and charset-normalizer for the rest.
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
_EUC_KR_HANGUL = range(0xB0, 0xC9)
_SAMPLE_CHARACTERS = 20_000
_NOT_WESTERN = re.compile("[^\x00-\x7fàâäáãåæçéèêëíìîïñóòôöõøœúùûüÿßÀÂÄÁÃÅÆÇÉÈÊËÍÌÎÏÑÓÒÔÖÕØŒÚÙÛÜŸ"
                          "\xa0¡¢£¥§©ª«®°±²´·º»½¿×÷€–—‘’‚“”„•…‹›™†‡‰]")


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
        raise NotText(f"starts as {encoding} but is damaged") from error


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
    for encoding, plausible in (("gb18030", _is_chinese), ("euc-kr", _is_korean), ("cp1252", _is_western)):
        text = _decoded(data, encoding)
        if text and plausible(text):
            return text
    guess = charset_normalizer.from_bytes(data[:_SAMPLE_BYTES]).best()
    # UTF-16 and UTF-32 have been tried
    text = _decoded(data, guess.encoding) if guess and not guess.encoding.startswith("utf_") else None
    if text is None:
        raise NotText("its character encoding is not one that can be told: save it as UTF-8")
    return text


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except (UnicodeError, LookupError):
        return None


def _is_chinese(text: str) -> bool:
    """Most of what is not ASCII is GB2312's punctuation and its 3,755 common Han characters.

    Latin-1 also decodes as GB18030, but to rare characters. Korean decodes to common ones, of the first half only.
    """
    outside = [c for c in text[:_SAMPLE_CHARACTERS] if c > "\x7f"]
    leads = [lead[0] for lead in (c.encode("gb2312", "ignore")[:1] for c in outside) if lead]
    punctuation = sum(lead in _GB2312_PUNCTUATION for lead in leads)
    common = sum(lead in _GB2312_COMMON_HAN for lead in leads)
    hangul = sum(lead in _EUC_KR_HANGUL for lead in leads)
    may_be_korean = common >= 8 and hangul >= 0.9 * common
    return punctuation + common >= 0.7 * len(outside) and not may_be_korean


def _is_korean(text: str) -> bool:
    outside = [c for c in text[:_SAMPLE_CHARACTERS] if c > "\x7f"]
    return sum("\uac00" <= c <= "\ud7a3" for c in outside) >= 0.8 * len(outside)


def _is_western(text: str) -> bool:
    """ASCII letters with some accents of Western Europe, whose other code pages differ in a few letters only."""
    sample = text[:_SAMPLE_CHARACTERS]
    accented = sum(c > "\x7f" and c.isalpha() for c in sample)
    return accented <= 0.3 * sum(c.isalpha() for c in sample) and _NOT_WESTERN.search(sample) is None
