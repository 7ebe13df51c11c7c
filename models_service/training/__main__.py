"""`python -m models_service.training RUN_FOLDER`: train what RUN_FOLDER/spec.json asks for, or go on with it.

Exit status: 0 done, 75 stopped on request with the checkpoint kept (EX_TEMPFAIL), 1 failed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from transformers.utils import logging as transformers_logging

from models_service.training.loop import Stopped, train
from models_service.training.qa import QaSettings, QaTask
from models_service.training.run_folder import RunFolder

RECIPES = {"qa": (QaSettings, QaTask)}


def main(folder: Path) -> int:
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    run = RunFolder(folder)
    spec = json.loads((folder / "spec.json").read_text())
    settings_type, task_type = RECIPES[spec["task"]]
    settings = settings_type.model_validate(spec["settings"])
    try:
        metrics = train(task_type(settings, run), settings, run)
    except Stopped:
        return 75
    except Exception as error:
        run.say(f"failed: {error}")
        raise
    run.event(finished=True, metrics=metrics)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
