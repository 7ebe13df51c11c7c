"""Files in the encodings that people have, and files that are no text."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.encodings import NotText, decode

SIMPLIFIED = "长城是中国古代的军事防御工程，是一道高大、坚固而且连绵不断的长垣。\n它建于春秋战国时期，历史悠久。"
TRADITIONAL = "長城是中國古代的軍事防禦工程，是一道高大、堅固而且連綿不斷的長垣。它建於春秋戰國時期。"
JAPANESE = "万里の長城は中国の城壁の遺跡である。北方の異民族が侵攻してくるのを迎撃するために作られた。"
KOREAN = "만리장성은 중국의 역대 왕조들이 북방 민족들의 침입을 막기 위해 세운 방어용 성벽이다."
FRENCH = "L’été dernier, les élèves ont étudié à l'école près de la forêt. C’était agréable – même à 5 €."
GERMAN = "Die Straße führt über die Brücke zum Schloß. Größere Fahrzeuge müssen außen herum fahren."
SPANISH = "¿Dónde está la estación? ¡Mañana será otro día! El niño comió 10½ piñas a 20°."
RUSSIAN = "Великая Китайская стена: разделительная стена длиной почти в девять тысяч километров."
ENGLISH = "The wall was built to keep out riders from the north.\r\nIt is more than two thousand years old."

any_text = st.text(st.characters(exclude_categories=["Cs"]))


@given(any_text.filter(lambda text: "\x00" not in text))
def test_utf8_with_a_mark_comes_back_as_it_was(text: str):
    assert decode(text.encode("utf-8-sig")) == text


# A UTF-16 text that begins with NUL looks like UTF-32.
@given(any_text.filter(lambda text: text[:1] != "\x00"), st.sampled_from(["utf-16", "utf-32"]))
def test_utf16_and_utf32_with_a_mark_come_back_as_they_were(text: str, encoding: str):
    assert decode(text.encode(encoding)) == text


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_utf8_without_a_mark_comes_back_as_it_was(text: str):
    assert decode(text.encode("utf-8")).lstrip("\ufeff") == text.lstrip("\ufeff")


@pytest.mark.parametrize("times", [1, 40])
@pytest.mark.parametrize(("text", "encoding"), [
    (SIMPLIFIED, "gb18030"), (SIMPLIFIED, "gbk"), (TRADITIONAL, "big5"), (TRADITIONAL, "gb18030"),
    (JAPANESE, "shift_jis"), (JAPANESE, "euc-jp"), (KOREAN, "euc-kr"), (RUSSIAN, "cp1251"),
    (FRENCH, "cp1252"), (GERMAN, "cp1252"), (SPANISH, "cp1252"),
    (SIMPLIFIED, "utf-16-le"), (SIMPLIFIED, "utf-16-be"), (ENGLISH, "utf-16-le"), (ENGLISH, "utf-16-be"),
    (RUSSIAN, "utf-16-le"), (KOREAN, "utf-16-be"), (ENGLISH, "ascii"),
])
def test_a_file_without_a_mark_is_read_in_the_encoding_it_was_written_in(text: str, encoding: str, times: int):
    assert decode((text * times).encode(encoding)) == text * times


@pytest.mark.parametrize("text", ["café", "naïve", "£5", "über"])
def test_a_single_western_word_is_read(text: str):
    assert decode(text.encode("cp1252")) == text


@pytest.mark.parametrize("text", ["中文", "价格", "北京大学图书馆"])
def test_a_few_chinese_characters_are_read(text: str):
    assert decode(text.encode("gb18030")) == text


def test_a_chinese_file_that_is_mostly_code_is_read():
    text = "print('hello')\n" * 200 + "# 打印问候语，然后退出。\n"
    assert decode(text.encode("gb18030")) == text


@pytest.mark.parametrize("data", [
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)) * 8,
    b"\x7fELF\x02\x01\x01" + bytes(100),
    b"PK\x03\x04\x14\x00\x06\x00\x08\x00" + bytes(range(256)),
    bytes(5000),
    os.urandom(20_000),
], ids=["png", "elf", "zip", "zeros", "random"])
def test_binary_is_refused(data: bytes):
    with pytest.raises(NotText):
        decode(data)


def test_a_file_with_a_mark_that_is_damaged_is_refused():
    with pytest.raises(NotText, match="damaged"):
        decode("abc".encode("utf-8-sig") + b"\xff\xff")


@given(st.binary(max_size=600))
def test_arbitrary_bytes_become_text_or_are_refused(data: bytes):
    try:
        text = decode(data)
    except NotText:
        return
    text.encode("utf-8")  # no lone surrogates


def test_terminal_colours_do_not_make_a_log_binary():
    log = "\x1b[31mError\x1b[0m: missing\x08\n" * 50 + "And then all was well again. " * 200
    assert decode(log.encode()) == log
