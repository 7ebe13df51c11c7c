"""The document page: the exact range is highlighted, and a large document is shown in part."""

from __future__ import annotations

import html

from django.test import Client

from tests.pages.conftest import TEXT
from webapp.knowledge.reading import AROUND


def page(browser: Client, document, **query: int) -> str:
    response = browser.get(f"/documents/{document.pk}/", query)
    assert response.status_code == 200
    return response.content.decode()


def test_the_quote_and_the_words_in_it_are_marked_to_the_character(alices_browser: Client, document) -> None:
    start, end = 0, TEXT.index(".") + 1
    span = TEXT.index("1821")
    shown = page(alices_browser, document, start=start, end=end, span_start=span, span_end=span + 4)
    assert ('<mark class="cited" id="passage">The library was founded in <mark class="span">1821</mark>.</mark>'
            " It was built") in shown


def test_offsets_count_characters_in_chinese_too(alices_browser: Client, document) -> None:
    start = TEXT.index("图书馆")
    shown = page(alices_browser, document, start=start, end=start + 7, span_start=start + 4, span_end=start + 6)
    assert '<mark class="cited" id="passage">图书馆有<mark class="span">三层</mark>。</mark>' in shown


def test_only_the_part_around_the_passage_is_sent(alices_browser: Client, document) -> None:
    shown = page(alices_browser, document, start=10_000, end=10_100)
    assert f'data-start="{10_000 - AROUND}" data-end="{10_100 + AROUND}"' in shown
    assert shown.count("More is said here.") <= (2 * AROUND + 100) // len(" More is said here.") + 1
    assert html.escape(TEXT[10_000:10_100]) in shown


def test_a_link_with_numbers_that_make_no_sense_still_opens_the_document(alices_browser: Client, document) -> None:
    for query in ({"start": 99_999_999, "end": 5}, {"start": -1, "end": "x"}, {"span_start": 7, "span_end": 3}):
        assert "The library" in page(alices_browser, document, **query)


def test_text_of_a_document_is_never_read_as_html(alices_browser: Client, document) -> None:
    from webapp.knowledge import storage

    storage.documents().put_text(str(document.pk), "<script>alert(1)</script> & more")
    shown = page(alices_browser, document, start=0, end=8)
    assert "<script>alert" not in shown
    assert '<mark class="cited" id="passage">&lt;script&gt;</mark>alert(1)' in shown


def test_a_document_that_could_not_be_read_says_why(alices_browser: Client, document) -> None:
    from webapp.knowledge import storage

    storage.delete_files(document.pk)
    document.status, document.error = "failed", "library.txt cannot be read as text. Save it as UTF-8."
    document.save()
    assert "Save it as UTF-8." in page(alices_browser, document)


def test_the_file_is_handed_over_to_those_who_may_read_it_and_a_page_of_it_is_never_run(
    alices_browser: Client, bobs_browser: Client, document
) -> None:
    answer = alices_browser.get(f"/documents/{document.pk}/file/")
    assert b"".join(answer.streaming_content).decode() == TEXT
    assert answer["Content-Disposition"].startswith("attachment") and "sandbox" in answer["Content-Security-Policy"]
    assert answer["Content-Type"] == "application/octet-stream"
    assert bobs_browser.get(f"/documents/{document.pk}/file/").status_code == 404
    assert 'id="original"' not in page(alices_browser, document)


def test_a_pdf_is_shown_in_its_place(alices_browser: Client, document) -> None:
    document.media_type = "application/pdf"
    document.save()
    answer = alices_browser.get(f"/documents/{document.pk}/file/")
    assert (answer["Content-Type"], answer["Content-Disposition"]) == (
        "application/pdf", 'inline; filename="library.txt"')
    assert b"".join(answer.streaming_content).decode() == TEXT
    assert f'data-file="/documents/{document.pk}/file/"' in page(alices_browser, document)


def test_a_document_from_the_web_shows_its_address_and_can_be_fetched_anew_by_who_may_edit(
    alices_browser: Client, bobs_browser: Client, document, settings
) -> None:
    assert 'id="refresh"' not in page(alices_browser, document)
    document.source = "https://example.org/library?a=1&b=2"
    document.save()
    document.collection.visibility = "everyone"
    document.collection.save()
    for browser, may_edit in ((alices_browser, True), (bobs_browser, False)):
        shown = page(browser, document)
        assert 'href="https://example.org/library?a=1&amp;b=2" target="_blank" rel="noopener noreferrer"' in shown
        assert ('id="refresh"' in shown) is may_edit
    settings.FETCH_ON = False
    assert 'id="refresh"' not in page(alices_browser, document)
