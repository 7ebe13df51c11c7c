"""One's history of translations as a file to keep: JSON, or TMX for other translation programs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from xml.etree import ElementTree

from webapp.writing.models import Translation
from webapp.writing.translation_serializers import TranslationSerializer

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


def as_json(translations: Iterable[Translation]) -> bytes:
    rows = TranslationSerializer(translations, many=True).data
    return (json.dumps(rows, ensure_ascii=False, indent=2) + "\n").encode()


def as_tmx(translations: Iterable[Translation]) -> bytes:
    """TMX 1.4, a unit a translation."""
    root = ElementTree.Element("tmx", version="1.4")
    ElementTree.SubElement(root, "header", {
        "creationtool": "Wenda", "creationtoolversion": "1", "segtype": "block", "o-tmf": "Wenda", "adminlang": "en",
        "srclang": "*all*", "datatype": "plaintext",
    })
    body = ElementTree.SubElement(root, "body")
    for row in translations:
        unit = ElementTree.SubElement(body, "tu", srclang=row.source, creationdate=f"{row.created_at:%Y%m%dT%H%M%SZ}")
        for language, text in ((row.source, row.text), (row.target, row.translation)):
            variant = ElementTree.SubElement(unit, "tuv", {_LANGUAGE: language})
            ElementTree.SubElement(variant, "seg").text = _NOT_XML.sub("", text)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


FORMATS = {"json": (as_json, "application/json"), "tmx": (as_tmx, "application/x-tmx+xml")}
"""By the ending of the file: what writes it, and its type."""
