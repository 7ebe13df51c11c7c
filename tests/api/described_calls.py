"""Calls made up from the site's own OpenAPI description, and what its checks say of the replies."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import channels.db
import hypothesis
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
KINDS = [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]
"""What fits the description, and what does not."""


def made_up(boundary: int, free: int, seed: int) -> Iterator[Any]:
    """For every operation some of its boundary cases, which are always the same ones, and free ones of each kind."""
    description = schemathesis.openapi.from_wsgi("/api/v1/schema", WSGIHandler())
    for found in description.get_all_operations():
        operation = found.ok()
        cases = list(description.iter_coverage_cases(
            operation, generation_modes=KINDS, generation_config=description.config.generation))
        yield from random.Random(f"{seed} {operation.label}").sample(cases, min(boundary, len(cases)))
        for kind in KINDS:
            yield from _drawn(operation.as_strategy(generation_mode=kind), free, seed)


def _drawn(strategy: Any, number: int, seed: int) -> list[Any]:
    drawn: list[Any] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(max_examples=number, database=None, deadline=None, phases=[hypothesis.Phase.generate],
                         suppress_health_check=list(hypothesis.HealthCheck))
    @hypothesis.given(strategy)
    def draw(case: Any) -> None:
        drawn.append(case)

    with suppress(hypothesis.errors.Unsatisfiable):  # nothing that is sent there could be wrong
        draw()
    return drawn


def reply_to(case: Any, headers: dict[str, str]) -> Any:
    """Of the site. What was written is taken back, so that the next call finds everything as it was."""
    for name in ("Authorization", "X-CSRFToken"):
        case.headers.pop(name, None)
    case.cookies.clear()
    with _one_connection(), transaction.atomic():
        reply = case.call(headers=headers)
        transaction.set_rollback(True)
    return reply


@contextmanager
def _one_connection() -> Iterator[None]:
    """The ends of requests and of pieces of them would close it, and with it the transaction."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    channels.db.close_old_connections = lambda: None
    try:
        yield
    finally:
        channels.db.close_old_connections = close_old_connections
        for signal in signals:
            signal.connect(close_old_connections)


def faults(case: Any, reply: Any) -> list[str]:
    """Where the reply is not as the description says."""
    try:
        case.validate_response(reply, checks=CHECKS)
    except FailureGroup as group:
        return [f"{one.title}: {one.message.strip()}" for one in group.exceptions]
    return []
