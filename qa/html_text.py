"""HTML to readable text: a line a block, a blank line between paragraphs; scripts, styles and menus left out."""

from __future__ import annotations

import re
from contextlib import suppress

from selectolax.lexbor import LexborHTMLParser, LexborNode

from qa.encodings import NotText, decode
from qa.file_text import FileText, normalise, one_line
from qa.html_boilerplate import remove_boilerplate
from qa.structure import located

_DROPPED = frozenset(
    "script style noscript template nav footer svg canvas iframe form button select object head aside".split()
)
_PARAGRAPHS = frozenset(
    "p div section article main header body blockquote pre ul ol dl table figure figcaption "
    "h1 h2 h3 h4 h5 h6 hr".split()
)
_LINES = frozenset("li tr dt dd caption address summary details option".split())
_CELLS = frozenset(("td", "th"))
_LINE, _PARAGRAPH, _CELL = "\v", "\n\n", "\t"
_BREAKS = re.compile(r"[ \t\v]*[\v\n][ \t\v\n]*")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_NOT_NESTED = frozenset(
    "p li td th tr dt dd option br hr img input meta link wbr col area source track embed base param".split()
)
MAX_DEPTH = 5_000
"""A parser's time grows with the square of the depth; browsers stop at 512."""
_SPACE = re.compile(r"[ \t\r\f\v\u00a0]*\n[ \t\r\f\v\u00a0\n]*|[ \t\r\f\v\u00a0]+")
_SPACE_IN_LINES = re.compile("[\t\v]")
_CHARSET = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?([\w-]{2,40})""", re.IGNORECASE)


_LEGACY = re.compile(r"gb\w+|big5[\w-]*|shift_jis|euc-\w\w|iso-8859-\d+|windows-\d+|koi8-\w|macintosh", re.ASCII)
_SUPERSETS = {"gb2312": "gb18030", "gbk": "gb18030", "big5": "big5hkscs", "shift_jis": "cp932", "euc-kr": "cp949",
              "iso-8859-1": "cp1252"}
"""What browsers read these as."""


def declared_encoding(data: bytes) -> str | None:
    """Python's name of the legacy character set that the page's first 4096 bytes name, or None."""
    found = _CHARSET.search(data[:4096])
    name = found.group(1).decode("ascii").lower() if found else ""
    return python_encoding(name) if _LEGACY.fullmatch(name) else None


def python_encoding(charset: str) -> str:
    """What is to be decoded with where a page or a header names this character set, as browsers do."""
    return _SUPERSETS.get(charset.lower(), charset.lower())


def read_html(data: bytes) -> FileText:
    """Raises NotText."""
    return html_file_text(_decoded(data))


def html_file_text(html: str) -> FileText:
    """Raises NotText."""
    title, text = html_to_text(html)
    text = normalise(text)
    headings = ((level, normalise(heading)) for level, heading in html_headings(html))
    return FileText(one_line(title), text, located(text, headings))


def _decoded(data: bytes) -> str:
    """What is UTF-8 is read as such, whatever the page says of itself; else the page is believed."""
    declared = declared_encoding(data)
    if declared and b"\x00" not in data and not _is_utf8(data):
        with suppress(LookupError, UnicodeError):
            return data.decode(declared)
    return decode(data)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def html_to_text(html: str) -> tuple[str, str]:
    """The page's title ("" when it has none) and its text.

    Raises:
        NotText: its elements are nested more than MAX_DEPTH deep.
    """
    _check_depth(html)
    tree = LexborHTMLParser(html)
    title = tree.css_first("title")
    heading = tree.css_first("h1")
    name = (title or heading).text(deep=True) if title or heading else ""
    if tree.body is None:
        return " ".join(name.split()), ""
    remove_boilerplate(tree.body)
    return " ".join(name.split()), _Writer().write(tree.body)


def html_headings(html: str) -> list[tuple[int, str]]:
    """The headings of a page that `html_to_text` has read, as (level, text) with the white space that it leaves."""
    body = LexborHTMLParser(html).body
    found = body.css("h1, h2, h3, h4, h5, h6") if body else []
    return [(int((node.tag or "h1")[1]), " ".join(node.text(deep=True).split())) for node in found]


def _check_depth(html: str) -> None:
    depth = 0
    for closing, tag in _TAG.findall(html):
        if tag.lower() in _NOT_NESTED:
            continue
        depth = max(depth - 1, 0) if closing else depth + 1
        if depth > MAX_DEPTH:
            raise NotText(f"its elements are nested more than {MAX_DEPTH:,} deep")


class _Writer:
    """Walks the tree without recursion (pages can nest thousands deep) and gathers lines."""

    def __init__(self) -> None:
        self._parts: list[str] = []

    def write(self, body: LexborNode) -> str:
        stack: list[tuple[LexborNode, bool, bool]] = [(body, False, False)]
        while stack:
            node, leaving, preformatted = stack.pop()
            tag = node.tag or ""
            if leaving:
                self._border(tag)
            elif tag == "-text":
                text = node.text_content or ""
                space = _SPACE_IN_LINES if preformatted else _SPACE
                self._parts.append(space.sub(" ", text))
            elif tag == "br":
                self._parts.append("\n")
            elif tag not in _DROPPED and not tag.startswith(("-", "_", "!")):
                self._border(tag)
                if tag == "li":
                    self._parts.append("- ")
                stack.append((node, True, preformatted))
                inside = preformatted or tag == "pre"
                stack += [(child, False, inside) for child in reversed(list(node.iter(include_text=True)))]
        return self._text()

    def _border(self, tag: str) -> None:
        if tag in _PARAGRAPHS:
            self._parts.append(_PARAGRAPH)
        elif tag in _LINES:
            self._parts.append(_LINE)
        elif tag in _CELLS:
            self._parts.append(_CELL)

    def _text(self) -> str:
        """Breaks that meet make one: a paragraph's, if there is one among them or two lines are empty."""
        text = _BREAKS.sub(lambda met: "\n\n" if met.group().count("\n") > 1 else "\n", "".join(self._parts))
        lines = []
        for line in text.split("\n"):
            cells = [" ".join(cell.split()) for cell in line.split(_CELL)]
            lines.append(" | ".join(cell for cell in cells if cell))
        return re.sub(r"(?m)^-\n+(?=\S)", "- ", "\n".join(lines)).strip()
