"""`manage.py` itself."""

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def test_what_a_command_starts_finds_the_project_from_whatever_folder_it_is_called(tmp_path):
    starts = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import models_service'], check=True)"

    done = subprocess.run([sys.executable, str(PROJECT / "manage.py"), "shell", "--no-imports", "--command", starts],
                          cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr
