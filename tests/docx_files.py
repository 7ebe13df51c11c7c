"""Word files for tests, made by python-docx and, where they are to be hostile, by hand."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import docx
from docx.document import Document
from hypothesis import strategies as st


def docx_bytes(fill: Callable[[Document], None]) -> bytes:
    """A file that `fill` has written into."""
    document = docx.Document()
    fill(document)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def with_body(xml: str) -> bytes:
    """A file whose document.xml is `xml`."""
    return with_parts(docx_bytes(lambda document: None), {"word/document.xml": xml})


def with_parts(data: bytes, parts: dict[str, str | bytes]) -> bytes:
    """The file with other parts in the place of those named."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for part in source.infolist():
            target.writestr(part.filename, parts.get(part.filename, source.read(part)))
    return out.getvalue()


def damaged_in(data: bytes) -> st.SearchStrategy[bytes]:
    """The file with some of its bytes gone and others in their place: of the archive, or of one part's unpacked."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist() if name.endswith((".xml", ".rels"))}

    def of_part(name: str) -> st.SearchStrategy[bytes]:
        return _damaged(parts[name]).map(lambda broken: with_parts(data, {name: broken}))

    return _damaged(data) | st.sampled_from(sorted(parts)).flatmap(of_part)


def _damaged(data: bytes) -> st.SearchStrategy[bytes]:
    places = st.tuples(st.integers(0, len(data)), st.integers(0, 60), st.binary(max_size=30))
    return places.map(lambda place: data[: place[0]] + place[2] + data[place[0] + place[1] :])


def bomb() -> bytes:
    """A file of less than 1 MB that unpacks to 300 MB."""
    out = io.BytesIO(docx_bytes(lambda document: document.add_paragraph("A harmless sentence.")))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("word/more.xml", "w") as part:
        for _ in range(300):
            part.write(b" " * 1_000_000)
    return out.getvalue()
