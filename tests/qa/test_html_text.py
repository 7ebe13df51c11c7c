from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.encodings import NotText
from qa.html_text import declared_encoding, html_to_text

_TAGS = st.sampled_from(
    "p div b li ul td tr table pre h1 title body html head br a svg math template noscript select option details "
    "script style frameset plaintext".split()
)
_ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=100)
_MARKUP = st.lists(
    st.one_of(
        _TAGS.map("<{}>".format), _TAGS.map("</{}>".format), _ANY_TEXT,
        st.sampled_from(["<", ">", "&amp;", "&#0;", "&#xd800;", "<!--", "-->", "<![CDATA[", "<?", "\x00", '<a b="']),
    ),
    max_size=40,
).map("".join)


@given(st.one_of(_MARKUP, _ANY_TEXT))
def test_any_markup_gives_a_title_and_a_text(html: str):
    title, text = html_to_text(html)
    assert "\n" not in title
    assert "\n\n\n" not in text


@given(_MARKUP)
def test_text_of_scripts_and_styles_never_appears(around: str):
    page = f"<body><p>shown</p><script>var hidden1 = 1</script><style>.hidden2 {{}}</style>{around}"
    assert "hidden" not in html_to_text(page)[1]


@pytest.mark.parametrize("tag", ["script", "style", "noscript", "template", "nav", "footer", "svg", "form", "aside"])
def test_what_is_no_part_of_the_article_is_left_out(tag: str):
    assert html_to_text(f"<body><p>Kept.</p><{tag}>hidden</{tag}><p>Kept too.</p>")[1] == "Kept.\n\nKept too."


def test_blocks_become_paragraphs_and_list_items_lines():
    html = "<h1>Wall</h1><p>It is <b>long</b>,\n and old.</p><ul><li>one</li><li><p>two</p></li></ul><p>End<br>line"
    assert html_to_text(html)[1] == "Wall\n\nIt is long, and old.\n\n- one\n- two\n\nEnd\nline"


def test_table_cells_are_told_apart():
    html = "<table><tr><th>Tower</th><th>Year</th></tr><tr><td>Eiffel</td><td>1889</td></tr></table>"
    assert html_to_text(html)[1] == "Tower | Year\nEiffel | 1889"


def test_lines_of_preformatted_text_stay_lines():
    assert html_to_text("<pre>a\tb\nc</pre>")[1] == "a b\nc"


def test_the_title_is_the_pages_or_else_its_heading():
    assert html_to_text("<title> A\n page </title><h1>Heading</h1>")[0] == "A page"
    assert html_to_text("<h1>Heading</h1>")[0] == "Heading"
    assert html_to_text("<p>x")[0] == ""


@pytest.mark.timeout(60)
def test_a_page_nested_deep_is_read_and_one_nested_absurdly_deep_is_refused():
    assert html_to_text("<div>" * 4_000 + "deep")[1] == "deep"
    with pytest.raises(NotText, match="nested more than 5,000 deep"):
        html_to_text("<div>" * 100_000 + "deep")


@pytest.mark.timeout(60)
def test_many_paragraphs_and_items_that_are_never_closed_are_no_depth():
    assert html_to_text("<p>a<br>" * 20_000 + "<ul>" + "<li>b" * 20_000)[1].startswith("a\n\na")


@pytest.mark.timeout(60)
def test_a_megabyte_of_spaces_and_open_tags_is_read_in_linear_time():
    assert html_to_text("<p>a" + " " * 500_000 + "\n" * 500_000 + "b" + "<" * 100_000)[1].startswith("a b")


@pytest.mark.parametrize(("head", "expected"), [
    (b'<meta charset="GB2312">', "gb18030"),
    (b"<META http-equiv=Content-Type content='text/html; charset=Big5'>", "big5hkscs"),
    (b'<meta charset="iso-8859-1">', "cp1252"),
    (b'<meta charset="utf-8">', None),
    (b'<meta charset="utf-16">', None),
    (b'<meta charset="unicode_escape">', None),
    (b'<meta charset="idna">', None),
    (b"<p>none", None),
])
def test_the_legacy_encoding_that_a_page_names(head: bytes, expected: str | None):
    assert declared_encoding(head) == expected


PAGE = """<body><div class="cookie-banner">We use cookies. <a href=a>Accept</a></div>
<div id=top><ul><li><a href=b>Home</a><li><a href=c>Products</a><li><a href=d>About us</a></ul></div>
<div class=breadcrumb><a href=e>Home</a> &gt; <a href=f>Towers</a></div>
<div role=navigation><p>Go to</p></div>
<div><h3>Related</h3><a href=g>The reef of Salt Bay</a> <a href=h>Ships of 1870</a> <a href=i>Lamps</a></div>
<div class=content><h1>The tower</h1><p>It was built by Ingrid Halloran in 1871, in <a href=j>three summers</a>.</p>
<ul><li><a href=k>Its lamp</a><li><a href=l>Its keeper</a><li><a href=m>Its reef</a></ul></div>
<div class=share><a href=n>Tweet</a> <a href=o>Mail</a></div></body>"""


def test_menus_notices_and_buttons_are_left_out_though_they_are_mere_divisions():
    assert html_to_text(PAGE)[1] == ("The tower\n\nIt was built by Ingrid Halloran in 1871, in three summers.\n\n"
                                     "- Its lamp\n- Its keeper\n- Its reef")


def test_a_page_that_is_a_list_of_links_keeps_them():
    links = "".join(f"<li><a href={n}>The lighthouse number {n}</a>" for n in range(5))
    assert html_to_text(f"<body><h1>All</h1><ul>{links}</ul>")[1].count("lighthouse") == 5


def test_prose_is_kept_whatever_it_is_called():
    prose = "It stands on the reef, where many ships were lost, and can be seen from afar. " * 5
    assert html_to_text(f"<body><p>Short.</p><div class='related menu'><p>{prose}</p></div>")[1].endswith("afar.")
