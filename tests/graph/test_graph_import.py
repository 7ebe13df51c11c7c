"""A file on its way into the graph and out of it: refusals, the same file twice, replacing, cancelling, removing."""

from __future__ import annotations

import base64
import gzip
from pathlib import Path
from typing import Any

import pytest

from qa import graph_import
from tests.graph.conftest import CURIE, PEOPLE, WARSAW
from webapp.audit.models import Entry
from webapp.errors import BadInput, Conflict, TooLarge
from webapp.graph import claims, refusals, services, storage, sweep
from webapp.graph.models import GraphSource, GraphStatus
from webapp.leases import this_machine

pytestmark = pytest.mark.django_db

ONE = "<http://e/a> <http://e/b> <http://e/c> ."


def graph() -> Any:
    return storage.store().open()


def test_a_packed_file_comes_into_the_graph(add, work_on):
    source = work_on(add("people.TTL.gz", gzip.compress(PEOPLE.encode())))
    assert (source.status, source.triples, source.format, source.lease) == ("ready", 9, ".ttl", "")
    assert source.bytes_done == source.size
    assert {fact.source for fact in graph().facts(CURIE)} == {"people.TTL.gz"}
    assert Entry.objects.filter(action="graph file added", subject="people.TTL.gz", actor="ada").exists()


def test_a_malformed_file_names_its_line_and_the_graph_stays_as_it_was(people, add, work_on):
    failed = work_on(add("people.ttl", PEOPLE + "\n<http://e/a> nonsense ."))
    assert failed.status == "failed" and "people.ttl, line 8" in failed.error
    assert graph().label(CURIE) == "Marie Curie" and storage.store().counts().sources == 1
    assert GraphSource.objects.get(pk=people.pk).status == "ready"


def test_a_file_that_crashes_its_parser_is_told_from_one_that_is_wrong(people, add, work_on):
    depth = 100_000
    nested = "<http://e/a> <http://e/b> " + "<<( <http://e/a> <http://e/b> " * depth + "1" + " )>>" * depth + " ."
    failed = work_on(add("deep.ttl", nested))
    assert failed.status == "failed" and "nested too deeply" in failed.error
    assert graph().label(CURIE) == "Marie Curie"


def test_a_file_is_kept_encrypted_where_there_is_a_key_and_imported_all_the_same(add, work_on, monkeypatch):
    monkeypatch.setenv("WENDA_ENCRYPTION_KEY", base64.b64encode(bytes(range(32))).decode())
    source = add()
    assert b"Marie" not in storage.original(source.pk).read_bytes()
    assert work_on(source).status == "ready" and graph().label(CURIE) == "Marie Curie"
    assert not [file for file in storage.file_folder(source.pk).iterdir() if b"Marie" in file.read_bytes()]
    monkeypatch.delenv("WENDA_ENCRYPTION_KEY")
    GraphSource.objects.update(status=GraphStatus.QUEUED)
    lost = work_on(source)
    assert lost.status == "failed" and "WENDA_ENCRYPTION_KEY" in lost.error and graph().label(CURIE) == "Marie Curie"


@pytest.mark.parametrize(("reason", "told"), [
    ("empty", "no statement"), ("binary", "not a text file"), ("remote_context", "nothing is fetched"),
    ("too_large", "Split it"), ("damaged", "the packing is damaged"), ("syntax", "cannot be read: odd."),
])
def test_each_reason_has_its_sentence(reason: str, told: str):
    assert told in refusals.of_file(graph_import.Outcome(reason=reason, detail="odd"), "a.ttl")


@pytest.mark.parametrize(("name", "content"), [("a.docx", ONE), ("a", ONE), ("a.gz", ONE), ("a.ttl", "")])
def test_another_type_and_an_empty_file_are_refused_at_once_and_leave_nothing(add, name: str, content: str):
    with pytest.raises(BadInput):
        add(name, content)
    assert not GraphSource.objects.exists() and not list(storage.files_folder().glob("*/"))


def test_a_file_larger_than_the_site_takes_is_refused(add, settings):
    settings.MAX_UPLOAD_BYTES = 10
    with pytest.raises(TooLarge):
        add()
    assert not list(storage.files_folder().glob("*/"))


def test_the_same_content_is_recognised_whatever_its_name_and_tried_again_if_it_failed(people, admin):
    again, known = services.add("other.ttl", [PEOPLE.encode()], admin)
    assert known and again == people and GraphSource.objects.count() == 1
    GraphSource.objects.update(status=GraphStatus.FAILED, error="the disk was full")
    again, known = services.add("people.ttl", [PEOPLE.encode()], admin)
    assert known and again.status == "queued"


def test_other_content_of_the_same_name_takes_the_earlier_ones_place(people, add, work_on):
    newer = work_on(add("people.ttl", PEOPLE.replace("Marie Curie", "Maria Curie")))
    assert newer.status == "ready" and list(GraphSource.objects.all()) == [newer]
    assert graph().label(CURIE) == "Maria Curie" and storage.store().counts().sources == 1
    assert not storage.file_folder(people.pk).exists()


def test_a_removed_file_is_out_of_the_graph_and_the_others_stay(people, imported, work_on):
    imported(ONE, "one.ttl")
    assert services.remove(people).status == "removing"
    assert work_on(people) is None
    assert graph().entity(CURIE) is None and graph().facts("http://e/a")
    assert not storage.file_folder(people.pk).exists()
    assert Entry.objects.filter(action="graph file removed", subject="people.ttl").exists()


def test_removing_what_failed_leaves_the_file_of_its_name_that_is_in_the_graph(people, add, work_on):
    failed = add("people.ttl", ONE)
    GraphSource.objects.filter(pk=failed.pk).update(status=GraphStatus.FAILED)
    services.remove(failed)
    assert work_on(failed) is None
    assert graph().entity(WARSAW) is not None and list(GraphSource.objects.all()) == [people]


def test_a_cancelled_file_stays_out_until_it_is_tried_again(add, work_on):
    source = services.cancel(add())
    assert work_on(source).status == "cancelled" and graph() is None
    with pytest.raises(Conflict):
        services.cancel(source)
    assert services.retry(source).status == "queued"
    with pytest.raises(Conflict):
        services.retry(source)


def test_an_import_under_way_is_stopped_when_someone_cancels_it(add, work_on, monkeypatch):
    source = add("many.nt", "\n".join(f"<http://e/{n}> <http://e/b> \"{n}\" ." for n in range(200_000)))
    step = graph_import.step

    def cancelled_at_the_first(folder: Path) -> graph_import.Step | None:
        said = step(folder)
        if said is not None:
            services.cancel(source)
        return said

    monkeypatch.setattr(graph_import, "step", cancelled_at_the_first)
    stopped = work_on(source)
    assert (stopped.status, stopped.lease) == ("cancelled", "") and graph() is None


def test_a_file_whose_worker_was_killed_is_asked_for_again_and_imported(add, work_on):
    source = add()
    assert claims.Claim.take(source.pk) and claims.Claim.take(source.pk) is None
    dead = f"{this_machine()}:999999999:1.0:abc"
    GraphSource.objects.filter(pk=source.pk).update(lease=dead, updated_at="2020-01-01T00:00:00Z")
    assert sweep.sweep() == 0
    claims.free_leases_of_the_dead()
    assert sweep.sweep() == 1
    assert work_on(source).status == "ready" and graph().label(CURIE) == "Marie Curie"


def test_while_another_process_writes_nothing_is_claimed(add, work_on):
    source = add()
    with storage.only_writer() as is_ours:
        assert is_ours
        assert work_on(source).status == "queued"


def test_files_without_a_row_are_tidied_away_once_they_are_old(people, monkeypatch):
    lost = storage.file_folder("12345678-1234-1234-1234-123456789abc")
    lost.mkdir()
    assert sweep.tidy() == 0
    monkeypatch.setattr(sweep, "TIDY_SECONDS", -1)
    assert sweep.tidy() == 1 and not lost.exists() and storage.file_folder(people.pk).exists()
