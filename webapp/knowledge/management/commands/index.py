"""`manage.py index check|mend`: whether collections can be searched by meaning, and making it so again.

`check` reads every file of vectors and compares it with its checksum; `mend` embeds the passages that lack a vector,
after a file was damaged or another encoder was put into use. A running site does that by itself.
"""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError

from models_service.client import ModelsError
from qa import mending
from qa.index import CollectionGone, CollectionIndex
from qa.segments import SegmentCorrupt
from webapp.knowledge import storage
from webapp.knowledge.mending import served_encoder
from webapp.knowledge.models import Collection
from webapp.ops.command_line import FAILED, SiteCommand, show_progress, table, wrong_use
from webapp.ops.models_at_hand import site_models

BUSY_SECONDS = 1


class Command(SiteCommand):
    help = "Check the search indexes of collections, or embed again the passages that lack a vector."

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["check", "mend"])
        parser.add_argument("--collection", metavar="NAME", help="this one only; all of them otherwise")

    def result(self, options: Mapping[str, Any]) -> dict[str, Any]:
        chosen = Collection.objects.order_by("created_at")
        if options["collection"]:
            chosen = chosen.filter(name=options["collection"].strip())
            if not chosen:
                raise wrong_use(f"There is no collection {options['collection']!r}.")
        served = served_encoder()
        rows = [row for one in chosen if (row := _looked_at(one, served))]
        if options["action"] == "mend":
            for row in rows:
                if row["state"] != "whole":
                    row["embedded"] = asyncio.run(_mend(storage.index(row["id"])))
                    row["state"] = "whole"
        return {"encoder": served, "collections": rows, "whole": all(row["state"] == "whole" for row in rows)}

    def lines(self, result: dict[str, Any]) -> list[str]:
        rows = [("collection", "passages", "state", "embedded again")]
        rows += [(row["name"], row["passages"], row["state"], row["embedded"] or "") for row in result["collections"]]
        advice = [] if result["whole"] else ["", "Embed what lacks a vector: manage.py index mend"]
        return [*table(rows), *advice]


def _looked_at(collection: Collection, served: str) -> dict[str, Any] | None:
    """None for one without an index, to which nothing was added yet."""
    index = storage.index(collection.pk)
    try:
        row = {"id": str(collection.pk), "name": collection.name, "passages": index.count(), "state": "whole",
               "embedded": 0}
        try:
            index.check()
        except SegmentCorrupt:
            index.note_damage()
            row["state"] = "damaged"
        if row["state"] == "whole" and mending.lacks_vectors(index, served):
            row["state"] = "another encoder"
    except CollectionGone:
        return None
    return row


async def _mend(index: CollectionIndex) -> int:
    """How many passages were embedded; waits for a worker that is at it already."""
    embedded = 0
    try:
        async with site_models() as models:
            while True:
                mended = await mending.mend(index, models, progress=show_progress)
                embedded += mended.embedded
                if mended.is_whole:
                    return embedded
                await asyncio.sleep(BUSY_SECONDS)
    except ModelsError as error:
        raise CommandError(error.message, returncode=FAILED) from None
