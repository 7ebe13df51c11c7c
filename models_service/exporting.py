"""`python -m models_service.exporting FOLDER`: the version that FOLDER/spec.json names, as one archive in the folder.

    spec.json       {"model": NAME@VERSION, "models_folder", "format"}
    archive.zip     the export, there once it is whole
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import zipfile
from pathlib import Path

from transformers.utils import logging as transformers_logging

from models_service.export import export
from models_service.export_formats import ARCHIVE_FILE
from models_service.registry import Registry
from models_service.training.run_folder import RunFolder


def main(folder: Path) -> int:
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    run = RunFolder(folder)
    try:
        spec = json.loads((folder / "spec.json").read_text(encoding="utf-8"))
        if not (folder / ARCHIVE_FILE).is_file():
            _write(spec, run)
    except Exception as error:
        run.say(f"failed: {error}")
        run.event(failed="error", message=str(error))
        raise
    size = (folder / ARCHIVE_FILE).stat().st_size
    run.say(f"the archive is there: {size / 1e6:.1f} MB")
    run.event(finished=True, result={"archive": {"bytes": size, "format": spec["format"], "model": spec["model"]}})
    return 0


def _write(spec: dict[str, str], run: RunFolder) -> None:
    model = Registry(folder=Path(spec["models_folder"])).find(spec["model"])
    exported, fresh = run.path / "export", run.path / f"{ARCHIVE_FILE}.new"
    shutil.rmtree(exported, ignore_errors=True)
    run.event(started=True, step=0, steps=2)
    run.say(f"{model.label} is written as {spec['format']} and compared with the original")
    export(model, exported, spec["format"])
    run.event(step=1, steps=2)
    name = f"{model.name}-{model.version}-{spec['format']}"
    with zipfile.ZipFile(fresh, "w", zipfile.ZIP_STORED) as archive:  # weights do not compress
        for file in sorted(exported.rglob("*")):
            if file.is_file():
                archive.write(file, f"{name}/{file.relative_to(exported)}")
    os.replace(fresh, run.path / ARCHIVE_FILE)
    shutil.rmtree(exported)
    run.event(step=2, steps=2)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
