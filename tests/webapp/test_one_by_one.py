"""A site whose processes are started one by one: what is prepared before, and what each of them is."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from webapp.ops.management.commands import run


@pytest.mark.django_db
def test_preparing_twice_is_harmless_and_shows_the_link_of_the_first_administrator(redis_url) -> None:
    from webapp.knowledge.models import Collection, Document

    shown = [io.StringIO(), io.StringIO()]
    counts = []
    for out in shown:
        call_command("prepare", json=True, stdout=out)
        counts.append((Collection.objects.count(), Document.objects.count()))
    links = [json.loads(out.getvalue())["setup"] for out in shown]
    assert links[0] == links[1] and links[0].startswith("http://127.0.0.1:8000/setup/")
    assert counts[0] == counts[1] and counts[0][0] == 2


@pytest.mark.django_db
def test_nothing_is_prepared_while_redis_is_away() -> None:
    with pytest.raises(CommandError, match="No Redis answers"):
        call_command("prepare", stdout=io.StringIO())


@pytest.mark.parametrize(("part", "words"), [
    ("web", ["uvicorn", "--host", "10.0.0.1", "8123"]), ("worker", ["celery", "worker"]),
    ("trainer", ["celery", "worker", "training"]), ("models", ["models_service", "10.0.0.1", "8123", "--models"]),
])
def test_each_part_is_the_process_that_the_whole_site_would_start(part, words, tmp_path: Path) -> None:
    command = run._command(part, "10.0.0.1", 8123, tmp_path)
    assert [word for word in words if word not in command] == []
