"""HTML to readable text: a line a block, a blank line between paragraphs; scripts, styles and navigation left out."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

_DROPPED = frozenset(
    "script style noscript template nav footer svg canvas iframe form button select object head aside".split()
)
_PARAGRAPHS = frozenset(
    "p div section article main header body blockquote pre ul ol dl table figure figcaption "
    "h1 h2 h3 h4 h5 h6 hr".split()
)
_LINES = frozenset("li tr dt dd br caption address summary details option".split())
_CELLS = frozenset(("td", "th"))
_SPACE = re.compile(r"[ \t\r\f\v\u00a0]*\n[ \t\r\f\v\u00a0\n]*|[ \t\r\f\v\u00a0]+")
_CHARSET = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?([\w-]{2,40})""", re.IGNORECASE)


_LEGACY = re.compile(r"gb\w+|big5[\w-]*|shift_jis|euc-\w\w|iso-8859-\d+|windows-\d+|koi8-\w|macintosh", re.ASCII)
_SUPERSETS = {"gb2312": "gb18030", "gbk": "gb18030", "big5": "big5hkscs", "shift_jis": "cp932", "euc-kr": "cp949",
              "iso-8859-1": "cp1252"}
"""What browsers read these as."""


def declared_encoding(data: bytes) -> str | None:
    """Python's name of the legacy character set that the page's first 4096 bytes name, or None."""
    found = _CHARSET.search(data[:4096])
    name = found.group(1).decode("ascii").lower() if found else ""
    return _SUPERSETS.get(name, name) if _LEGACY.fullmatch(name) else None


def html_to_text(html: str) -> tuple[str, str]:
    """The page's title ("" when it has none) and its text."""
    tree = LexborHTMLParser(html)
    title = tree.css_first("title")
    heading = tree.css_first("h1")
    name = (title or heading).text(deep=True, strip=True) if title or heading else ""
    return " ".join(name.split()), _Writer().write(tree.body) if tree.body else ""


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
                self._parts.append(text.replace("\t", " ") if preformatted else _SPACE.sub(" ", text))
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
            self._parts.append("\n\n")
        elif tag in _LINES:
            self._parts.append("\n")
        elif tag in _CELLS:
            self._parts.append(" \t")

    def _text(self) -> str:
        lines = []
        for line in "".join(self._parts).split("\n"):
            cells = [" ".join(cell.split()) for cell in line.split("\t")]
            lines.append(" | ".join(cell for cell in cells if cell))
        text = re.sub(r"(?m)^-(?: \|)?$\n+(?=\S)", "- ", "\n".join(lines))
        return re.sub(r"\n{3,}", "\n\n", text).strip()
