"""Files that are a ZIP inside (DOCX, XLSX, PPTX, EPUB): opened only when what they unpack to is bearable."""

from __future__ import annotations

import io
import zipfile

from qa.unreadable import Unreadable, damaged_otherwise

MAX_PART_BYTES = 200 * 1000 * 1000
"""Of one unpacked part that is no picture. 100 MB of a DOCX's XML are some 20,000 pages."""
MAX_UNPACKED_BYTES = 1000 * 1000 * 1000
MAX_RATIO = 200
"""Unpacked size to packed, of a part above SMALL_BYTES. XML of real documents packs about 10 to 1, hardly 50 to 1."""
SMALL_BYTES = 5 * 1000 * 1000
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How an encrypted Office file begins, and one of before 2007."""

_TEXT_ENDINGS = (".xml", ".rels", ".html", ".xhtml", ".htm", ".opf", ".ncx")


def check_packed(data: bytes, kind: str) -> None:
    """By the sizes that the ZIP declares, which `zipfile` never reads beyond.

    Raises:
        Unreadable: no ZIP, encrypted, or made to unpack to more than a document may have; `kind` is what it is
            to be.
    """
    with damaged_otherwise(kind), zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
    for part in parts:
        ratio = part.file_size / max(part.compress_size, 1)
        is_text = part.filename.lower().endswith(_TEXT_ENDINGS)
        if (part.file_size > SMALL_BYTES and ratio > MAX_RATIO) or (is_text and part.file_size > MAX_PART_BYTES):
            raise _bomb()
        if part.flag_bits & 1:
            raise Unreadable("encrypted", f"it is protected by a password. Save it as {kind} without one.")
    if sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
        raise _bomb()


def check_office(data: bytes, kind: str, old: str) -> None:
    """`check_packed` for an Office file; `old` is the ending of what came before `kind` and is told with its sign.

    Raises:
        Unreadable: see there.
    """
    if data.startswith(OLE):
        raise Unreadable("encrypted", f"it is protected by a password, or an old {old} file. Save it as {kind}, "
                                      "without a password.")
    check_packed(data, kind)


def _bomb() -> Unreadable:
    return Unreadable("too_hard", "it unpacks to far more than a document holds. Split it, or save it as plain text.")
