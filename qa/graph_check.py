"""The knowledge graph's part in an answer: a verdict on what was answered, or an answer where documents have none.

It is `verification["graph"]`: `verdict` (`confirmed`, `contradicted`, `unknown`, or `answered` where the answer is
the graph's own) and `facts`, the statements that it rests on (`qa.graph_verdict.described`).
"""

from __future__ import annotations

import logging
import sqlite3

from models_service.protocol import AnswerDone, Citation
from qa.graph_reading import Graph
from qa.graph_verdict import answer_from_graph, described, verdict
from qa.marks import without_marks
from qa.scripts import is_cjk

log = logging.getLogger(__name__)

CONFIDENCE = 0.9
"""Not calibrated: the graph answers only where nothing of the question is left over."""
METHOD = "knowledge graph"


def checked(done: AnswerDone, question: str, graph: Graph, *, may_answer: bool) -> AnswerDone:
    """The answer with what the graph says of it; as it is when the graph cannot be read just now.

    Args:
        question: as it was searched for.
        may_answer: whether the graph may answer where the documents do not.
    """
    try:
        if not done.abstained:
            return _judged(done, question, graph)
        return _answered(done, question, graph) if may_answer else done
    except (sqlite3.Error, OSError) as error:  # two imports have replaced it since it was opened
        log.warning("the knowledge graph was not asked: %s", error)
        return done


def _judged(done: AnswerDone, question: str, graph: Graph) -> AnswerDone:
    said = without_marks(done.answer)
    found = verdict(question, said, done.span, graph, [_beside_the_answer(one) for one in done.citations])
    language = "zh" if is_cjk(question) else "en"
    return _with(done, {"verdict": found.verdict, "facts": described(found.facts, language)})


def _beside_the_answer(citation: Citation) -> str:
    """What tells namesakes apart must not be the answer itself, or each answer would choose whom it is right for."""
    start, end = citation.span_start - citation.start, citation.span_end - citation.start
    return f"{citation.title} {citation.quote[:start]} {citation.quote[end:]}"


def _answered(done: AnswerDone, question: str, graph: Graph) -> AnswerDone:
    found = answer_from_graph(question, graph)
    if found is None:
        return done
    language = "zh" if is_cjk(question) else "en"
    own = done.model_copy(update={
        "answer": found.text, "span": found.text, "abstained": False, "confidence": CONFIDENCE,
        "verification": {**done.verification, "method": METHOD},
    })
    return _with(own, {"verdict": "answered", "facts": described(found.facts, language)})


def _with(done: AnswerDone, says: dict) -> AnswerDone:
    return done.model_copy(update={"verification": {**done.verification, "graph": says}})
