"""The graph's pages and REST interface: looking things up, the files, SPARQL, and who may."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.api.conftest import is_problem
from tests.graph.conftest import CURIE, PEOPLE, WARSAW
from webapp.graph import querying
from webapp.graph.models import GraphSource

pytestmark = pytest.mark.django_db

HOSTILE = "<script>alert(1)</script>"
SPARQL = "/api/v1/graph/sparql"


def entity_page(client, iri: str, **more: object) -> str:
    query = "".join(f"&{name}={value}" for name, value in more.items())
    return client.get(f"/graph/entity/?iri={quote(iri, safe='')}{query}").content.decode()


def file(content: str = PEOPLE, name: str = "people.ttl") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content.encode())


def test_a_thing_is_found_by_its_name_in_either_language_and_shown_in_the_reader_s(people, browser, alice):
    client = browser(alice)
    page = client.get("/graph/?q=madam").content.decode()
    assert "Nothing in the knowledge graph is called so." in page
    for asked in ("marie c", "玛丽"):
        page = client.get(f"/graph/?q={asked}").content.decode()
        assert "Marie Curie</a>" in page and quote(CURIE, safe="") in page and "scientist" in page
    chinese = client.get("/graph/?q=marie", headers={"Accept-Language": "zh-hans"}).content.decode()
    assert "玛丽·居里</a>" in chinese


def test_the_page_of_a_thing_groups_facts_says_their_source_and_what_leads_to_it(people, imported, browser, alice):
    imported(f"<{CURIE}> <http://dbpedia.org/ontology/birthPlace> <{WARSAW}> .", "again.ttl")
    page = entity_page(browser(alice), CURIE)
    assert page.count("birth place</a>") == 1
    assert "again.ttl, people.ttl" in page or "people.ttl, again.ttl" in page
    assert "1867-11-07" in page and '<span lang="zh">玛丽·居里</span>' in page
    assert f'href="{CURIE}" rel="noopener noreferrer nofollow"' in page
    assert "What leads to it" in entity_page(browser(alice), WARSAW)


def test_nothing_that_a_file_states_is_run_or_followed(imported, browser, alice):
    imported(f'<javascript:alert(1)> <http://www.w3.org/2000/01/rdf-schema#label> "{HOSTILE}" ;\n'
             f'  <http://e/"> "{HOSTILE}"@en ; <http://e/src> <http://evil.example/x.js> .'.replace('e/">', "e/q>"),
             "<b>.ttl")
    client = browser(alice)
    for page in (client.get("/graph/?q=script").content.decode(), entity_page(client, "javascript:alert(1)")):
        assert HOSTILE not in page and "&lt;script&gt;" in page and "<b>.ttl" not in page
        assert 'href="javascript:' not in page and 'src="http' not in page


def test_facts_come_fifty_a_page(imported, browser, program, alice):
    imported("\n".join(f'<http://e/a> <http://e/p> "value {n:03}" .' for n in range(120)), "many.nt")
    pages = [entity_page(browser(alice), "http://e/a", page=number) for number in (1, 2, 3)]
    assert [page.count("value ") for page in pages] == [50, 50, 20]
    assert ["page=2" in pages[0], "page=3" in pages[1], "page=4" in pages[2]] == [True, True, False]
    shown = program(alice).get("/api/v1/graph/entity?iri=http://e/a&page=3").json()
    assert len(shown["facts"]) == 20 and not shown["has_next"] and shown["incoming"] == []


def test_what_is_not_in_the_graph_or_no_page_of_it_is_said_so(people, browser, program, alice):
    for iri in ("http://nobody/knows", "no address", "", "http://[", "x" * 5000):
        assert browser(alice).get(f"/graph/entity/?iri={quote(iri)}").status_code == 404
        is_problem(program(alice).get(f"/api/v1/graph/entity?iri={quote(iri)}"), 404)
    for number in ("0", "-1", "x", "999999", "²"):
        assert browser(alice).get(f"/graph/?q=marie&page={number}").status_code == 400
        is_problem(program(alice).get(f"/api/v1/graph/entities?q=marie&page={number}"), 400)
    is_problem(program(alice).get("/api/v1/graph/entities"), 400)


def test_an_empty_graph_has_its_pages_too(browser, admin):
    for path in ("/graph/", "/graph/?q=marie", "/dashboard/graph/", "/dashboard/graph/sparql/"):
        assert browser(admin).get(path).status_code == 200


def test_a_program_looks_things_up(people, program, alice):
    client = program(alice)
    assert client.get("/api/v1/graph/counts").json()["triples"] == 9
    (found,) = client.get("/api/v1/graph/entities?q=warsaw").json()["results"]
    assert found == {"iri": WARSAW, "label": "Warsaw", "matched": "Warsaw", "types": []}
    shown = client.get(f"/api/v1/graph/entity?iri={CURIE}").json()
    assert shown["label"] == "Marie Curie" and {"text": "玛丽·居里", "language": "zh"} in shown["names"]
    (birth,) = [one for one in shown["facts"] if one["predicate"]["label"] == "birth place"]
    assert birth["object"] == {"kind": "iri", "value": WARSAW, "label": "Warsaw"}
    assert birth["sources"] == ["people.ttl"]


def test_a_program_imports_a_file_and_asks_how_far_it_is(program, admin, alice, work_on):
    client = program(admin)
    is_problem(program(alice).post("/api/v1/graph/sources/", {"file": file()}), 403)
    sent = client.post("/api/v1/graph/sources/", {"file": file()})
    assert sent.status_code == 202 and (sent.json()["status"], sent.json()["added_by"]) == ("queued", "ada")
    address = f"/api/v1/graph/sources/{sent.json()['id']}/"
    work_on(GraphSource.objects.get())
    assert client.get(address).json()["triples"] == 9
    again = client.post("/api/v1/graph/sources/", {"file": file(name="other.ttl")})
    assert again.status_code == 200 and again.json()["duplicate"]
    is_problem(client.post(f"{address}cancel/"), 409)
    is_problem(client.post(f"{address}retry/"), 409)
    assert client.delete(address).json()["status"] == "removing"
    work_on(GraphSource.objects.get())
    is_problem(client.get(address), 404)
    problem = is_problem(client.post("/api/v1/graph/sources/", {"file": file(name="people.docx")}), 400)
    assert "file" in problem["errors"]


def test_the_dashboard_takes_several_files_and_says_which_cannot_be_taken(browser, admin):
    client = browser(admin)
    refused = client.post("/dashboard/graph/", {"file": [file(), file(name="a.docx")]})
    assert refused.status_code == 400 and "a.docx is of a type" in refused.content.decode()
    assert [source.name for source in GraphSource.objects.all()] == ["people.ttl"]
    assert client.post("/dashboard/graph/", {}).status_code == 400
    source = GraphSource.objects.get()
    for action, status in (("cancel", "cancelled"), ("retry", "queued"), ("remove", "removing")):
        assert client.post(f"/dashboard/graph/{source.pk}/{action}/").status_code == 302
        source.refresh_from_db()
        assert source.status == status
    assert client.post(f"/dashboard/graph/{source.pk}/explode/").status_code == 404


def test_sparql_gives_w3c_s_json_and_csv(people, program, admin, alice):
    query = "SELECT ?label WHERE { ?thing rdfs:label ?label . ?thing dbo:country ?where } ORDER BY ?label"
    is_problem(program(alice).post(SPARQL, {"query": query}, content_type="application/json"), 403)
    client = program(admin)
    found = client.post(SPARQL, {"query": query}, content_type="application/json").json()
    assert found["head"] == {"vars": ["label"]} and not found["is_cut"]
    assert found["results"]["bindings"][0] == {"label": {"type": "literal", "value": "Warsaw", "xml:lang": "en"}}
    written = client.post(SPARQL, {"query": query, "form": "csv"}, content_type="application/json")
    assert written.content.decode() == "label\r\nWarsaw\r\n华沙\r\n"
    asked = client.post(SPARQL, {"query": f"ASK {{ <{CURIE}> a dbo:Scientist }}"}, content_type="application/json")
    assert asked.json()["boolean"] is True


@pytest.mark.parametrize(("query", "told"), [
    ("", "Write a query."), ("SELECT * {\n ?s ?p", "Line 2, column 7"),
    ("INSERT DATA { <a:a> <a:b> <a:c> }", "Only SELECT"), ("ASK { SERVICE <http://e/> { ?a ?b ?c } }", "SERVICE"),
    ("ASK { ?a ?b ?c }" + " " * 20_000, "too long"),
])
def test_a_query_that_is_not_run_says_why(people, program, admin, query: str, told: str):
    problem = is_problem(program(admin).post(SPARQL, {"query": query}, content_type="application/json"), 400)
    assert told in problem["errors"]["query"][0]


def test_an_endless_query_is_stopped_and_says_so(imported, program, admin, monkeypatch):
    imported("\n".join(f'<http://e/{n}> <http://e/p> "{n}" .' for n in range(3_000)), "many.nt")
    ask = querying.graph_sparql.ask
    monkeypatch.setattr(querying.graph_sparql, "ask", lambda graph, query: ask(graph, query, seconds=1.5))
    endless = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
    problem = is_problem(program(admin).post(SPARQL, {"query": endless}, content_type="application/json"), 400)
    assert "was stopped" in problem["detail"]


def test_a_damaged_graph_is_told_from_an_empty_one(people, program, alice, data_dir):
    (data_dir / "graph" / "current").write_text("77")
    assert is_problem(program(alice).get("/api/v1/graph/counts"), 503)["retryable"]


