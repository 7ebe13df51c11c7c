"""A kept answer that the knowledge graph contradicts, as the chat page shows it in a real Chromium."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from models_service.protocol import AnswerDone
from qa.graph import GraphFile
from qa.graph_check import checked
from tests.browser.conftest import CHROMIUM, FLAGS, PATIENCE_MS
from tests.live_site import live_site
from webapp.chat import records
from webapp.chat.models import Conversation, MessageRole
from webapp.graph import storage

pytestmark = pytest.mark.django_db(transaction=True)

FACTS = """
@prefix dbr: <http://dbpedia.org/resource/> . @prefix dbo: <http://dbpedia.org/ontology/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
dbr:Eiffel_Tower rdfs:label "Eiffel Tower"@en ; dbo:height "312"^^<http://dbpedia.org/datatype/metre> .
dbr:Burkina_Faso rdfs:label "Burkina Faso"@en ; dbo:capital dbr:Ouagadougou .
dbr:Ouagadougou rdfs:label "<b>Ouagadougou</b>"@en .
"""


@pytest.fixture
def conversation(alice, data_dir: Path) -> Conversation:
    """Two answers: one that the graph contradicts, and one that the graph gives itself."""
    (data_dir / "facts.ttl").write_text(FACTS)
    storage.store().import_sources([GraphFile("facts.ttl", data_dir / "facts.ttl")])
    graph = storage.store().open()
    assert graph is not None
    conversation = Conversation.objects.create(owner=alice, title="Towers")
    asked = {
        "How tall is the Eiffel Tower?": AnswerDone(
            answer="The tower is 330 metres tall.", span="330 metres", abstained=False, confidence=0.9, citations=[]),
        "What is the capital of Burkina Faso?": AnswerDone(answer="", abstained=True, confidence=0.1, citations=[]),
    }
    for key, (question, done) in enumerate(asked.items()):
        put = conversation.messages.create(role=MessageRole.QUESTION, key=str(key), text=question)
        ending = records.done(checked(done, question, graph, may_answer=True))
        conversation.messages.create(role=MessageRole.ANSWER, parent=put, key=str(key), text=ending.text,
                                     status=ending.status, payload=ending.event)
    return conversation


def _look(address: str, cookie: str, conversation: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(base_url=address, locale="en-GB")
        context.set_default_timeout(PATIENCE_MS)
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": address}])
        page = context.new_page()
        page.goto(f"/c/{conversation}/")
        expect(page.locator(".exchange")).to_have_count(2, timeout=PATIENCE_MS)
        contradicted, own = page.locator(".exchange").all()
        expect(contradicted.locator(".answer-text")).to_contain_text("330 metres")
        expect(contradicted.locator(".graph-says")).to_have_text(
            "The knowledge graph says otherwise: Eiffel Tower · height · 312 m")
        expect(own.locator(".answer-text")).to_have_text("<b>Ouagadougou</b>")
        expect(own.locator(".graph-says")).to_have_text(
            "Answered from the knowledge graph, not from the documents: Burkina Faso · capital · <b>Ouagadougou</b>")
        expect(own.locator(".confidence")).to_be_hidden()
        own.locator(".graph-says a").first.click()
        page.wait_for_url("**/graph/entity/**")
        expect(page.get_by_role("heading", name="Burkina Faso")).to_be_visible(timeout=PATIENCE_MS)
        browser.close()


def test_an_answer_that_the_knowledge_graph_contradicts_says_so(conversation, redis_url, alice, client):
    client.force_login(alice)
    # Playwright's event loop is not for Django's thread
    with live_site() as address, ThreadPoolExecutor(1) as thread:
        thread.submit(_look, address, client.cookies["sessionid"].value, str(conversation.pk)).result()
