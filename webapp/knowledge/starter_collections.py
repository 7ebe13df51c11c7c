"""The collections that come with the site: its help pages, one collection a language.

What was brought in is noted in the data folder. So a start with unchanged pages costs nothing, pages that somebody
added to these collections stay, and a page or collection that somebody deleted stays away until its text changes.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from django.conf import settings

from webapp.knowledge import services
from webapp.knowledge.models import Collection, Document, Visibility

FOLDER = Path(__file__).parent / "starter"
COLLECTIONS = {
    "en": ("Wenda help", "How to use this site: adding documents, asking, citations, fine-tuning and more."),
    "zh-hans": ("Wenda 帮助", "本站使用说明：添加文档、提问、引用、微调等。"),
}

Noted = dict[str, dict[str, str]]
"""Language to page's file name to SHA-256."""


def bring_up_to_date() -> None:
    """Make the collections and queue their new and changed pages; delete pages that no longer come with the site."""
    pages = {language: _pages(FOLDER / language) for language in COLLECTIONS}
    noted = _noted()
    if noted == pages and Collection.objects.exists():
        return
    if not Collection.objects.exists():
        noted = {}
    for language, (name, description) in COLLECTIONS.items():
        _bring_one(language, name, description, pages[language], noted.get(language, {}))
    _note(pages)


def _bring_one(language: str, name: str, description: str, pages: dict[str, str], before: dict[str, str]) -> None:
    collection = Collection.objects.filter(owner=None, name=name).first()
    if collection is None:
        collection = services.create_collection(None, name, description, Visibility.EVERYONE)
        before = {}
    for page, digest in pages.items():
        if digest not in before.values():
            with (FOLDER / language / page).open("rb") as file:
                services.add_document(collection, page, file, None)
    gone = set(before.values()) - set(pages.values())
    for document in Document.objects.filter(collection=collection, sha256__in=gone):
        services.delete_document(document)


def _pages(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.glob("*.md"))}


def _note_file() -> Path:
    return settings.DATA_DIR / "starter-pages.json"


def _noted() -> Noted:
    try:
        return json.loads(_note_file().read_text())
    except (FileNotFoundError, ValueError):
        return {}


def _note(pages: Noted) -> None:
    fresh = _note_file().with_suffix(".new")
    fresh.write_text(json.dumps(pages, indent=1))
    fresh.replace(_note_file())
