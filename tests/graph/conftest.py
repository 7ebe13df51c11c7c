"""What the graph's tests share: a small extract, and what a worker does with a file of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CURIE = "http://dbpedia.org/resource/Marie_Curie"
WARSAW = "http://dbpedia.org/resource/Warsaw"
PEOPLE = f"""@prefix dbr: <http://dbpedia.org/resource/> . @prefix dbo: <http://dbpedia.org/ontology/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
<{CURIE}> a dbo:Scientist ; rdfs:label "Marie Curie"@en, "玛丽·居里"@zh ; dbo:birthPlace dbr:Warsaw ;
    dbo:birthDate "1867-11-07"^^<http://www.w3.org/2001/XMLSchema#date> .
dbr:Warsaw rdfs:label "Warsaw"@en, "华沙"@zh ; dbo:country dbr:Poland .
dbo:Scientist rdfs:label "scientist"@en .
"""


@pytest.fixture
def add(admin) -> Callable[..., Any]:
    """`add(name, content)`: the row of a file, waiting to be imported."""
    from webapp.graph import services

    def add(name: str = "people.ttl", content: str | bytes = PEOPLE) -> Any:
        return services.add(name, [content if isinstance(content, bytes) else content.encode()], admin)[0]

    return add


@pytest.fixture
def work_on() -> Callable[[Any], Any]:
    """`work_on(source)`: what a worker does with it; the row afterwards, None when it is gone."""
    from webapp.graph import importing
    from webapp.graph.models import GraphSource

    def work_on(source: Any) -> Any:
        importing.run(source.pk)
        return GraphSource.objects.filter(pk=source.pk).first()

    return work_on


@pytest.fixture
def imported(db, tmp_path: Path) -> Callable[..., Any]:
    """`imported(content, name)`: the row of a file that is in the graph; without the worker's process, so faster."""
    from qa.graph import GraphFile
    from webapp.graph import storage
    from webapp.graph.models import GraphSource

    def imported(content: str = PEOPLE, name: str = "people.ttl") -> Any:
        source = GraphSource(name=name, format=".ttl", size=len(content.encode()), status="ready",
                             sha256=hashlib.sha256(content.encode()).hexdigest())
        original = storage.original(source.pk)
        original.parent.mkdir(parents=True)
        original.write_text(content)
        (told,) = storage.store().import_sources([GraphFile(name, original)])
        source.triples = told.triples
        source.save(force_insert=True)
        return source

    return imported


@pytest.fixture
def people(imported) -> Any:
    """The extract, in the graph."""
    return imported()
