"""What came from the web as a file of a type that documents have: its name with the right ending, its text as UTF-8.

The type is told as with uploads by the name's ending; the server's word and the first bytes say which ending that is.
"""

from __future__ import annotations

import re
from contextlib import suppress
from email.message import Message
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from models_service.sealed import files
from qa.documents import FORMAT_BY_ENDING, FORMATS, Format
from qa.html_text import python_encoding
from qa.sitemap import looks_like_sitemap
from webapp.knowledge.web.fetch import Fetched
from webapp.knowledge.web.problems import FetchProblem

START_BYTES = 8_192
_BY_TYPE = {each.media_type: each for each in FORMATS} | {
    "application/xhtml+xml": FORMAT_BY_ENDING[".html"], "application/x-pdf": FORMAT_BY_ENDING[".pdf"],
    "text/x-markdown": FORMAT_BY_ENDING[".md"], "application/csv": FORMAT_BY_ENDING[".csv"],
    "text/rtf": FORMAT_BY_ENDING[".rtf"],
}
_UNTOLD = ("", "application/octet-stream", "binary/octet-stream", "application/force-download",
           "application/x-download", "application/zip")
"""Types by which a server says that it does not know."""
_HTML = re.compile(  # atomic, so that a hostile beginning takes no longer than another
    rb"\s*+(?:(?><!--.*?-->)\s*+|(?><\?.*?\?>)\s*+)*+<(?:!doctype html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_TEXTS = ("text/plain", "text/html", "text/markdown", "text/csv", "text/tab-separated-values")


def start_of(file: Path) -> bytes:
    with files.open_read(file) as content:
        return content.read(START_BYTES)


def is_sitemap(fetched: Fetched) -> bool:
    return looks_like_sitemap(start_of(fetched.file))


def file_name(fetched: Fetched) -> str:
    """Of the address' last part, or what the server calls it; its ending tells the type.

    Raises:
        FetchProblem: of a type that is not read here.
    """
    header = _header("Content-Type", fetched.content_type)
    kind = header.get_content_type() if fetched.content_type else ""
    called = _header("Content-Disposition", fetched.disposition).get_filename() if fetched.disposition else ""
    name = called or PurePosixPath(unquote(fetched.address.path)).name or fetched.address.host
    own = FORMAT_BY_ENDING.get(PurePosixPath(name).suffix.lower())
    form = _form(kind, own, start_of(fetched.file))
    if form is None:
        raise FetchProblem("type", type=kind or PurePosixPath(name).suffix or "?")
    return name if own is form else f"{name}{form.endings[0]}"


def make_utf8(fetched: Fetched, name: str) -> None:
    """Write a text anew as UTF-8 that is in the character set which only the server's header names."""
    if FORMAT_BY_ENDING[PurePosixPath(name).suffix.lower()].media_type not in _TEXTS:
        return
    charset = _header("Content-Type", fetched.content_type).get_content_charset() or ""
    data = files.read_bytes(fetched.file)
    if not charset or charset in ("utf-8", "utf8"):
        return
    with suppress(UnicodeDecodeError):
        data.decode("utf-8")
        return  # whatever the header says of it
    with suppress(LookupError, UnicodeError):
        files.write_bytes(fetched.file, data.decode(python_encoding(charset)).encode("utf-8"))


def _form(kind: str, own: Format | None, start: bytes) -> Format | None:
    if start.startswith(b"%PDF-"):
        return FORMAT_BY_ENDING[".pdf"]
    if kind in _UNTOLD:
        return own or (FORMAT_BY_ENDING[".html"] if _HTML.match(start) else None)
    if kind == "text/plain":
        return own if own and own.media_type in _TEXTS and own.media_type != "text/html" else FORMAT_BY_ENDING[".txt"]
    return _BY_TYPE.get(kind)


def _header(name: str, value: str) -> Message:
    with suppress(UnicodeError):
        value = value.encode("latin-1").decode("utf-8")  # which the book does not allow in a header, but many send
    message = Message()
    message[name] = " ".join(value.splitlines())
    return message
