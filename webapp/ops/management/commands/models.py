"""`manage.py models ACTION`: the versions of the models, and which of them are served."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from argparse import SUPPRESS, ArgumentParser
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from models_service import model_files, version_files
from models_service.export_formats import FORMATS
from models_service.model_files import ModelMissing, ModelUnusable
from models_service.registry import ENCODER, READER, TRANSLATOR, Registry, versions_in
from models_service.versions import STARTER_VERSION, Versions
from webapp.ops import served_models
from webapp.ops.command_line import FAILED, SiteCommand, table, wrong_use
from webapp.settings.places import models_folder

MB = 1_000_000
DEFAULT_NAMES = {"encoder": ENCODER, "reader": READER, "translator": TRANSLATOR}


class Command(SiteCommand):
    help = "List the models, add a version, choose which version is served, go back to the one before, take one out."
    expected_errors = (ModelMissing, ModelUnusable, served_models.NotServed)

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        made = {name: actions.add_parser(name, help=told) for name, told in {
            "list": "every version, with its size and figures",
            "register": "add a finished run, or a model's folder, as a new version; it is not served yet",
            "promote": "serve a version from now on; a running site takes it without a restart",
            "rollback": "serve the version before again",
            "pull": "fetch a model from a Hugging Face hub and register it; a pull that was cut off goes on",
            "export": "write a version to a folder that other software reads, adapters merged into their base",
        }.items()}
        made["register"].add_argument("folder", type=Path, metavar="FOLDER", help="a run's folder, or a model's")
        made["register"].add_argument("--name", metavar="NAME",
                                      help=f"by default {READER} for a reader and {ENCODER} for an encoder")
        made["pull"].add_argument("identifier", metavar="ID", help="as in sentence-transformers/all-MiniLM-L12-v2")
        made["pull"].add_argument("--revision", metavar="NAME", help="a branch, a tag or a commit")
        made["pull"].add_argument("--name", metavar="NAME", help="the last part of the id by default")
        for action in ("register", "pull"):
            made[action].add_argument(
                "--pair", action="append", default=[], dest="pairs", metavar="SOURCE-TARGET",
                help="a direction that a translator offers, as in en-de; may be repeated (what its name says)",
            )
        for action in ("promote", "rollback", "export"):
            made[action].add_argument("name", metavar="NAME")
        made["promote"].add_argument("version", nargs="?", metavar="VERSION", help="the newest by default")
        made["export"].add_argument("target", type=Path, metavar="FOLDER", help="made by the command")
        made["export"].add_argument("--format", choices=list(FORMATS), default="safetensors",
                                    help="safetensors for transformers and others, ONNX with ONNX Runtime's inputs, "
                                    "CTranslate2 in 8 bits where these agree (%(default)s)")
        made["export"].add_argument("--version", metavar="VERSION", dest="exported",
                                    help="the one that is served by default")
        for own in made.values():
            own.add_argument("--json", action="store_true", default=SUPPRESS, help="print one JSON object")

    def result(self, options: Mapping[str, Any]) -> dict[str, Any]:
        versions = versions_in(models_folder(settings.DATA_DIR))
        return {"action": options["action"], **getattr(self, f"_{options['action']}")(versions, options)}

    def lines(self, result: dict[str, Any]) -> list[str]:
        return getattr(self, f"_{result['action']}_lines")(result)

    # --- list ---

    def _list(self, versions: Versions, options: Mapping[str, Any]) -> dict[str, Any]:
        registry = Registry(folder=versions.folder)
        return {"models": [row for name in registry.names() for row in _rows(registry, versions, name)]}

    def _list_lines(self, result: dict[str, Any]) -> list[str]:
        rows = [(row["name"], row["kind"], row["version"], row["live"],
                 f"{row['bytes'] / MB:.1f} MB" if row["bytes"] else "not installed",
                 ", ".join(f"{name} {value:.4g}" for name, value in row["metrics"].items()))
                for row in result["models"]]
        return table([("name", "kind", "version", "served", "size", "figures"), *rows])

    # --- register ---

    def _register(self, versions: Versions, options: Mapping[str, Any]) -> dict[str, Any]:
        from models_service import admission  # takes seconds

        folder = options["folder"]
        if not folder.is_dir():
            raise ModelMissing(f"There is no folder {folder}.")
        model = folder / "model" if (folder / "spec.json").is_file() else folder
        model_files.check_files(model, model.name)
        kind = "translator" if options["pairs"] else model_files.kind_of(model)
        name = options["name"] or DEFAULT_NAMES.get(kind)
        if name is None:
            raise wrong_use(f"Say under which name this {kind} is to be kept, with --name NAME.")
        record = admission.register(versions, folder, name, options["pairs"])
        size = sum(file.size for file in record.files.values())
        return {"name": name, "version": record.version, "kind": record.kind, "bytes": size,
                "folder": str(versions.directory(name, record.version))}

    def _register_lines(self, result: dict[str, Any]) -> list[str]:
        name, version = result["name"], result["version"]
        return [f"Registered as {name}, version {version} ({result['bytes'] / MB:.1f} MB).",
                f"Serve it with: manage.py models promote {name} {version}"]

    # --- pull ---

    def _pull(self, versions: Versions, options: Mapping[str, Any]) -> dict[str, Any]:
        from models_service import admission  # takes seconds

        identifier = options["identifier"]
        name = options["name"] or identifier.rpartition("/")[2]
        versions.check_name(name)
        downloads = versions.folder / ".downloads" / identifier.replace("/", "--")
        fetched = _fetch(identifier, options["revision"], downloads, bool(options["pairs"]))
        _note_source(Path(fetched["folder"]), identifier, fetched["revision"])
        record = admission.register(versions, Path(fetched["folder"]), name, options["pairs"])
        shutil.rmtree(downloads, ignore_errors=True)
        size = sum(file.size for file in record.files.values())
        return {"name": name, "version": record.version, "kind": record.kind, "bytes": size,
                "revision": fetched["revision"], "folder": str(versions.directory(name, record.version))}

    _pull_lines = _register_lines

    # --- promote and rollback ---

    def _promote(self, versions: Versions, options: Mapping[str, Any]) -> dict[str, Any]:
        name = options["name"]
        known = [*versions.versions(name)]
        version = options["version"] or (known[-1] if known else STARTER_VERSION)
        return asdict(served_models.promote(name, version))

    def _rollback(self, versions: Versions, options: Mapping[str, Any]) -> dict[str, Any]:
        return asdict(served_models.rollback(options["name"]))

    def _promote_lines(self, result: dict[str, Any]) -> list[str]:
        name = result["name"]
        said = [f"{name} is served in version {result['current']} now." if result["running"] else
                f"{name} will be served in version {result['current']}, from the next start on."]
        if result["previous"]:
            said.append(f"Back to version {result['previous']}: manage.py models rollback {name}")
        if result["kind"] == "encoder" and result["current"] != result["before"]:
            said.append("Collections are searched by words alone until their passages have been embedded again; a "
                        "running site does that by itself, else: manage.py index mend")
        return said

    _rollback_lines = _promote_lines

    # --- export ---

    def _export(self, versions: Versions, options: Mapping[str, Any]) -> dict[str, Any]:
        from models_service.export import export  # takes seconds

        wanted = options["name"] + (f"@{options['exported']}" if options["exported"] else "")
        model = Registry(folder=versions.folder).find(wanted)
        target = options["target"].resolve()
        if target.exists():
            raise CommandError(f"{target} is there already; name a folder that is not.", returncode=FAILED)
        export(model, target, options["format"])
        return {"name": model.name, "version": model.version, "format": options["format"], "folder": str(target)}

    def _export_lines(self, result: dict[str, Any]) -> list[str]:
        return [f"{result['name']}, version {result['version']}, is in {result['folder']}."]


def _fetch(identifier: str, revision: str | None, downloads: Path, translates: bool) -> dict[str, str]:
    """In a process of its own, which may use the network; its progress is shown as it comes."""
    command = [sys.executable, "-m", "models_service.hub", identifier, str(downloads)]
    command += ["--revision", revision] if revision else []
    command += ["--translates"] if translates else []
    child = subprocess.run(command, stdout=subprocess.PIPE, env={**os.environ, "HF_HUB_OFFLINE": "0"}, check=False)
    try:
        told = json.loads(child.stdout)
    except ValueError:
        raise CommandError("Fetching broke off; what was fetched is kept. Pull again to go on.",
                           returncode=FAILED) from None
    if "error" in told:
        raise CommandError(told["error"], returncode=FAILED)
    return told


def _note_source(folder: Path, identifier: str, revision: str) -> None:
    """Where the model comes from, in its card."""
    card = folder / model_files.CARD_FILE
    if not card.is_file():
        card.write_text(json.dumps({"source": identifier, "revision": revision}, indent=2) + "\n", encoding="utf-8")


def _rows(registry: Registry, versions: Versions, name: str) -> list[dict[str, Any]]:
    live = versions.live(name)
    starter = [STARTER_VERSION] if name in DEFAULT_NAMES.values() else []
    rows = []
    for version in [*starter, *versions.versions(name)]:
        model = registry.version(name, version)
        served = "current" if version == live.current else "previous" if version == live.previous else ""
        row = {"name": name, "kind": model.kind, "version": version, "live": served, "bytes": 0, "metrics": {}}
        try:
            folder = model.directory()
            row["bytes"] = version_files.size_of(folder)
            row["metrics"] = model_files.figures(folder)
        except ModelMissing:
            pass  # a starter that is not installed is listed as that
        rows.append(row)
    return rows

