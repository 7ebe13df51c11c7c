"""`manage.py ask "QUESTION"`: one answer from the collections of this site.

Whoever can run it can read the data folder, so it asks all collections, whosever they are. The running site's model
service does the work when there is one; otherwise the models are loaded in this process.
"""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

from django.core.management.base import CommandError

from models_service.protocol import AnswerDone, AnswerError
from webapp.chat import answering
from webapp.errors import SiteError
from webapp.knowledge.models import Collection
from webapp.ops.command_line import FAILED, SiteCommand, wrong_use
from webapp.ops.models_at_hand import site_models


class Command(SiteCommand):
    help = "Ask a question of the site's documents and print the answer with where it comes from."

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("question")
        parser.add_argument("--collection", metavar="NAME", action="append", default=[],
                            help="ask only this collection (may be repeated); all of them otherwise")

    def result(self, options: Mapping[str, Any]) -> dict[str, Any]:
        try:
            question = answering.check_question(options["question"])
        except SiteError as error:
            raise wrong_use(error.message) from None
        last = asyncio.run(_answer(question, _collections(options["collection"])))
        if isinstance(last, AnswerError):
            raise CommandError(last.message, returncode=FAILED)
        return last.model_dump(exclude={"type"})

    def lines(self, result: dict[str, Any]) -> list[str]:
        if result["abstained"]:
            found = result["nearest"]
            said = ["The documents do not hold an answer to this."]
            add = "Add documents with: manage.py ingest PATH --collection NAME"
            heading = ["", "Nearest passages:"] if found else [add]
        else:
            found = result["citations"]
            worked_out = result["verification"].get("worked_out")
            said = [f"{worked_out['answer']} (worked out from the sources)", ""] if worked_out else []
            if result["verification"].get("contradicting"):
                said += ["The documents contradict each other; newest first:", ""]
            said += [result["answer"], "", f"Confidence: {result['confidence']:.0%}"]
            heading = [*_graph(result["verification"].get("graph")), "", "Sources:"]
            if not found:
                heading, found = heading[:-1] + ["Nearest passages:"], result["nearest"]
        sources = [f"  [{number}] {_marked(citation)}\n      {citation['title']}, {_place(citation)}"
                   for number, citation in enumerate(found, start=1)]
        return said + heading + sources


def _graph(says: dict[str, Any] | None) -> list[str]:
    """What the knowledge graph says of the answer, a line a statement."""
    heading = {
        "confirmed": "The knowledge graph confirms this:", "contradicted": "The knowledge graph says otherwise:",
        "answered": "Answered from the knowledge graph, not from the documents:",
    }.get(says["verdict"] if says else "")
    if not heading:
        return []
    return ["", heading, *(f"  {fact['subject']['label']} · {fact['predicate']['label']} · {fact['object']['label']}"
                           for fact in says["facts"])]


def _place(citation: dict[str, Any]) -> str:
    page = f"p. {citation['page']}, " if citation["page"] else ""
    return f"{page}characters {citation['start']} to {citation['end']}"


def _collections(names: list[str]) -> list[str]:
    """The ids of the collections of these names, or of all; wrong use when one does not exist."""
    known = list(Collection.objects.values_list("pk", "name"))
    missing = [name for name in names if name not in {known_name for _pk, known_name in known}]
    if missing:
        there = ", ".join(sorted({name for _pk, name in known})) or "none yet"
        raise wrong_use(f"There is no collection {missing[0]!r}. There is: {there}.")
    return [str(pk) for pk, name in known if not names or name in names]


async def _answer(question: str, collections: list[str]) -> AnswerDone | AnswerError:
    async with (site_models() as models,
                aclosing(answering.events_from(collections, question, models=models)) as events):
        async for event in events:
            if isinstance(event, AnswerDone | AnswerError):
                return event
    return answering.failure()


def _marked(citation: dict[str, Any]) -> str:
    """The quote on one line, with the exact answer between brackets."""
    quote, start = citation["quote"], citation["start"]
    first, last = citation["span_start"] - start, citation["span_end"] - start
    marked = f"{quote[:first]}«{quote[first:last]}»{quote[last:]}" if last > first else quote
    return " ".join(marked.split())
