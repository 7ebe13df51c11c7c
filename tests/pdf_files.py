"""Small PDF files written by hand, so that tests know each letter of them: text at places, an outline, a password."""

from __future__ import annotations

from collections.abc import Sequence

TOP, LEFT, LEADING = 780, 72, 14


def pdf(
    pages: Sequence[Sequence[str | tuple[float, float, float, str]]],
    *,
    outline: Sequence[tuple[str, int]] = (),
    title: str = "",
    is_encrypted: bool = False,
) -> bytes:
    """A PDF of these pages. A line is a text, set below the one before ("" leaves a gap), or (x, y, size, text).

    `outline` holds (title, page from 0).
    """
    objects: list[str] = ["", ""]  # the catalog and the page tree, which come first and are known last

    def add(body: str) -> int:
        objects.append(body)
        return len(objects)

    font = add("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
    page_numbers = []
    for lines in pages:
        drawn = _drawn(lines)
        content = add(f"<< /Length {len(drawn.encode('cp1252'))} >>\nstream\n{drawn}\nendstream")
        page_numbers.append(add(f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {content} 0 R "
                                f"/Resources << /Font << /F1 {font} 0 R >> >> >>"))
    catalog = "<< /Type /Catalog /Pages 2 0 R"
    if outline:
        first, root = len(objects) + 1, len(objects) + 1 + len(outline)
        for place, (name, page) in enumerate(outline):
            beside = f"/Next {first + place + 1} 0 R" if place + 1 < len(outline) else ""
            add(f"<< /Title ({name}) /Parent {root} 0 R {beside} /Dest [{page_numbers[page]} 0 R /Fit] >>")
        add(f"<< /Type /Outlines /First {first} 0 R /Last {root - 1} 0 R /Count {len(outline)} >>")
        catalog += f" /Outlines {root} 0 R"
    objects[0] = catalog + " >>"
    objects[1] = (f"<< /Type /Pages /Count {len(page_numbers)} "
                  f"/Kids [{' '.join(f'{number} 0 R' for number in page_numbers)}] >>")
    trailer = "/Root 1 0 R"
    if title:
        trailer += f" /Info {add(f'<< /Title ({title}) >>')} 0 R"
    if is_encrypted:
        key = "ab" * 32
        lock = add(f"<< /Filter /Standard /V 2 /R 3 /Length 128 /P -44 /O <{key}> /U <{key}> >>")
        trailer += f" /Encrypt {lock} 0 R /ID [<{'cd' * 16}> <{'cd' * 16}>]"
    return _written(objects, trailer)


def _drawn(lines: Sequence[str | tuple[float, float, float, str]]) -> str:
    y = TOP
    parts = []
    for line in lines:
        x, at, size, text = line if isinstance(line, tuple) else (LEFT, y, 11, line)
        y = at - LEADING
        if text:
            escaped = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
            parts.append(f"BT /F1 {size} Tf 1 0 0 1 {x} {at} Tm ({escaped}) Tj ET")
    return "\n".join(parts)


def _written(objects: Sequence[str], trailer: str) -> bytes:
    out = bytearray(b"%PDF-1.6\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("cp1252")
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010d} 00000 n \n".encode() for place in places)
    out += f"trailer << /Size {len(objects) + 1} {trailer} >>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(out)
