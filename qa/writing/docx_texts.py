"""The words of a DOCX file as lines of HTML, and the file with translated lines in their place.

A line is a run of words within a paragraph; words in another style than most of the line are in <span id=N>. All else
of the file (styles, pictures, tables, headers, notes) stays as it is.
"""

from __future__ import annotations

import copy
import html
import io
import re
import zipfile
from collections.abc import Iterator

from lxml import etree

MAX_UNPACKED_BYTES = 200 * 1000 * 1000
"""Of all parts together: a small file can unpack to any size."""
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_XML_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_PARTS = re.compile(r"word/(?:document|header\d*|footer\d*|footnotes|endnotes|comments)\.xml")
_INVISIBLE = {f"{_W}{name}" for name in (
    "bookmarkStart", "bookmarkEnd", "proofErr", "commentRangeStart", "commentRangeEnd", "permStart", "permEnd",
)}
_CONTAINERS = {f"{_W}{name}" for name in ("hyperlink", "ins", "smartTag", "sdt", "sdtContent", "moveTo")}
_SPAN = re.compile(r"<span id=(\d+)>(.*?)</span>", re.S)
_TAG = re.compile(r"</?[A-Za-z][^>]*>")
_OLE = b"\xd0\xcf\x11\xe0"


class DocxProblem(ValueError):
    """A file that cannot be taken apart; `code` is "encrypted", "broken" or "too_large"."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Docx:
    """One file. `lines` are its words in order; `written` is the file with other lines."""

    def __init__(self, data: bytes) -> None:
        if data.startswith(_OLE):
            raise DocxProblem("encrypted")
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
            if sum(info.file_size for info in self._archive.infolist()) > MAX_UNPACKED_BYTES:
                raise DocxProblem("too_large")
            if any(info.flag_bits & 1 for info in self._archive.infolist()):
                raise DocxProblem("encrypted")
            if self._archive.testzip() is not None:  # a picture too: it is written again with the translation
                raise DocxProblem("broken")
            names = [name for name in self._archive.namelist() if _PARTS.fullmatch(name)]
            if "word/document.xml" not in names:
                raise DocxProblem("broken")
            names.sort(key=lambda name: (name != "word/document.xml", name))
            self._trees = {name: _parsed(self._read(name)) for name in names}
            self._segments = [segment for tree in self._trees.values() for paragraph in tree.iter(f"{_W}p")
                              for segment in _segments(paragraph)]
        except (DocxProblem, MemoryError):
            raise
        except Exception as error:  # whatever zipfile, zlib and lxml raise for damaged bytes
            raise DocxProblem("broken") from error

    def _read(self, name: str) -> bytes:
        """At most what the archive's list of contents promised, whatever it really unpacks to."""
        with self._archive.open(name) as part:
            data = part.read(MAX_UNPACKED_BYTES + 1)
        if len(data) > MAX_UNPACKED_BYTES:
            raise DocxProblem("too_large")
        return data

    @property
    def lines(self) -> list[str]:
        return [segment.line() for segment in self._segments]

    def written(self, lines: list[str]) -> bytes:
        """The file with these lines in the place of its own."""
        for segment, line in zip(self._segments, lines, strict=True):
            if line != segment.line():
                segment.write(line)
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
            for info in self._archive.infolist():
                tree = self._trees.get(info.filename)
                data = self._archive.read(info) if tree is None else etree.tostring(
                    tree, xml_declaration=True, encoding="UTF-8", standalone=True)
                target.writestr(info.filename, data)
        return out.getvalue()


def _parsed(data: bytes) -> etree._ElementTree:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    return etree.ElementTree(etree.fromstring(data, parser))


class _Segment:
    """Runs that stand side by side and hold nothing but words."""

    def __init__(self, runs: list[etree._Element]) -> None:
        self._runs = runs
        self._pieces: list[tuple[str, etree._Element]] = []
        for run in runs:
            text = _text_of(run)
            if self._pieces and _style_of(self._pieces[-1][1]) == _style_of(run):
                self._pieces[-1] = (self._pieces[-1][0] + text, self._pieces[-1][1])
            else:
                self._pieces.append((text, run))
        lengths: dict[bytes, int] = {}
        for text, run in self._pieces:
            lengths[_style_of(run)] = lengths.get(_style_of(run), 0) + len(text)
        main = max(lengths, key=lambda style: lengths[style])
        self._main = next(run for _, run in self._pieces if _style_of(run) == main)

    def line(self) -> str:
        parts = []
        for number, (text, run) in enumerate(self._pieces):
            escaped = html.escape(text.replace("\n", " "), quote=False)
            plain = _style_of(run) == _style_of(self._main) or not text.strip()
            parts.append(escaped if plain else f"<span id={number}>{escaped}</span>")
        return "".join(parts)

    def write(self, line: str) -> None:
        """Put new runs in the place of the old ones, each in the style of the one that its words come from."""
        made: list[etree._Element] = []
        at = 0
        for match in [*_SPAN.finditer(line), None]:
            self._append(made, line[at : match.start() if match else len(line)], self._main)
            if match:
                number = int(match[1])
                source = self._pieces[number][1] if number < len(self._pieces) else self._main
                self._append(made, match[2], source)
                at = match.end()
        parent = self._runs[0].getparent()
        place = parent.index(self._runs[0])
        for run in self._runs:
            parent.remove(run)
        for run in reversed(made):
            parent.insert(place, run)

    @staticmethod
    def _append(made: list[etree._Element], text: str, source: etree._Element) -> None:
        words = html.unescape(_TAG.sub("", text))
        if not words:
            return
        run = etree.Element(f"{_W}r", attrib=dict(source.attrib), nsmap=source.nsmap)
        style = source.find(f"{_W}rPr")
        if style is not None:
            run.append(copy.deepcopy(style))
        written = etree.SubElement(run, f"{_W}t")
        written.text = words
        written.set(_XML_SPACE, "preserve")
        made.append(run)


def _segments(container: etree._Element) -> Iterator[_Segment]:
    """Those of a paragraph, or of a link or the like in one; a text box's paragraphs come by themselves."""
    _split_runs(container)
    runs: list[etree._Element] = []
    for child in list(container):
        if child.tag == f"{_W}r" and _is_words(child):
            runs.append(child)
        elif child.tag not in _INVISIBLE:
            yield from _with_words(runs)
            runs = []
            if child.tag in _CONTAINERS:
                yield from _segments(child)
    yield from _with_words(runs)


def _with_words(runs: list[etree._Element]) -> Iterator[_Segment]:
    if any(any(map(str.isalpha, _text_of(run))) for run in runs):
        yield _Segment(runs)


def _split_runs(container: etree._Element) -> None:
    """Let a run that holds words and other things, such as a tab, become several."""
    for run in container.findall(f"{_W}r"):
        for broken in run.findall(f"{_W}lastRenderedPageBreak"):
            run.remove(broken)
        contents = [child for child in run if child.tag != f"{_W}rPr"]
        if len(contents) < 2 or not any(child.tag == f"{_W}t" for child in contents):
            continue
        place = container.index(run)
        for child in reversed(contents[1:]):
            twin = etree.Element(run.tag, attrib=dict(run.attrib), nsmap=run.nsmap)
            style = run.find(f"{_W}rPr")
            if style is not None:
                twin.append(copy.deepcopy(style))
            twin.append(child)
            container.insert(place + 1, twin)


def _is_words(run: etree._Element) -> bool:
    contents = [child.tag for child in run if child.tag != f"{_W}rPr"]
    return bool(contents) and all(tag == f"{_W}t" for tag in contents)


def _text_of(run: etree._Element) -> str:
    return "".join(child.text or "" for child in run.findall(f"{_W}t"))


def _style_of(run: etree._Element) -> bytes:
    """What tells a run's look; languages and spelling marks do not."""
    style = run.find(f"{_W}rPr")
    if style is None:
        return b""
    kept = copy.deepcopy(style)
    for name in ("lang", "noProof"):
        for found in kept.findall(f"{_W}{name}"):
            kept.remove(found)
    return etree.tostring(kept, method="c14n") if len(kept) else b""
