"""RTF to readable text, by striprtf: paragraphs, the cells of a table parted; no headings, for RTF names none."""

from __future__ import annotations

import re

from striprtf.striprtf import rtf_to_text

from qa.file_text import FileText, normalise
from qa.unreadable import Unreadable, damaged_otherwise

_TITLE = re.compile(rb"\{\\title ([^{}\\]{1,200})\}")


def read_rtf(data: bytes) -> FileText:
    """
    Raises:
        Unreadable: no RTF, or a damaged one.
    """
    if not data.lstrip().startswith(b"{\\rtf"):
        raise Unreadable("damaged", "it is no RTF, whatever its name says. Save it anew from a word processor.")
    with damaged_otherwise("RTF"):
        text = rtf_to_text(data.decode("latin-1"), errors="replace")
    title = _TITLE.search(data[:20_000])
    lines = (" | ".join(cell.strip() for cell in line.split("|") if cell.strip()) for line in text.split("\n"))
    return FileText(title.group(1).decode("latin-1").strip() if title else "", normalise("\n".join(lines)))
