"""A run that consists of several: each an ordinary run in a folder of its own, told one after another as a whole."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, get_origin

from models_service.formats import splits
from models_service.formats.checking import check
from models_service.formats.files import FormatError, read_text
from models_service.formats.raw_rows import rows_of
from models_service.training.recipes import Recipe
from models_service.training.run_folder import RunFolder
from models_service.training.settings import LoopSettings

RESULT_FILE = "result.json"


class Part(RunFolder):
    """What it says and how far it is goes to the whole's folder too; its steps come after those `before` it."""

    def __init__(self, whole: RunFolder, name: str, *, before: int, parts_after: int) -> None:
        super().__init__(whole.path / name.replace(" ", "-"))
        self._whole, self._name, self._before, self._after = whole, name, before, parts_after
        self.steps = 0
        """That it has got to."""

    def say(self, sentence: str) -> None:
        self._whole.say(f"{self._name}: {sentence}")

    def event(self, **fields: Any) -> None:
        super().event(**fields)
        if "step" in fields:
            self.steps = fields["step"]
            steps = self._before + fields["steps"] * (1 + self._after)
            self._whole.event(**{**fields, "step": self._before + fields["step"], "steps": steps})

    def describe(self, task: str, settings: LoopSettings) -> None:
        """Write its spec.json, which makes it a run that can be registered and read like any other."""
        spec = {"task": task, "settings": settings.model_dump(mode="json")}
        (self.path / "spec.json").write_text(json.dumps(spec, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    def result(self) -> dict[str, Any] | None:
        """What came out of it, once it has ended."""
        file = self.path / RESULT_FILE
        return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None

    def end(self, result: dict[str, Any], *, keep_model: bool = False) -> None:
        """Keep the result; what only going on would need is deleted."""
        for name in ("checkpoint", "tokenizer", *(() if keep_model else ("model",))):
            shutil.rmtree(self.path / name, ignore_errors=True)
        fresh = self.path / f"{RESULT_FILE}.new"
        fresh.write_text(json.dumps(result, ensure_ascii=False) + "\n", encoding="utf-8")
        fresh.replace(self.path / RESULT_FILE)


def rows_in(paths: list[Path], recipe: Recipe, whole: RunFolder) -> list[dict[str, Any]]:
    """The rows of a recipe's data files, as they can be divided. Raises FormatError."""
    rows: list[dict[str, Any]] = []
    for path in paths:
        checked = check(rows_of(read_text(path, "data"), path.name), recipe.rows)
        rows += checked.rows
        if left_out := checked.read - len(checked.rows):
            whole.say(f"{path.name}: {left_out} of {checked.read} rows are duplicates or cannot be used")
    if not rows:
        raise FormatError(f"{', '.join(path.name for path in paths)}: no row that can be divided for {recipe.rows}")
    return rows


def divided(
    settings: LoopSettings, recipe: Recipe, folder: Path, train: list[dict[str, Any]], held_out: list[dict[str, Any]]
) -> LoopSettings:
    """The settings with these rows to train on and those to be measured on, all of them, written to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {side: folder / splits.file_name(side, recipe.rows) for side in ("train", "held-out")}
    splits.write(train, recipe.rows, files["train"])
    splits.write(held_out, recipe.rows, files["held-out"])
    several = get_origin(type(settings).model_fields["evaluation"].annotation) is list
    return settings.model_copy(update={
        "data": [files["train"]], "evaluation": [files["held-out"]] if several else files["held-out"],
        "evaluation_limit": len(held_out),
    })
