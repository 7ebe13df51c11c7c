"""Sitemaps as they come, and as an attacker writes them."""

from __future__ import annotations

import gzip

import pytest

from qa import sitemap
from qa.sitemap import NotSitemap

NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"


def urlset(*addresses: str, start: str = '<?xml version="1.0" encoding="UTF-8"?>') -> bytes:
    entries = "".join(f"<url><loc>\n {one} </loc><lastmod>2026-01-01</lastmod></url>" for one in addresses)
    return f'{start}<urlset xmlns="{NAMESPACE}">{entries}</urlset>'.encode()


def test_pages_and_further_sitemaps_are_read_each_once(tmp_path):
    file = tmp_path / "sitemap"
    file.write_bytes(urlset("https://a.example/1", "https://a.example/2?x=1&amp;y=2", "https://a.example/1"))
    assert sitemap.read(file, 10) == sitemap.Sitemap(["https://a.example/1", "https://a.example/2?x=1&y=2"], [])
    file.write_bytes(f"<s:sitemapindex xmlns:s='{NAMESPACE}'><s:sitemap><s:loc>https://a.example/s.xml</s:loc></s:sitemap>"
                     "</s:sitemapindex>".encode())
    assert sitemap.read(file, 10).sitemaps == ["https://a.example/s.xml"]


def test_no_more_are_read_than_asked_for():
    found = sitemap.parse(urlset(*(f"https://a.example/{number}" for number in range(9))), 5)
    assert len(found.pages) == 5 and found.more
    assert not sitemap.parse(urlset(*(f"https://a.example/{number}" for number in range(5))), 5).more


def test_a_packed_one_and_one_of_plain_lines_are_read():
    assert sitemap.parse(gzip.compress(urlset("https://a.example/1")), 5).pages == ["https://a.example/1"]
    lines = b"https://a.example/1\r\n\nhttps://a.example/2\n"
    assert sitemap.parse(lines, 1) == sitemap.Sitemap(["https://a.example/1"], [], True)


@pytest.mark.parametrize("data", [
    b"<html><body><a href='https://a.example/'>x</a></body></html>", b"<urlset><url>", b"plain words",
    b"\x00\xff\xfe", gzip.compress(urlset("https://a.example/"))[:-20], b"\x1f\x8bnothing", b"<rss/>",
])
def test_what_is_none_is_refused(data):
    with pytest.raises(NotSitemap):
        sitemap.parse(data, 5)


def test_a_bomb_is_refused():
    with pytest.raises(NotSitemap):
        sitemap.parse(gzip.compress(bytes(sitemap.MOST_BYTES + 1), 1), 5)


def test_entities_are_not_followed(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("https://a.example/secret")
    for declared in (f'<!ENTITY x SYSTEM "file://{secret}">', '<!ENTITY y "zz"><!ENTITY x "&y;&y;&y;&y;">'):
        found = sitemap.parse(urlset("https://a.example/&x;", start=f"<!DOCTYPE urlset [{declared}]>"), 5)
        assert found.pages in ([], ["https://a.example/"])


@pytest.mark.parametrize(("start", "is_one"), [
    (urlset("https://a.example/"), True), (b"\xef\xbb\xbf" + urlset(), True),
    (gzip.compress(urlset("https://a.example/")), True),
    (b"<?xml version='1.0'?>\n<?xml-stylesheet href='x.xsl'?><!-- made by x --><sitemapindex>", True),
    (b"<html><p>&lt;urlset></p>", False), (b"<rss>", False), (b"", False), (b"\x1f\x8b\x00", False),
    (b"<!---->" * 1_100, False),
])
def test_a_sitemap_is_told_by_its_beginning(start, is_one):
    assert sitemap.looks_like_sitemap(start) is is_one
