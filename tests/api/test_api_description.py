"""The interfaces describe themselves."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from openapi_spec_validator import OpenAPIV31SpecValidator

from models_service import protocol

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def schema() -> dict:
    return json.loads(Client().get("/api/v1/schema").content)


def test_the_protocol_is_the_contracts_own_schema():
    body = Client().get("/api/v1/protocol").json()
    assert body == json.loads(json.dumps(protocol.json_schema()))
    assert {"browser_message", "answer_event", "chat_envelope"} <= set(body)


def test_the_description_is_openapi_3_1_and_names_every_address(schema):
    assert schema["openapi"].startswith("3.1")
    for path in ("/api/v1/qa/ask", "/api/v1/collections/", "/api/v1/documents/", "/api/v1/conversations/",
                 "/api/v1/conversations/{id}/export/", "/api/v1/feedback/", "/api/v1/keys/", "/api/v1/protocol"):
        assert path in schema["paths"], path


def test_the_description_is_valid_openapi(schema):
    faults = [error.message for error in OpenAPIV31SpecValidator(schema).iter_errors()]
    assert not faults


def test_every_operation_says_what_it_does_and_what_can_go_wrong(schema):
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert operation.get("description"), f"{method} {path}"
            shape = "OpenAI" if path.startswith("/v1/") else ""
            for status, name in (("4XX", "Refused"), ("5XX", "Failed")):
                assert operation["responses"][status]["$ref"] == f"#/components/responses/{shape}{name}", path


def test_the_description_of_an_answer_has_the_fields_of_the_contract(schema):
    content = schema["paths"]["/api/v1/qa/ask"]["post"]["responses"]["200"]["content"]
    assert set(content) == {"application/json", "text/event-stream"}
    name = content["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
    fields = schema["components"]["schemas"][name]["properties"]
    assert {"answer", "abstained", "confidence", "citations", "verification", "timings"} <= set(fields)


def test_the_description_makes_no_complaint(capsys):
    from drf_spectacular.drainage import GENERATOR_STATS

    with GENERATOR_STATS.silence():
        Client().get("/api/v1/schema")
    assert not GENERATOR_STATS, [*GENERATOR_STATS._error_cache, *GENERATOR_STATS._warn_cache]


def test_the_description_is_yaml_when_that_is_asked_for():
    response = Client().get("/api/v1/schema", headers={"Accept": "application/yaml"})
    assert response.content.startswith(b"openapi: 3.1")


def test_the_page_of_the_description_has_no_inline_script():
    response = Client().get("/api/v1/docs")
    page = response.content.decode()
    assert "<script>" not in page and 'src="/api/v1/docs?script="' in page
    assert "script-src 'self';" in response["Content-Security-Policy"]
    script = Client().get("/api/v1/docs?script=")
    assert script["Content-Type"].startswith("application/javascript")
    assert "/api/v1/schema" in script.content.decode()


def test_the_styles_and_scripts_of_the_page_are_this_sites_own_files():
    import re

    page = Client().get("/api/v1/docs").content.decode()
    for path in re.findall(r'(?:src|href)="(/static/[^"]+)"', page):
        assert Client().get(path).status_code == 200, path
