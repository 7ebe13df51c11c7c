"""The knowledge graph's folder: import, replace, remove, read, ask; and what happens when something is wrong."""

from __future__ import annotations

import gzip
import multiprocessing
from pathlib import Path

import pytest

from qa.graph import BadGraphFile, Graph, GraphDamaged, GraphFile, GraphStore, Limits, Progress
from qa.graph_files import quads, source_name
from qa.graph_query import BadQuery

TURTLE = """
@prefix dbr: <http://dbpedia.org/resource/> . @prefix dbo: <http://dbpedia.org/ontology/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix skos: <http://www.w3.org/2004/02/skos/core#> .
dbr:Marie_Curie a dbo:Scientist ; rdfs:label "Marie Curie"@en, "玛丽·居里"@zh ; skos:altLabel "Madame Curie"@en ;
    dbo:birthPlace dbr:Warsaw ; rdfs:comment "A physicist."@en .
dbr:Warsaw rdfs:label "Warsaw"@en ; dbo:country dbr:Poland .
dbr:Maria_Sklodowska dbo:wikiPageRedirects dbr:Marie_Curie .
dbo:Scientist rdfs:label "scientist"@en .
"""
CURIE = "http://dbpedia.org/resource/Marie_Curie"
WARSAW = "http://dbpedia.org/resource/Warsaw"


@pytest.fixture
def store(tmp_path: Path) -> GraphStore:
    return GraphStore(tmp_path / "graph")


def file(tmp_path: Path, name: str, content: str | bytes) -> GraphFile:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return GraphFile(name, path)


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    folder = tmp_path_factory.mktemp("imported")
    store = GraphStore(folder / "graph")
    store.import_sources([file(folder, "people.ttl", TURTLE)])
    return opened(store)


def opened(store: GraphStore) -> Graph:
    graph = store.open()
    assert graph is not None
    return graph


def test_a_folder_that_does_not_exist_is_an_empty_graph(store: GraphStore):
    assert store.open() is None
    assert store.sources() == []
    assert store.counts().triples == 0
    store.remove("what was never there")
    assert not store.folder.exists()


def test_an_imported_thing_is_shown_with_names_types_and_facts(graph: Graph):
    curie = graph.entity(CURIE)
    assert curie is not None
    assert (curie.label, curie.aliases) == ("Marie Curie", ["玛丽·居里", "Madame Curie", "Maria Sklodowska"])
    assert [kind.label for kind in curie.types] == ["scientist"]
    assert curie.description == "A physicist."
    (birth,) = curie.outgoing
    assert (birth.predicate.label, birth.object.label, birth.source) == ("birth place", "Warsaw", "people.ttl")
    warsaw = graph.entity(WARSAW)
    assert warsaw is not None
    assert [fact.subject.value for fact in warsaw.incoming] == [CURIE]
    assert graph.entity(CURIE, language="zh").label == "玛丽·居里"
    assert graph.entity("http://nowhere/") is None
    assert graph.entity("no address") is None


@pytest.mark.parametrize("text", ["marie", "MARIE CURIÉ", "madame curie", "sklodowska", "玛丽"])
def test_a_thing_is_found_by_any_of_its_names(graph: Graph, text: str):
    found = graph.find(text)
    assert [(each.iri, each.label, each.types) for each in found] == [(CURIE, "Marie Curie", ("scientist",))]


def test_a_file_of_the_same_name_replaces_the_other_and_removing_takes_out_only_its_own(
    store: GraphStore, tmp_path: Path
):
    more = '<http://e/a> <http://e/p> "one" .\n<http://e/b> <http://e/p> "two" .\n'
    store.import_sources([file(tmp_path, "people.ttl", TURTLE), file(tmp_path, "more.nt", more)])
    counts = store.counts()
    assert (counts.triples, counts.entities, counts.sources) == (12, 6, 2)
    store.import_sources([file(tmp_path, "more.nt", '<http://e/c> <http://e/p> "three" .')])
    assert [(source.name, source.triples) for source in store.sources()] == [("more.nt", 1), ("people.ttl", 10)]
    assert opened(store).entity("http://e/a") is None
    store.remove("more.nt")
    assert opened(store).entity("http://e/c") is None
    assert opened(store).entity(CURIE) is not None
    store.remove("people.ttl")
    assert store.open() is None


@pytest.mark.parametrize(("name", "content"), [
    ("a.nt", '<http://e/a> <http://e/p> "x" .\n'),
    ("a.nq", '<http://e/a> <http://e/p> "x" <http://e/graph> .\n'),
    ("a.jsonld", '{"@context": {"p": "http://e/p"}, "@id": "http://e/a", "p": "x"}'),
    ("a.rdf", '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="http://e/">'
              '<rdf:Description rdf:about="http://e/a"><e:p>x</e:p></rdf:Description></rdf:RDF>'),
    ("a.txt", '@prefix e: <http://e/> . e:a e:p "x" .'),
    ("wrong.ttl", '{"@id": "http://e/a", "http://e/p": "x"}'),
    ("a.ttl.gz", gzip.compress(b'<http://e/a> <http://e/p> "x" .')),
])
def test_each_format_is_read_packed_or_not(tmp_path: Path, name: str, content: str | bytes):
    (quad,) = quads(file(tmp_path, name, content), Limits(), lambda progress: None)
    assert (quad.subject.value, quad.predicate.value, quad.object.value) == ("http://e/a", "http://e/p", "x")
    assert source_name(quad.graph_name.value) == name


@pytest.mark.parametrize(("name", "content", "reason", "line"), [
    ("a.ttl", "<http://e/a> <http://e/p> <http://e/o> .\n<http://e/a> oops .\n", "syntax", 2),
    ("a.ttl", "", "empty", None),
    ("a.ttl", "# nothing but this\n", "empty", None),
    ("a.nt", b"\x7fELF\x00\x00\x01", "binary", None),
    ("a.jsonld", '{"@context": "http://schema.org/", "@id": "http://e/a", "name": "x"}', "remote_context", None),
    ("a.nt.gz", gzip.compress(b'<http://e/a> <http://e/p> "x" .' * 50)[:-9], "damaged", None),
    ("big.nt.gz", gzip.compress(b"#" * 200_000), "too_large", None),
    ("many.nt", '<http://e/a> <http://e/p> "1" .\n<http://e/a> <http://e/p> "2" .\n' * 3, "too_large", None),
])
def test_a_bad_file_is_refused_by_name_and_line(
    tmp_path: Path, name: str, content: str | bytes, reason: str, line: int | None
):
    with pytest.raises(BadGraphFile) as caught:
        list(quads(file(tmp_path, name, content), Limits(100_000, 5), lambda progress: None))
    assert (caught.value.name, caught.value.reason, caught.value.line) == (name, reason, line)


def test_one_bad_file_of_several_changes_nothing(store: GraphStore, tmp_path: Path):
    store.import_sources([file(tmp_path, "people.ttl", TURTLE)])
    before = store.counts()
    good = file(tmp_path, "good.nt", '<http://e/good> <http://e/p> "x" .')
    with pytest.raises(BadGraphFile, match=r"bad\.ttl, line 1"):
        store.import_sources([good, file(tmp_path, "bad.ttl", "oops")])
    assert store.counts() == before
    assert opened(store).entity("http://e/good") is None


def test_an_import_tells_how_far_it_is_and_is_stopped_by_whoever_is_told(store: GraphStore, tmp_path: Path):
    lines = "".join(f'<http://e/{number}> <http://e/p> "{number}" .\n' for number in range(12_000))
    told: list[Progress] = []
    store.import_sources([file(tmp_path, "many.nt", lines)], progress=told.append)
    assert [progress.triples for progress in told] == [5_000, 10_000, 12_000]
    assert 0 < told[0].bytes_read <= told[1].bytes_read <= told[2].bytes_read == told[2].bytes_total == len(lines)

    class Stopped(Exception):
        pass

    def stop(_: Progress) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        store.import_sources([file(tmp_path, "other.nt", lines)], progress=stop)
    assert [source.name for source in store.sources()] == ["many.nt"]
    assert [folder.name for folder in (store.folder / "generations").iterdir()] == ["1"]


def test_a_reader_goes_on_with_what_it_opened_and_is_given_the_new_graph_next(store: GraphStore, tmp_path: Path):
    store.import_sources([file(tmp_path, "people.ttl", TURTLE)])
    before = opened(store)
    GraphStore(store.folder).import_sources([file(tmp_path, "more.nt", '<http://e/a> <http://e/p> "x" .')])
    assert before.entity("http://e/a") is None
    assert before.entity(CURIE).label == "Marie Curie"
    assert opened(store).entity("http://e/a") is not None
    assert opened(store) is opened(store)


def _label(folder: Path, labels: multiprocessing.Queue) -> None:
    labels.put(opened(GraphStore(folder)).label(CURIE))


def test_several_processes_read_at_once(store: GraphStore, tmp_path: Path):
    store.import_sources([file(tmp_path, "people.ttl", TURTLE)])
    context = multiprocessing.get_context("spawn")
    labels = context.Queue()
    readers = [context.Process(target=_label, args=(store.folder, labels)) for _ in range(2)]
    assert opened(store).label(CURIE) == "Marie Curie"
    for reader in readers:
        reader.start()
    assert [labels.get(timeout=60) for _ in readers] == ["Marie Curie", "Marie Curie"]
    for reader in readers:
        reader.join()


def test_a_writer_sweeps_what_a_killed_one_left(store: GraphStore, tmp_path: Path):
    store.import_sources([file(tmp_path, "people.ttl", TURTLE)])
    left = store.folder / "generations" / ".building-killed"
    left.mkdir()
    store.remove("people.ttl")
    assert not left.exists()


def test_a_damaged_graph_says_what_to_do(store: GraphStore, tmp_path: Path):
    store.import_sources([file(tmp_path, "people.ttl", TURTLE)])
    (store.folder / "generations" / "1" / "store" / "CURRENT").unlink()
    with pytest.raises(GraphDamaged, match="import its files again"):
        GraphStore(store.folder).open()


def test_a_query_asks_everything_that_was_imported(graph: Graph):
    answers = graph.select(
        "SELECT ?place ?x { dbr:Marie_Curie dbo:birthPlace ?place OPTIONAL { ?place dbo:none ?x } }"
    )
    assert answers.columns == ("place", "x")
    ((place, nothing),) = answers.rows
    assert (place.kind, place.text, nothing) == ("iri", WARSAW, None)
    assert graph.select("ASK { dbr:Warsaw ?p ?o }").truth is True
    assert len(graph.select("CONSTRUCT { ?s rdfs:label ?o } WHERE { ?s rdfs:label ?o }").rows) == 4


def test_rows_past_the_limit_are_left_out_and_it_is_said(graph: Graph):
    answers = graph.select("SELECT * { ?s ?p ?o }", most_rows=3)
    assert (len(answers.rows), answers.more) == (3, True)


@pytest.mark.parametrize(("sparql", "reason"), [
    ("  ", "empty"),
    ("SELECT * { ?s ?p " + "?o " * 20_000, "too_long"),
    ("SELECT * { ?s ?p", "syntax"),
    ("INSERT DATA { <http://e/a> <http://e/p> 1 }", "update"),
    ("PREFIX e: <http://e/>\nDELETE WHERE { ?s ?p ?o }", "update"),
    ("SELECT * { SERVICE <http://127.0.0.1/> { ?s ?p ?o } }", "service"),
    ("SELECT * { ?s ?p 1serviceSILENT<http://127.0.0.1/>{ ?s ?p ?o } }", "service"),
    ("SELECT * { ?s ?p ?o FILTER(?a<?b)SERVICE#>\n<http://127.0.0.1/>{ ?s ?p ?o } }", "service"),
    (r"SELECT * { SERVIC\u0045 <http://127.0.0.1/> { ?s ?p ?o } }", "syntax"),
])
def test_a_query_that_is_not_allowed_is_refused_with_its_reason(graph: Graph, sparql: str, reason: str):
    with pytest.raises(BadQuery) as caught:
        graph.select(sparql)
    assert caught.value.reason == reason
    assert len(str(caught.value)) < 200
