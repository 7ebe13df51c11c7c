"""`manage.py graph ACTION`: the knowledge graph's files, imported and taken out; SPARQL over them."""

from __future__ import annotations

import logging
import sys
import time
from argparse import SUPPRESS, ArgumentParser
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command

from qa.graph import GraphDamaged
from webapp.errors import SiteError
from webapp.graph import browsing, claims, importing, querying, services
from webapp.graph.models import GraphSource, GraphStatus
from webapp.ops import worker_pulse
from webapp.ops.command_line import FAILED, SiteCommand, show_progress, table, wrong_use

LOOK_SECONDS = 0.3
CHUNK_BYTES = 1 << 20
Row = dict[str, Any]


class Command(SiteCommand):
    help = (
        "Import RDF files into the knowledge graph, list them, take one out, or ask in SPARQL. Where the site runs, "
        "its worker imports; otherwise this command does."
    )
    expected_errors = (SiteError, GraphDamaged)

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        made = {name: actions.add_parser(name, help=told) for name, told in {
            "import": "import files and wait until they are in the graph; one of the same name is replaced",
            "list": "the files that the graph is made of",
            "remove": "take a file out of the graph",
            "query": "the first 1,000 rows of a SPARQL query",
        }.items()}
        made["import"].add_argument("files", nargs="+", type=Path, metavar="FILE")
        made["remove"].add_argument("name", metavar="NAME")
        made["query"].add_argument("sparql", metavar="SPARQL")
        for own in made.values():
            own.add_argument("--json", action="store_true", default=SUPPRESS, help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        self._failed = 0
        super().handle(*args, **options)
        if self._failed:
            sys.exit(FAILED)

    def result(self, options: Mapping[str, Any]) -> dict[str, Any]:
        return {"action": options["action"], **getattr(self, f"_{options['action']}")(options)}

    def lines(self, result: dict[str, Any]) -> list[str]:
        if result["action"] == "query":
            return _query_lines(result)
        rows = [(row["name"], row["status"], f"{row['triples']:,}", row["remark"]) for row in result["sources"]]
        counts = result["counts"]
        return [*table([("file", "status", "statements", ""), *rows]),
                f"{counts['triples']:,} statements about {counts['entities']:,} things are in the graph."]

    def _import(self, options: Mapping[str, Any]) -> dict[str, Any]:
        for file in options["files"]:
            if not file.is_file():
                raise wrong_use(f"There is no file {file}.")
        runs = self._site_runs()
        added = [services.add(file.name, _chunks(file), None) for file in options["files"]]
        self._work_on([source for source, _known in added], runs)
        rows = [{**_row(source), "remark": source.error or ("was there already" if known else "")}
                for source, known in ((_now(source), known) for source, known in added)]
        self._failed = sum(row["status"] == GraphStatus.FAILED for row in rows)
        return _shown(rows)

    def _list(self, options: Mapping[str, Any]) -> dict[str, Any]:
        return _shown([{**_row(source), "remark": source.error} for source in GraphSource.objects.all()])

    def _remove(self, options: Mapping[str, Any]) -> dict[str, Any]:
        found = list(GraphSource.objects.filter(name=options["name"]))
        if not found:
            raise wrong_use(f"No file {options['name']} is in the graph; “manage.py graph list” lists them.")
        runs = self._site_runs()
        for source in found:
            services.remove(source)
        self._work_on(found, runs)
        left = GraphSource.objects.filter(pk__in=[source.pk for source in found])
        self._failed = left.count()
        return _shown([{**_row(source), "remark": source.error} for source in left])

    def _query(self, options: Mapping[str, Any]) -> dict[str, Any]:
        return querying.as_json(querying.ask(options["sparql"]))

    def _site_runs(self) -> bool:
        runs = worker_pulse.beats(settings.REDIS_URL)
        if not runs:
            logging.getLogger("webapp.graph.services").setLevel(logging.ERROR)  # there is no queue, as expected
            call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
        return runs

    def _work_on(self, sources: Sequence[GraphSource], site_runs: bool) -> None:
        """Do the worker's work here, or wait until it has done it, saying how far it is."""
        wanted = [source.pk for source in sources]
        while unfinished := [one for one in GraphSource.objects.filter(pk__in=wanted) if one.is_unfinished]:
            if not site_runs:
                claims.free_leases_of_the_dead()
                for source in unfinished:
                    importing.run(source.pk)
            show_progress(sum(one.bytes_done for one in unfinished), sum(one.size for one in unfinished))
            time.sleep(LOOK_SECONDS)


def _chunks(file: Path) -> Any:
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK_BYTES):
            yield chunk


def _now(source: GraphSource) -> GraphSource:
    """As its row is by now; one that was replaced meanwhile is shown as it was."""
    return GraphSource.objects.filter(pk=source.pk).first() or source


def _row(source: GraphSource) -> Row:
    return {"id": str(source.pk), "name": source.name, "status": source.status, "size": source.size,
            "triples": source.triples, "sha256": source.sha256}


def _shown(rows: list[Row]) -> dict[str, Any]:
    return {"sources": rows, "counts": asdict(browsing.counts())}


def _query_lines(result: dict[str, Any]) -> list[str]:
    if "boolean" in result:
        return ["yes" if result["boolean"] else "no"]
    names = result["head"]["vars"]
    rows = [[row[name]["value"] if name in row else "" for name in names] for row in result["results"]["bindings"]]
    cut = ["There are more rows."] if result["is_cut"] else []
    return [*table([names, *rows]), *cut]
