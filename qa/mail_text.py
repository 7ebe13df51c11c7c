"""E-mails (.eml) to readable text: who wrote when and about what, the body, the names of what is attached."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

from qa.encodings import decode
from qa.file_text import FileText, normalise, one_line
from qa.html_text import html_to_text
from qa.text_writer import TextWriter
from qa.unreadable import Unreadable, damaged_otherwise

HEADERS = ("From", "To", "Cc", "Date", "Subject")
ATTACHMENTS = "Attachments"
_KIND = "e-mail"


def read_mail(data: bytes) -> FileText:
    """
    Raises:
        Unreadable: no e-mail, or a damaged one.
        NotText: its body is in no known encoding.
    """
    with damaged_otherwise(_KIND):
        message = email.message_from_bytes(data, policy=email.policy.default)
        headers = [(name, _header(message, name)) for name in HEADERS]
        body = _body(message)
        attached = [one_line(part.get_filename() or part.get_content_type()) for part in message.iter_attachments()]
    lines = [f"{name}: {value}" for name, value in headers if value]
    if not lines:
        raise Unreadable("damaged", "it is no e-mail, for no header says who wrote it. Save it anew as .eml.")
    if attached:
        lines.append(f"{ATTACHMENTS}: {', '.join(filter(None, attached))}")
    out = TextWriter()
    out.add("\n".join(lines))
    if body:
        out.add(body)
    return out.result(dict(headers)["Subject"])


def _header(message: EmailMessage, name: str) -> str:
    try:
        return one_line(str(message.get(name, "")))
    except Exception:  # the standard library's parser raises all kinds of errors for headers that are broken
        return ""


def _body(message: EmailMessage) -> str:
    """The plain text where there is one, else the page's text."""
    part = message.get_body(("plain", "html"))
    if part is None:
        return ""
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    text = _decoded(content, part.get_content_charset())
    return normalise(html_to_text(text)[1] if part.get_content_type() == "text/html" else text)


def _decoded(content: bytes, charset: str | None) -> str:
    """In the character set that the part names, if it fits."""
    if charset:
        try:
            return content.decode(charset)
        except (UnicodeError, LookupError):
            pass
    return decode(content)


