"""Whatever bytes a file holds, whatever its name says: statements, or a refusal with a reason that has a sentence."""

from __future__ import annotations

import bz2
import gzip
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.graph_files import SUFFIXES, BadGraphFile, GraphFile, Limits, quads
from qa.graph_import import Outcome
from tests.graph.conftest import PEOPLE
from webapp.graph import refusals

MANGLED = st.tuples(st.integers(0, len(PEOPLE)), st.integers(0, 40), st.binary(max_size=20)).map(
    lambda cut: PEOPLE.encode()[: cut[0]] + cut[2] + PEOPLE.encode()[cut[0] + cut[1]:])
PACKED = st.binary(max_size=200).map(gzip.compress) | st.binary(max_size=200).map(bz2.compress)
CONTENT = st.binary(max_size=300) | MANGLED | PACKED | MANGLED.map(lambda text: gzip.compress(text)[:-9])


@settings(max_examples=60, deadline=None)
@given(content=CONTENT, ending=st.sampled_from(SUFFIXES))
def test_any_bytes_are_read_or_refused(content: bytes, ending: str):
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(content)
        try:
            assert list(quads(GraphFile("a" + ending, Path(file.name)), Limits(), lambda progress: None))
        except BadGraphFile as error:
            assert refusals.of_file(Outcome(reason=error.reason, detail=error.detail, line=error.line), "a" + ending)


def test_a_packed_file_is_read_no_further_than_it_may_be(tmp_path):
    bomb = tmp_path / "a.nt.gz"
    bomb.write_bytes(gzip.compress(b"# nothing\n" * 300_000))
    with pytest.raises(BadGraphFile) as refused:
        list(quads(GraphFile("a.nt.gz", bomb), Limits(most_bytes=1_000_000), lambda progress: None))
    assert refused.value.reason == "too_large"
