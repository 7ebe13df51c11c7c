"""Word files for tests, made by python-docx and, where they are to be hostile, by hand."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import docx
from docx.document import Document


def docx_bytes(fill: Callable[[Document], None]) -> bytes:
    """A file that `fill` has written into."""
    document = docx.Document()
    fill(document)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def with_body(xml: str) -> bytes:
    """A file whose document.xml is `xml`."""
    plain = docx_bytes(lambda document: None)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(plain)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for part in source.infolist():
            target.writestr(part.filename, xml if part.filename == "word/document.xml" else source.read(part))
    return out.getvalue()


def bomb() -> bytes:
    """A file of less than 1 MB that unpacks to 300 MB."""
    out = io.BytesIO(docx_bytes(lambda document: document.add_paragraph("A harmless sentence.")))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("word/more.xml", "w") as part:
        for _ in range(300):
            part.write(b" " * 1_000_000)
    return out.getvalue()
