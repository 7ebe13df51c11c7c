"""No template carries what the Content-Security-Policy refuses, and no script or style leaves this site."""

from __future__ import annotations

import re

import pytest
from django.conf import settings

TEMPLATES = sorted(settings.TEMPLATES[0]["DIRS"][0].rglob("*.html"))
OWN_SCRIPTS = sorted(file for file in settings.STATICFILES_DIRS[0].rglob("*.js") if "vendor" not in file.parts)
OWN_STYLES = sorted(settings.STATICFILES_DIRS[0].rglob("*.css"))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_a_template_has_no_inline_script_style_or_handler(template) -> None:
    text = template.read_text()
    for script in re.findall(r"<script\b[^>]*>", text):
        assert "src=" in script, script
    assert "<style" not in text
    assert not re.search(r"\sstyle\s*=", text)
    assert not re.search(r"<[^>]*\son\w+\s*=", text)
    assert "javascript:" not in text


@pytest.mark.parametrize("file", OWN_SCRIPTS + OWN_STYLES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_a_script_or_style_loads_nothing_from_elsewhere_and_stays_short(file) -> None:
    text = file.read_text()
    assert not re.search(r"""(?:import|from|url\()\s*["']?(?:https?:)?//""", text)
    assert "eval(" not in text and "new Function" not in text
    assert text.count("\n") < 300


def test_every_vendored_library_has_its_licence_and_its_version_written_down() -> None:
    vendor = settings.STATICFILES_DIRS[0] / "vendor"
    table = (vendor / "README.md").read_text()
    folders = [folder for folder in vendor.iterdir() if folder.is_dir()]
    assert folders
    for folder in folders:
        assert list(folder.glob("LICENSE*")), folder.name
        assert re.search(rf"\| {folder.name} \| \S+ \| \d+\.\d+\.\d+ \|", table), folder.name
