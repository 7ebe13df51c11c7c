"""`manage.py calibrate --model FOLDER --data FILE...`: fit a reader's confidence, and keep it beside the reader."""

from __future__ import annotations

import asyncio
import tempfile
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models_service.errors import ModelsError
from models_service.formats.files import FormatError
from models_service.formats.squad import Question, read_squad
from models_service.in_process import InProcessModels
from models_service.registry import CALIBRATION_FILE, ModelMissing, ModelUnusable
from qa import calibration, open_collection
from qa.confidence import FIGURES_FILE
from webapp.ops.command_line import SiteCommand, show_progress, table, wrong_use


class Command(SiteCommand):
    help = "Fit how sure a reader is of its answers, on SQuAD-format questions that it was not trained on."
    expected_errors = (FormatError, ModelMissing, ModelUnusable, ModelsError, ValueError)

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--model", type=Path, required=True, metavar="FOLDER", help="the reader's folder")
        parser.add_argument("--data", type=Path, nargs="+", required=True, metavar="FILE",
                            help="each file becomes a collection of its own, which its questions are asked of")
        parser.add_argument("--limit", type=int, metavar="N", help="ask N questions of each file, drawn at random")

    def result(self, options: Mapping[str, Any]) -> dict[str, Any]:
        if not options["model"].is_dir():
            raise wrong_use(f"There is no folder {options['model']}.")
        if options["limit"] is not None and options["limit"] < 1:
            raise wrong_use("--limit must be at least 1.")
        sets = [read_squad(path) for path in options["data"]]
        seen = asyncio.run(_observe(sets, str(options["model"]), options["limit"]))
        fitted = calibration.fit(seen)
        worth = calibration.measured([path.name for path in options["data"]], seen)
        file = options["model"] / CALIBRATION_FILE
        file.write_text(fitted.model_dump_json(indent=2) + "\n")
        told = options["model"] / FIGURES_FILE
        if worth:
            told.write_text(worth.model_dump_json(indent=1) + "\n")
        else:
            told.unlink(missing_ok=True)
        return {"file": str(file), "questions": len(seen), "calibration": fitted.model_dump(),
                "confidence": worth and worth.model_dump()}

    def lines(self, result: dict[str, Any]) -> list[str]:
        weights = [*result["calibration"]["weights"].items(), ("intercept", result["calibration"]["intercept"])]
        worth = result["confidence"]
        if not worth:
            return [f"{result['file']}, fitted on {result['questions']} questions:", *table(weights),
                    f"What it is worth was not measured: there are fewer than {calibration.FOLDS} texts."]
        bars = [(f"answered from {each['bar']:.2f} on", f"{each['coverage']:.1%} of the questions, "
                 + ("none right" if each["precision"] is None else f"{each['precision']:.1%} of the answers right"))
                for each in worth["bars"][::2]]
        return [f"{result['file']}, fitted on {result['questions']} questions:", *table(weights),
                f"Measured on texts that were not fitted on, {worth['without']} questions without their paragraph:",
                *table([("expected calibration error", worth["ece"]), ("auroc, right from wrong", worth["auroc"]),
                        ("auroc, answerable from not", worth["auroc_known"]), *bars])]


async def _observe(sets: list[list[Question]], model: str, limit: int | None) -> list[calibration.Observed]:
    models = InProcessModels(reader=model)
    seen: list[calibration.Observed] = []
    for questions in sets:
        with tempfile.TemporaryDirectory(prefix="wenda-calibrate-") as folder:
            collection = await open_collection.build(questions, models, Path(folder) / "index")
            asked = calibration.drawn(questions, limit)
            seen += await calibration.observe(asked, collection, models, progress=show_progress)
    return seen
