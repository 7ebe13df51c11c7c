"""`manage.py ingest` where no site runs: it loads the models and reads the files in itself."""

from __future__ import annotations

import json
import zipfile

import pytest
from django.core.management import CommandError, call_command

from qa import index_database
from tests.knowledge.conftest import STORY
from tests.local_web import running_web
from webapp.knowledge import storage
from webapp.knowledge.models import Collection, Visibility

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ingest(capsys, settings, tmp_path):
    """`ingest(*words)`: the JSON that the command printed, and its exit status."""
    settings.REDIS_URL = f"unix://{tmp_path}/nowhere.sock"

    def ingest(*words: object) -> tuple[dict, int]:
        status = 0
        try:
            call_command("ingest", *map(str, words), "--json")
        except SystemExit as end:
            status = end.code
        return json.loads(capsys.readouterr().out), status

    return ingest


def test_a_folder_becomes_a_collection_that_everyone_sees_and_its_files_are_searchable(ingest, tmp_path):
    (tmp_path / "papers" / "deep").mkdir(parents=True)
    (tmp_path / "papers" / "story.txt").write_text(STORY)
    (tmp_path / "papers" / "deep" / "note.md").write_text("# Note\n\nThe lamp was lit at dusk.")
    (tmp_path / "papers" / "film.mp4").write_bytes(b"\x00ftyp")
    result, status = ingest(tmp_path / "papers", "--collection", "Papers")
    assert status == 0 and (result["ready"], result["failed"]) == (2, 0)
    collection = Collection.objects.get(name="Papers")
    assert (collection.owner, collection.visibility) == (None, Visibility.EVERYONE)
    assert storage.index(collection.pk).count() == result["passages"]

    again, status = ingest(tmp_path / "papers" / "story.txt", "--collection", "Papers")
    assert status == 0 and again["documents"][0]["duplicate"] and again["documents"][0]["status"] == "ready"
    assert storage.index(collection.pk).count() == result["passages"]


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_read_all_the_same(ingest, tmp_path, alice):
    good, bad, empty = tmp_path / "good.txt", tmp_path / "bad.txt", tmp_path / "empty.txt"
    good.write_text(STORY)
    bad.write_bytes(bytes(range(256)) * 20)
    empty.touch()
    result, status = ingest(bad, good, empty, "--collection", "Mixed", "--owner", "alice")
    assert status == 1 and (result["ready"], result["failed"]) == (1, 2)
    assert [row["status"] for row in result["documents"]] == ["failed", "ready", "failed"]
    errors = [row["error"] for row in result["documents"]]
    assert "binary file" in errors[0] and "empty.txt is empty" in errors[2]
    assert Collection.objects.get(name="Mixed").owner == alice


def test_a_page_from_the_web_is_searchable_and_one_that_is_gone_says_so(ingest, settings):
    with running_web() as web:
        settings.FETCH_PORTS, settings.FETCH_PRIVATE_HOSTS = [web.port], ["127.0.0.1"]
        result, status = ingest(web.article("/tower", "Marrow Point"), web.address("/gone"), "--collection", "Web")
    assert status == 1 and (result["ready"], result["failed"]) == (1, 1)
    assert Collection.objects.get(name="Web").documents.get().source == web.address("/tower")
    assert [row["file"] for row in result["documents"]] == [web.address("/tower"), web.address("/gone")]
    assert "404" in result["documents"][1]["error"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["missing.txt", "--collection", "C"], "There is no file or folder missing.txt"),
        ([".ci", "--collection", "C"], "There is no file in these folders that can be read"),
        (["Makefile", "--collection", "C", "--owner", "nobody"], "There is no user nobody"),
    ],
)
def test_wrong_use_is_refused_before_anything_is_made(words, sentence, db, settings, tmp_path):
    settings.REDIS_URL = f"unix://{tmp_path}/nowhere.sock"
    with pytest.raises(CommandError, match=sentence):
        call_command("ingest", *words)
    assert not Collection.objects.exists()


@pytest.mark.parametrize("words", [("--collection", "Papers"), ()], ids=["by name", "all"])
def test_documents_are_read_in_again_from_their_files(ingest, tmp_path, settings, words):
    settings.MODELS_SERVICE_URLS = []
    (tmp_path / "story.txt").write_text(STORY)
    ingest(tmp_path / "story.txt", "--collection", "Papers")
    index = storage.index(Collection.objects.get(name="Papers").pk)
    with index_database.connect(index.folder) as connection:
        index_database.set_encoder(connection, "all-MiniLM-L6-v2@v7", 384)
    result, status = ingest("--again", *words)
    assert status == 0 and (result["ready"], result["failed"]) == (1, 0)
    with index_database.connect(index.folder) as connection:
        assert index_database.encoder(connection) == ("all-MiniLM-L6-v2@starter", 384)
    assert storage.index(Collection.objects.get(name="Papers").pk).count() == result["passages"] == 1


NOWHERE = ["--collection", "Nowhere"]


@pytest.mark.parametrize(
    "words", [NOWHERE, ["--again", "story.txt", *NOWHERE], ["--again", *NOWHERE], ["story.txt"]],
    ids=["nothing", "both", "unknown", "no collection"],
)
def test_again_takes_no_files_and_a_collection_that_is_there_and_files_need_one(ingest, words):
    with pytest.raises(CommandError, match="Name files or folders|There is no collection|Say which collection"):
        ingest(*words)


def test_a_folder_is_kept_in_step_a_changed_file_is_a_new_version_and_a_vanished_one_is_told(ingest, tmp_path):
    folder = tmp_path / "papers"
    (folder / "deep").mkdir(parents=True)
    (folder / "story.txt").write_text(STORY)
    (folder / "deep" / "note.md").write_text("# Note\n\nThe lamp was lit at dusk.")
    (folder / "left out.csv").write_text("a,b\n1,2")
    words = (folder, "--collection", "Papers", "--glob", "*.txt", "--glob", "deep/*")
    assert len(ingest(*words)[0]["documents"]) == 2

    (folder / "story.txt").write_text("The lighthouse of Marrow Point was built in 1872, not before.")
    (folder / "deep" / "note.md").unlink()
    result, status = ingest(*words)
    assert status == 0 and [row["version"] for row in result["documents"]] == [2]
    assert result["vanished"] == [{"file": "papers/deep/note.md", "removed": False}]
    kept = {document.source: document for document in Collection.objects.get(name="Papers").documents.all()}
    assert set(kept) == {"papers/story.txt", "papers/deep/note.md"} and kept["papers/story.txt"].version == 2
    assert "1872" in storage.documents().text(str(kept["papers/story.txt"].pk))

    result, _ = ingest(*words, "--remove-vanished")
    assert result["vanished"][0]["removed"] and result["documents"][0]["duplicate"]
    assert Collection.objects.get(name="Papers").documents.count() == 1
    (folder / "story.txt").write_text(STORY)
    assert ingest(*words)[0]["documents"][0]["version"] == 3


def test_a_zip_is_taken_apart_and_each_of_its_files_is_told(ingest, tmp_path):
    with zipfile.ZipFile(tmp_path / "papers.zip", "w") as target:
        target.writestr("deep/story.txt", STORY)
        target.writestr("film.mp4", b"\x00ftyp")
    result, status = ingest(tmp_path / "papers.zip", "--collection", "Papers")
    assert status == 1 and (result["ready"], result["failed"]) == (1, 1)
    assert [row["file"].rsplit("papers.zip/")[1] for row in result["documents"]] == ["deep/story.txt", "film.mp4"]
    assert "type that cannot be read" in result["documents"][1]["error"]
