from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.documents import (
    ENDINGS,
    MAX_DOCUMENT_BYTES,
    MAX_TITLE_CHARACTERS,
    DocumentError,
    check_size,
    parse,
)
from qa.file_text import normalise
from tests.qa.texts import texts

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def check(data: bytes, name: str) -> None:
    try:
        document = parse(data, name)
    except DocumentError as error:
        assert name in error.message
        return
    assert document.text.strip() == document.text != ""
    assert not _CONTROL.search(document.text)
    assert document.title.strip()
    assert len(document.title) <= MAX_TITLE_CHARACTERS + 1
    document.text.encode("utf-8")


@given(st.binary(max_size=800), st.sampled_from(ENDINGS))
def test_arbitrary_bytes_become_a_clean_document_or_a_document_error(data: bytes, ending: str):
    check(data, f"file{ending}")


@given(texts, st.sampled_from(ENDINGS), st.sampled_from(["utf-8", "utf-16", "gb18030", "utf-32"]))
def test_arbitrary_text_becomes_a_clean_document_or_a_document_error(text: str, ending: str, encoding: str):
    check(text.encode(encoding, "replace"), f"file{ending}")


@pytest.mark.parametrize("name", ["unicode_escape", "idna", "punycode", "undefined", "utf-7", "hex", "utf-16", "no"])
def test_a_page_that_names_a_strange_encoding_is_read_all_the_same(name: str):
    page = f'<meta charset="{name}"><p>caf\\ud800 café'.encode("cp1252")
    assert parse(page, "a.html").text == "caf\\ud800 café"


def test_a_page_in_utf8_that_names_another_encoding_is_read_as_utf8():
    assert parse('<meta charset="gb2312"><p>长城 café'.encode(), "a.html").text == "长城 café"


def test_a_page_in_the_encoding_it_names_is_read_so():
    assert parse('<meta charset="koi8-r"><p>стена'.encode("koi8-r"), "a.html").text == "стена"


@given(st.one_of(texts, st.text()))
def test_normalising_twice_changes_nothing_more(text: str):
    once = normalise(text)
    assert normalise(once) == once


def test_every_kind_of_newline_becomes_one_kind():
    assert normalise("a\r\nb\rc\u2028d\x0be\nf") == "a\nb\nc\nd\ne\nf"


@pytest.mark.parametrize("data", [b"", b" \n\t ", "\ufeff".encode(), "\u3000\u200b\ufeff".encode()])
def test_a_file_without_text_is_empty(data: bytes):
    with pytest.raises(DocumentError) as raised:
        parse(data, "nothing.txt")
    assert raised.value.code == "empty"
    assert "nothing.txt" in raised.value.message


def test_a_page_without_text_is_empty():
    with pytest.raises(DocumentError) as raised:
        parse(b"<title>T</title><script>x()</script>", "a.html")
    assert raised.value.code == "empty"


def test_a_binary_file_named_txt_is_refused():
    with pytest.raises(DocumentError) as raised:
        parse(b"\x89PNG\r\n\x1a\n\x00\x00" + bytes(range(256)), "picture.txt")
    assert raised.value.code == "binary"


def test_a_file_of_260_mb_is_refused_by_its_size_with_the_limit():
    with pytest.raises(DocumentError, match=r"260 MB; the limit is 200 MB\. Split it") as raised:
        check_size(260 * 1000 * 1000, "big.txt")
    assert raised.value.code == "too_large"
    check_size(MAX_DOCUMENT_BYTES, "just.txt")


@pytest.mark.parametrize("name", ["a.exe", "noending", "a.pdf2", ".txt"])
def test_an_unknown_ending_is_refused_with_those_that_are_known(name: str):
    with pytest.raises(DocumentError) as raised:
        parse(b"text", name)
    assert raised.value.code == "unsupported"
    assert ".md" in raised.value.message


@pytest.mark.parametrize("name", ["A.TXT", "a.Md", "a.b.html"])
def test_endings_are_told_without_regard_to_case(name: str):
    assert parse(b"hello", name).text == "hello"


@pytest.mark.parametrize(("source", "title"), [
    ("---\nlayout: x\ntitle: From the front\n---\n# Heading\n", "From the front"),
    ("Some words\n\n## A *bold* [link](http://x) `code` ##\n", "A bold link code"),
    ("The Title\n=========\ntext", "The Title"),
    ("no heading here\nat all", "no heading here"),
    ("# **\n\ntext", "text"),
])
def test_the_title_of_markdown(source: str, title: str):
    assert parse(source.encode(), "file.md").title == title


def test_a_long_first_line_gives_a_title_cut_at_a_sentence():
    text = "The first sentence is here. " + "And more words follow it on the same line. " * 10
    assert parse(text.encode(), "file.txt").title == "The first sentence is here.…"


@pytest.mark.parametrize("source", [
    "# " + "[" * 500_000, "---\n" + "title:\n" * 100_000, "# " + "a_" * 300_000, "-" * 1_000_000, "=\n" * 300_000,
    "x" * 200_000, "\n" * 100_000 + "x",
])
@pytest.mark.timeout(60)
def test_a_hard_markdown_file_is_read_in_linear_time(source: str):
    assert parse(f"{source}\nword".encode(), "file.md").text == f"{source}\nword".strip()


@pytest.mark.parametrize(("text", "title"), [
    ("# Backing up your phone\n\nIt is easy.", "Backing up your phone"),
    ("1\n00:00:01,000 --> 00:00:04,000\nToday we talk about compost.\n", "Today we talk about compost."),
    ("From: A <a@example.org>\nDate: Tue, 3 Nov 2026\nSubject: A move\n\nDear all,", "A move"),
    ("发件人：王小明\n主题：搬迁通知\n\n各位同事：", "搬迁通知"),
    ("Note: read this.\nIt is short.", "Note: read this."),
    ("1234\n5678", "notes"),
])
def test_a_plain_texts_title_is_its_first_line_with_words_or_a_mails_subject(text: str, title: str):
    assert parse(text.encode(), "notes.txt").title == title
