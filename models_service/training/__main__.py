"""`python -m models_service.training RUN_FOLDER`: train what RUN_FOLDER/spec.json asks for, or go on with it.

    spec.json   {"task", "settings"}; when the finished model is to be registered, also
                {"register": {"folder", "name"}, "card": what its card is to say beside its figures}

With --measure nothing is trained: a few steps are timed, and the last event says what the whole would take.

Exit status: 0 done, STOPPED, 1 failed; the last event says why.
"""

from __future__ import annotations

import errno
import json
import sys
from pathlib import Path
from typing import Any

import torch
from transformers.utils import logging as transformers_logging

from models_service.training import STOPPED
from models_service.training.finished import register
from models_service.training.loop import Stopped, train
from models_service.training.measure import measure
from models_service.training.recipes import RECIPES
from models_service.training.run_folder import RunFolder


def main(folder: Path, *, only_measure: bool = False) -> int:
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    run = RunFolder(folder)
    try:
        spec = json.loads((folder / "spec.json").read_text())
        recipe = RECIPES[spec["task"]]
        settings = recipe.settings.model_validate(spec["settings"])
        if only_measure:
            measured = measure(recipe.task(settings, run), settings)
            run.event(finished=True, measured=measured.model_dump())
            return 0
        metrics = train(recipe.task(settings, run), settings, run)
        registered: dict[str, Any] = {}
        if "register" in spec:
            registered = {"registered": register(run, spec, metrics).model_dump()}
    except Stopped:
        return STOPPED
    except Exception as error:
        run.say(f"failed: {error}")
        run.event(failed=cause(error), message=str(error))
        raise
    run.event(finished=True, metrics=metrics, **registered)
    return 0


def cause(error: Exception) -> str:
    """What kind of failure this is: "out_of_memory", "no_disk" or "error"."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate memory" in str(error):
        return "out_of_memory"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "no_disk"
    return "error"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), only_measure="--measure" in sys.argv[2:]))
