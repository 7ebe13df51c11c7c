"""POST /api/v1/translate and what is kept, for programs and people."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from tests.api.conftest import is_problem
from webapp.writing import glossary_terms, translating, translation_history
from webapp.writing.models import GlossaryTerm, Translation

pytestmark = pytest.mark.django_db(transaction=True)
TEXT = "Where is {name}? See https://example.org/x.\n\nThe train is late."


def post(client: Client, path: str, **body):
    return client.post(path, body, content_type="application/json")


def test_a_program_gets_the_translation_with_its_sentences_and_the_language(translators, program, alice):
    response = post(program(alice), "/api/v1/translate", text=TEXT, target="de")
    assert response.status_code == 200, response.content
    body = response.json()
    assert "{name}" in body["translation"] and "https://example.org/x" in body["translation"]
    assert body["translation"].count("\n\n") == 1 and body["detected"]["language"] == body["source"] == "en"
    for sentence in body["sentences"]:
        assert TEXT[slice(*sentence["source"])].strip() and body["translation"][slice(*sentence["target"])].strip()


def test_a_list_of_texts_gives_lists_in_the_same_order(translators, program, alice):
    body = post(program(alice), "/api/v1/translate", text=["Stay {a}.", "Go {b}."], source="en", target="de").json()
    assert "{a}" in body["translation"][0] and "{b}" in body["translation"][1]
    assert [result["translation"] for result in body["results"]] == body["translation"]


def test_a_pair_without_a_model_goes_through_english_and_is_marked(translators, program, alice):
    client = program(alice)
    assert post(client, "/api/v1/translate", text="Guten Tag.", source="de", target="zh").json()["via"] == "en"
    listed = client.get("/api/v1/languages").json()
    assert {"source": "de", "target": "zh"} in listed["through_english"]
    assert listed["pairs"][0]["figures"]["bleu"] == 1.5
    assert {"code": "de", "name": "German", "targets": ["en", "zh"]} in listed["languages"]


@pytest.mark.parametrize(("body", "status", "part"), [
    ({"text": " \n ", "target": "de"}, 400, "empty"),
    ({"text": "a" * 20_001, "target": "de"}, 413, "20,001"),
    ({"text": "Hello there.", "source": "en", "target": "xx"}, 400, "en-de"),
    ({"text": "Hello there.", "source": "klingon", "target": "de"}, 400, "en-de"),
    ({"text": "Hello there."}, 400, "required"),
    ({"text": 7, "target": "de"}, 400, "list"),
    ({"text": [], "target": "de"}, 400, "list"),
    ({"text": ["x" * 19_000] * 6, "target": "de"}, 400, "together"),
    ({"text": "Hello there.", "target": "de", "alternatives": 99}, 400, "4"),
])
def test_bad_input_is_told_with_what_to_do(translators, program, alice, body, status, part):
    assert part in is_problem(post(program(alice), "/api/v1/translate", **body), status)["detail"]


def test_without_a_model_service_the_call_says_to_try_again(program, alice, settings, monkeypatch):
    from webapp.chat import answering

    settings.MODELS_SERVICE_URLS = ["ws://127.0.0.1:9/ws"]
    monkeypatch.setattr(answering, "PATIENCE_SECONDS", 0.2)
    answering.model_service.cache_clear()
    assert is_problem(post(program(alice), "/api/v1/translate", text="Hello.", target="de"), 503)["retryable"] is True
    answering.model_service.cache_clear()


def test_guests_translate_where_guests_may_chat_and_nowhere_else(translators, settings):
    settings.GUESTS_MAY_CHAT = True
    assert post(Client(), "/api/v1/translate", text="Hello.", source="en", target="de").status_code == 200
    settings.GUESTS_MAY_CHAT = False
    is_problem(post(Client(), "/api/v1/translate", text="Hello.", source="en", target="de"), 401)


def test_ones_own_terms_go_before_the_sites_and_nobody_elses_hold(translators, program, alice, bob, admin):
    assert post(program(admin), "/api/v1/glossary/", source="train", target="Bahn", source_language="en",
                target_language="de", site=True).status_code == 201
    assert post(program(alice), "/api/v1/glossary/", source="train", target="Zug", source_language="en",
                target_language="de").status_code == 201
    for user, word in ((alice, "Zug"), (bob, "Bahn")):
        body = post(program(user), "/api/v1/translate", text="The train is late.", source="en", target="de").json()
        assert word in body["translation"]
        assert body["glossary_hits"] == [{"source": "train", "target": word, "hits": 1}]


def test_only_an_administrator_changes_the_sites_terms_and_only_the_owner_ones_own(program, alice, bob, admin):
    sites = glossary_terms.add(None, "en", "de", "train", "Bahn")
    own = glossary_terms.add(alice, "en", "de", "train", "Zug")
    is_problem(post(program(bob), "/api/v1/glossary/", source="a", target="b", source_language="en",
                    target_language="de", site=True), 403)
    for term in (sites, own):
        is_problem(program(bob).delete(f"/api/v1/glossary/{term.pk}/"), 404)
    assert [term["id"] for term in program(bob).get("/api/v1/glossary/").json()["results"]] == [sites.pk]
    shown = program(alice).get("/api/v1/glossary/").json()["results"]
    assert {term["id"]: term["site"] for term in shown} == {sites.pk: True, own.pk: False}
    assert program(admin).delete(f"/api/v1/glossary/{sites.pk}/").status_code == 204
    assert GlossaryTerm.objects.get().pk == own.pk


def test_the_same_term_again_gets_the_new_translation(program, alice):
    for target in ("Zug", "Bahn"):
        post(program(alice), "/api/v1/glossary/", source="train", target=target, source_language="en",
             target_language="de")
    assert GlossaryTerm.objects.get().target == "Bahn"


def test_a_kept_translation_counts_the_terms_that_it_met_in_any_script(translators, alice):
    term = glossary_terms.add(alice, "de", "en", "Öl", "petroleum")
    done = async_to_sync(translating.whole)(alice, "Das Öl ist hier.", source="de", target="en")
    translation_history.keep(alice, "Das Öl ist hier.", done)
    term.refresh_from_db()
    assert term.hits == 1


def test_the_history_is_ones_own(program, alice, bob):
    for user in (alice, bob):
        Translation.objects.create(owner=user, source="en", target="de", text="x", translation=user.username)
    body = program(alice).get("/api/v1/translations/").json()
    assert [row["translation"] for row in body["results"]] == ["alice"]
    is_problem(program(alice).delete(f"/api/v1/translations/{Translation.objects.get(owner=bob).pk}/"), 404)
    assert post(program(alice), "/api/v1/translations/clear/").status_code == 204
    assert Translation.objects.get().owner == bob


def test_the_history_is_searched_and_exported_as_json_and_as_tmx(program, alice, bob):
    for owner, text, translation in ((alice, "Good day & <hello>\x0b", "Guten Tag"), (alice, "The cat", "Die Katze"),
                                     (bob, "Good night", "Gute Nacht")):
        Translation.objects.create(owner=owner, source="en", target="de", text=text, translation=translation)
    found = program(alice).get("/api/v1/translations/", {"search": "guten"}).json()["results"]
    assert [row["translation"] for row in found] == ["Guten Tag"]
    whole = program(alice).get("/api/v1/translations/export/")
    assert whole["Content-Disposition"] == 'attachment; filename="translations.json"'
    assert [row["text"] for row in whole.json()] == ["The cat", "Good day & <hello>\x0b"]
    file = program(alice).get("/api/v1/translations/export/", {"as": "tmx", "q": "day"})
    tmx = ElementTree.fromstring(file.content)
    said = [(one.get("{http://www.w3.org/XML/1998/namespace}lang"), one.findtext("seg")) for one in tmx.iter("tuv")]
    assert tmx.get("version") == "1.4" and said == [("en", "Good day & <hello>"), ("de", "Guten Tag")]
    is_problem(program(alice).get("/api/v1/translations/export/", {"as": "pdf"}), 400)
