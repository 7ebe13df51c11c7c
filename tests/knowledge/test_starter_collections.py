"""The collections that come with the site follow its help pages, and what people did to them stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from webapp.knowledge import services, starter_collections, storage
from webapp.knowledge.models import Collection, Document, Visibility
from webapp.knowledge.starter_collections import bring_up_to_date

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pages(tmp_path: Path, monkeypatch, redis_url) -> Path:
    """A folder of two English help pages and a Chinese one, in place of the real ones."""
    folder = tmp_path / "starter"
    for name, text in {"en/first.md": "# First", "en/second.md": "# Second", "zh-hans/first.md": "# 第一"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    monkeypatch.setattr(starter_collections, "FOLDER", folder)
    return folder


def texts(name: str) -> dict[str, str]:
    documents = Document.objects.filter(collection__name=name)
    return {document.name: storage.original(document.pk).read_text() for document in documents}


def test_the_first_start_makes_a_collection_a_language_that_everyone_sees(pages):
    bring_up_to_date()
    assert texts("Wenda help") == {"first.md": "# First", "second.md": "# Second"}
    assert texts("Wenda 帮助") == {"first.md": "# 第一"}
    assert set(Collection.objects.values_list("owner", "visibility")) == {(None, Visibility.EVERYONE)}


def test_a_start_with_unchanged_pages_changes_nothing_and_asks_hardly_anything(pages, django_assert_max_num_queries):
    bring_up_to_date()
    before = set(Document.objects.values_list("pk", flat=True))
    with django_assert_max_num_queries(1):
        bring_up_to_date()
    assert set(Document.objects.values_list("pk", flat=True)) == before


def test_a_changed_page_is_replaced_a_removed_one_deleted_and_an_added_document_kept(pages):
    bring_up_to_date()
    collection = Collection.objects.get(name="Wenda help")
    services.add_document(collection, "ours.md", [b"# Ours"], None)
    (pages / "en" / "first.md").write_text("# First, revised")
    (pages / "en" / "second.md").unlink()
    bring_up_to_date()
    assert texts("Wenda help") == {"first.md": "# First, revised", "ours.md": "# Ours"}
    assert texts("Wenda 帮助") == {"first.md": "# 第一"}


def test_a_page_under_another_name_stays_as_it_is(pages):
    bring_up_to_date()
    services.delete_document(Document.objects.get(collection__name="Wenda 帮助"))
    for old in ("en/second.md", "zh-hans/first.md"):
        (pages / old).rename(pages / old.replace(".md", "-renamed.md"))
    bring_up_to_date()
    assert texts("Wenda help") == {"first.md": "# First", "second.md": "# Second"}
    assert texts("Wenda 帮助") == {}


def test_a_page_that_somebody_deleted_stays_away_until_its_text_changes(pages):
    bring_up_to_date()
    services.delete_document(Document.objects.get(collection__name="Wenda help", name="first.md"))
    bring_up_to_date()
    assert set(texts("Wenda help")) == {"second.md"}
    (pages / "en" / "first.md").write_text("# First, revised")
    bring_up_to_date()
    assert set(texts("Wenda help")) == {"first.md", "second.md"}


def test_a_start_that_was_cut_off_is_made_up_for_by_the_next(pages, monkeypatch):
    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(starter_collections, "_note", cut_off)
        bring_up_to_date()
    bring_up_to_date()
    assert Document.objects.count() == 3 and Collection.objects.count() == 2
