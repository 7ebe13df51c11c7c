"""The graph as JSON: its files, things and their facts, and what SPARQL takes and gives."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from qa.graph_query import LONGEST_QUERY
from qa.graph_reading import Term
from webapp.graph.browsing import Page, Results, Shown
from webapp.graph.models import GraphSource


class GraphSourceSerializer(serializers.ModelSerializer):
    added_by = serializers.CharField(source="added_by.username", default=None, allow_null=True)
    duplicate = serializers.SerializerMethodField(help_text="the same content was already there")

    class Meta:
        model = GraphSource
        fields = ["id", "name", "format", "size", "sha256", "status", "error", "bytes_done", "triples", "added_by",
                  "created_at", "updated_at", "duplicate"]

    def get_duplicate(self, source: GraphSource) -> bool:
        return self.context.get("duplicate", False)


class GraphUploadSerializer(serializers.Serializer):
    file = serializers.FileField(help_text="RDF: Turtle, N-Triples, N-Quads, TriG, RDF/XML or JSON-LD; packed or not",
                                 allow_empty_file=True)


class GraphCountsSerializer(serializers.Serializer):
    triples = serializers.IntegerField()
    entities = serializers.IntegerField(help_text="addresses that statements are about")
    predicates = serializers.IntegerField()
    sources = serializers.IntegerField()


class FoundEntitySerializer(serializers.Serializer):
    iri = serializers.CharField()
    label = serializers.CharField(help_text="in the language of the request where the graph has one")
    matched = serializers.CharField(help_text="the name that was found")
    types = serializers.ListField(child=serializers.CharField())


class FoundEntitiesSerializer(serializers.Serializer):
    results = FoundEntitySerializer(many=True)
    page = serializers.IntegerField()
    has_next = serializers.BooleanField()


class GraphTermSerializer(serializers.Serializer):
    kind = serializers.ChoiceField(choices=["iri", "literal", "blank"])
    value = serializers.CharField()
    label = serializers.CharField()
    datatype = serializers.CharField(required=False)
    language = serializers.CharField(required=False)


class GraphStatementSerializer(serializers.Serializer):
    subject = GraphTermSerializer()
    predicate = GraphTermSerializer()
    object = GraphTermSerializer()
    sources = serializers.ListField(child=serializers.CharField(), help_text="names of the files that state it")


class GraphNameSerializer(serializers.Serializer):
    text = serializers.CharField()
    language = serializers.CharField()


class GraphEntitySerializer(serializers.Serializer):
    iri = serializers.CharField()
    label = serializers.CharField()
    names = GraphNameSerializer(many=True)
    types = GraphTermSerializer(many=True)
    description = serializers.CharField()
    facts = GraphStatementSerializer(many=True)
    page = serializers.IntegerField()
    has_next = serializers.BooleanField()
    incoming = GraphStatementSerializer(many=True)
    incoming_page = serializers.IntegerField()
    incoming_has_next = serializers.BooleanField()


class QuerySerializer(serializers.Serializer):
    query = serializers.CharField(
        trim_whitespace=False, allow_blank=True,
        help_text=f"SELECT, ASK, CONSTRUCT or DESCRIBE; at most {LONGEST_QUERY:,} characters",
    )
    form = serializers.ChoiceField(choices=["json", "csv"], default="json", help_text="how the result is written")


class QueryResultSerializer(serializers.Serializer):
    """W3C's SPARQL JSON results; the triples of CONSTRUCT and DESCRIBE are rows of subject, predicate and object."""

    head = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))
    results = serializers.SerializerMethodField(required=False)
    boolean = serializers.BooleanField(required=False, help_text="of an ASK")
    is_cut = serializers.BooleanField(help_text="there were more rows than are returned")
    seconds = serializers.FloatField()

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_results(self, _result: Any) -> dict[str, Any]:
        raise NotImplementedError  # describes only; the result is JSON as it is


def found_json(results: Results) -> dict[str, Any]:
    """What FoundEntitiesSerializer describes."""
    found = [{"iri": one.iri, "label": one.label, "matched": one.matched, "types": list(one.types)}
             for one in results.found]
    return {"results": found, "page": results.number, "has_next": results.has_next}


def entity_json(shown: Shown) -> dict[str, Any]:
    """What GraphEntitySerializer describes."""
    entity = shown.entity
    return {
        "iri": entity.iri, "label": entity.label,
        "names": [{"text": name.text, "language": name.language} for name in entity.names],
        "types": [_term(one) for one in entity.types], "description": entity.description,
        "facts": _statements(shown.facts), "page": shown.facts.number, "has_next": shown.facts.has_next,
        "incoming": _statements(shown.incoming), "incoming_page": shown.incoming.number,
        "incoming_has_next": shown.incoming.has_next,
    }


def _statements(page: Page) -> list[dict[str, Any]]:
    return [{"subject": _term(one.subject), "predicate": _term(one.predicate), "object": _term(one.object),
             "sources": list(one.sources)} for one in page.statements]


def _term(term: Term) -> dict[str, str]:
    more = {"datatype": term.datatype, "language": term.language}
    return {"kind": term.kind, "value": term.value, "label": term.label,
            **{name: value for name, value in more.items() if value}}
