"""`python -m models_service.trial NAME@VERSION --models FOLDER`: bring a model up as a service would, then let it go.

Exit status 0 when it would serve; else 1, and the last line of standard error says why not.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path

from models_service.model_files import ModelMissing, ModelUnusable


def main() -> int:
    parser = ArgumentParser(prog="python -m models_service.trial", description="Would this version serve?")
    parser.add_argument("model", metavar="NAME@VERSION")
    parser.add_argument("--models", type=Path, required=True, metavar="FOLDER", help="the registry's")
    options = parser.parse_args()

    from models_service.admission import bring_up
    from models_service.registry import Registry, forms_told

    try:
        registry = Registry(folder=options.models, forms=forms_told())
        bring_up(registry.find(options.model), registry.versions).close()
    except (ModelMissing, ModelUnusable) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
