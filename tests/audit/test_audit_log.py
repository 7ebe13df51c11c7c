"""The audit log: what gets into it, that nothing in it changes, how it is searched, exported and forgotten."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from django.utils import timezone

from webapp.accounts.services import create_api_key, key_holder
from webapp.audit import services
from webapp.audit.models import Action, Entry, EntryIsFinal
from webapp.knowledge import services as knowledge

pytestmark = pytest.mark.django_db


def actions() -> list[str]:
    return list(Entry.objects.order_by("pk").values_list("action", flat=True))


def test_an_entry_can_neither_be_changed_nor_deleted():
    services.record(Action.UPLOADED, "tea.txt")
    entry = Entry.objects.get()
    for change in (entry.save, entry.delete, Entry.objects.all().delete, lambda: Entry.objects.update(actor="eve")):
        with pytest.raises(EntryIsFinal):
            change()


def test_what_a_person_does_to_documents_is_written_down_with_who_where_and_request(alices_browser, document):
    alices_browser.delete(f"/api/v1/documents/{document.pk}/", headers={"x-request-id": "req-1"},
                          REMOTE_ADDR="192.0.2.9")
    entry = Entry.objects.get(action=Action.DOCUMENT_DELETED)
    assert (entry.actor, entry.subject, entry.address, entry.request_id) == (
        "alice", "library.txt", "192.0.2.9", "req-1")
    assert entry.details["document"] == str(document.pk)


def test_collections_uploads_and_their_ends_are_written_down(alice, redis_url):
    made = knowledge.create_collection(alice, "Lighthouses")
    knowledge.add_document(made, "a.txt", [b"The lighthouse stands."], alice)
    knowledge.change_collection(made, visibility="everyone")
    knowledge.delete_collection(made)
    assert actions() == [
        Action.COLLECTION_MADE, Action.UPLOADED, Action.ACCESS_CHANGED, Action.COLLECTION_DELETED]


def test_a_key_s_use_is_written_down_once_a_day(alice):
    row, secret = create_api_key(alice, "notebook")
    for _ in range(3):
        key_holder(secret)
    assert actions() == [Action.KEY_MADE, Action.KEY_USED]
    type(row).objects.filter(pk=row.pk).update(last_used_at=timezone.now() - timedelta(days=1, hours=1))
    key_holder(secret)
    assert actions().count(Action.KEY_USED) == 2
    assert secret not in str(list(Entry.objects.values()))


def test_jobs_data_and_promotions_are_noticed(admin):
    from webapp.training.models import Dataset, DatasetVersion, Job, Promotion

    dataset = Dataset.objects.create(name="Questions", task="qa", created_by=admin)
    DatasetVersion.objects.create(dataset=dataset, number=1, sha256="0" * 64, size=1, is_accepted=True, rows_read=1,
                                  rows_train=1, rows_held_out=0, report={}, created_by=admin)
    job = Job.objects.create(kind="train", task="qa", queued_at=timezone.now(), created_by=admin)
    Promotion.objects.create(model="wenda-reader", version="2", by=admin)
    job.delete()
    dataset.delete()
    assert actions() == [Action.DATASET_UPLOADED, Action.JOB_STARTED, Action.PROMOTED, Action.JOB_DELETED,
                         Action.DATASET_DELETED]
    assert Entry.objects.get(action=Action.PROMOTED).actor == "ada"


def test_limits_that_an_administrator_sets_are_written_down_with_who_set_them(admins_browser, alice, redis_url):
    admins_browser.post(f"/dashboard/quotas/{alice.pk}/", {"requests_per_minute": 7})
    entry = Entry.objects.get(action=Action.LIMITS_CHANGED)
    assert (entry.actor, entry.subject, entry.details["requests_per_minute"]) == ("ada", "alice", 7)
    assert entry.details["jobs_per_day"] is None


def test_searching_is_by_words_action_and_day(admins_browser):
    for name in ("alice", "bob"):
        services.record(Action.UPLOADED, "tea.txt", name=name)
    services.record(Action.INVITED, "Eve", name="alice")
    assert services.search("alice tea").count() == 1
    assert services.search(action=Action.INVITED).count() == 1
    assert services.search(until=timezone.localdate() - timedelta(days=1)).count() == 0
    page = admins_browser.get("/dashboard/audit/?q=bob").content.decode()
    assert "<td>bob</td>" in page and "<td>alice</td>" not in page
    assert admins_browser.get("/dashboard/audit/?since=nonsense").status_code == 400


def exported(browser, kind: str) -> str:
    response = browser.get(f"/dashboard/audit/export/?format={kind}&action=uploaded")
    assert "attachment" in response["Content-Disposition"]
    return b"".join(response).decode()


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous iterators")
@pytest.mark.django_db(transaction=True)
def test_the_log_is_exported_as_csv_and_json_and_no_cell_is_a_formula(admins_browser):
    services.record(Action.UPLOADED, '=HYPERLINK("http://evil.example")', name="eve", size=1)
    rows = list(csv.DictReader(io.StringIO(exported(admins_browser, "csv"))))
    assert [row["actor"] for row in rows] == ["eve"]
    assert rows[0]["subject"].startswith("'=")
    (entry,) = json.loads(exported(admins_browser, "json"))
    assert (entry["actor"], entry["details"]) == ("eve", {"size": 1})
    assert admins_browser.get("/dashboard/audit/export/?format=xml").status_code == 400
    assert admins_browser.get("/dashboard/audit/export/?since=nonsense").status_code == 400


def test_entries_go_by_age_alone_and_stay_for_ever_where_the_setting_says_so(settings):
    services.record(Action.UPLOADED, "tea.txt")
    Entry.objects.all()._update([(Entry._meta.get_field("at"), None, timezone.now() - timedelta(days=400))])
    settings.AUDIT_DAYS = 0
    assert services.forget_old() == 0
    settings.AUDIT_DAYS = 365
    services.record(Action.UPLOADED, "new.txt")
    assert services.forget_old() == 1
    assert Entry.objects.get().subject == "new.txt"
