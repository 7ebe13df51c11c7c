#!/usr/bin/env python
"""Run one of the site's commands: `manage.py up` starts everything, `manage.py help` lists the rest."""

import os
import sys
from pathlib import Path


def main() -> int:
    # so that what it starts finds the project too, from whatever folder it is called
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(Path(__file__).resolve().parent),
                                                             os.environ.get("PYTHONPATH"))))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        from django.core.management import execute_from_command_line

        from webapp.settings.table import SettingError
    except ImportError as error:
        print(f"A package is missing ({error}). Use `make run`, or `pip install -r requirements.txt`.",
              file=sys.stderr)
        return 2
    try:
        execute_from_command_line(sys.argv)
    except SettingError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
