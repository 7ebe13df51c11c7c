"""The Chinese of the site: each sentence is translated, none is a guess, and the compiled files are current."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.utils.translation import trim_whitespace

ROOT = Path(settings.LOCALE_PATHS[0]).parents[1]
CATALOGS = Path(settings.LOCALE_PATHS[0]) / "zh_Hans" / "LC_MESSAGES"
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd%]")
BLOCK = re.compile(r"\{% blocktranslate[^%]*%\}(.*?)(?:\{% plural %\}.*?)?\{% endblocktranslate %\}", re.S)
CALLS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy"}


def catalog(domain: str) -> polib.POFile:
    return polib.pofile(str(CATALOGS / f"{domain}.po"))


def in_python() -> Iterator[tuple[str, str]]:
    for file in (ROOT / "webapp").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            called = getattr(node, "func", None)
            if isinstance(called, ast.Name) and called.id in CALLS and isinstance(node.args[0], ast.Constant):
                yield file.name, node.args[0].value


def in_templates() -> Iterator[tuple[str, str]]:
    for file in (ROOT / "templates").rglob("*.html"):
        text = file.read_text()
        for double, single in re.findall(r"""\{% translate (?:"([^"]*)"|'([^']*)')""", text):
            yield file.name, (double or single).replace("%", "%%")
        for body in BLOCK.findall(text):
            yield file.name, trim_whitespace(re.sub(r"\{\{ ?(\w+) ?\}\}", r"%(\1)s", body))


def in_scripts() -> Iterator[tuple[str, str]]:
    for file in (ROOT / "static").rglob("*.js"):
        if "vendor" not in file.parts:
            for found in re.findall(r"""n?gettext\(\s*"((?:[^"\\]|\\.)*)\"""", file.read_text()):
                yield file.name, found


@pytest.mark.parametrize("domain", ["django", "djangojs"])
def test_every_sentence_is_translated_and_none_is_a_guess(domain: str) -> None:
    for entry in catalog(domain):
        assert not entry.fuzzy, entry.msgid
        assert entry.translated(), entry.msgid


@pytest.mark.parametrize("domain", ["django", "djangojs"])
def test_a_translation_has_the_placeholders_of_its_original(domain: str) -> None:
    for entry in catalog(domain):
        for translation in list(entry.msgstr_plural.values()) or [entry.msgstr]:
            assert sorted(PLACEHOLDER.findall(translation)) == sorted(PLACEHOLDER.findall(entry.msgid)), entry.msgid


@pytest.mark.parametrize("domain", ["django", "djangojs"])
def test_the_compiled_catalog_is_the_written_one(domain: str) -> None:
    def entries(read) -> dict:
        return {entry.msgid: (entry.msgstr, entry.msgstr_plural) for entry in read}

    assert entries(polib.mofile(str(CATALOGS / f"{domain}.mo"))) == entries(catalog(domain))


@pytest.mark.parametrize(("domain", "source"), [
    ("django", in_python), ("django", in_templates), ("djangojs", in_scripts),
])
def test_no_sentence_of_the_source_is_missing_from_the_catalog(domain: str, source) -> None:
    known = {entry.msgid for entry in catalog(domain)}
    used = list(source())
    assert len(used) > 20
    missing = [(file, sentence) for file, sentence in used if sentence not in known]
    assert not missing, "run makemessages, translate, compile"
