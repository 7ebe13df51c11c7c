"""Keys are read from the environment or refused without being told; files are opened whether encrypted or not."""

from __future__ import annotations

import base64
import os
import subprocess
import sys

import pytest

from models_service.sealed import files, lines
from models_service.sealed.container import MAGIC
from models_service.sealed.errors import BadKey, Damaged, KeyMissing
from models_service.sealed.feeding import run_fed
from models_service.sealed.keys import keyring
from models_service.sealed.passing import PassingFile
from tests.models_service.sealed.conftest import fresh_key

SECRET = b"the harvest moon rose late\n" * 4000


def test_keys_are_read_in_base64_and_hex_from_the_variable_or_a_file(tmp_path):
    raw = os.urandom(32)
    texts = [base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode().rstrip("="), raw.hex()]
    assert {keyring({"WENDA_ENCRYPTION_KEY": text}).first.id for text in texts} == {keyring(
        {"WENDA_ENCRYPTION_KEY": texts[0]}).first.id}
    (tmp_path / "keys").write_text(f"{texts[0]}\n{fresh_key()}\n")
    found = keyring({"WENDA_ENCRYPTION_KEY_FILE": str(tmp_path / "keys")})
    assert len(found.keys) == 2 and found.first.secret == raw
    assert keyring({}).first is None and str(raw) not in repr(found)


@pytest.mark.parametrize(("values", "advice"), [
    ({"WENDA_ENCRYPTION_KEY": "correct horse battery staple"}, "openssl rand -base64 32"),
    ({"WENDA_ENCRYPTION_KEY": "0" * 64}, "openssl rand -base64 32"),
    ({"WENDA_ENCRYPTION_KEY": base64.b64encode(b"short").decode()}, "openssl rand -base64 32"),
    ({"WENDA_ENCRYPTION_KEY_FILE": "/nowhere/keys"}, "cannot be read"),
    ({"WENDA_ENCRYPTION_KEY_FILE": os.devnull}, "file without a key"),
    ({"WENDA_ENCRYPTION_KEY": "x", "WENDA_ENCRYPTION_KEY_FILE": "y"}, "both set"),
])
def test_what_is_no_key_is_refused_and_never_told(values, advice):
    with pytest.raises(BadKey, match=advice) as raised:
        keyring(values)
    if "both" not in advice:
        assert values.get("WENDA_ENCRYPTION_KEY", "none given") not in str(raised.value)


def test_plain_files_still_open_once_there_is_a_key_and_new_ones_are_encrypted(tmp_path, use_keys):
    old, new = tmp_path / "old", tmp_path / "new"
    files.write_bytes(old, SECRET, sync=True)
    assert old.read_bytes() == SECRET
    use_keys(fresh_key())
    files.write_bytes(new, SECRET, sync=True)
    assert b"harvest" not in new.read_bytes() and new.read_bytes().startswith(MAGIC)
    assert files.read_bytes(old) == files.read_bytes(new) == SECRET
    with files.create_text(new) as out:
        out.writelines(["eins\n", "zwei\r\n"])
    with files.open_text(new) as lines_of:
        assert list(lines_of) == ["eins\n", "zwei\r\n"]


def test_all_keys_read_the_first_one_writes_and_a_missing_one_is_named(tmp_path, use_keys):
    first, second = fresh_key(), fresh_key()
    path = tmp_path / "f"
    use_keys(first)
    files.write_bytes(path, SECRET)
    identifier, line = files.key_of(path), lines.seal_line("Zeile")
    use_keys(second, first)
    assert files.read_bytes(path) == SECRET and lines.open_line(line) == "Zeile"
    use_keys(second)
    for reading in (lambda: files.read_bytes(path), lambda: lines.open_line(line)):
        with pytest.raises(KeyMissing, match=identifier) as raised:
            reading()
        assert raised.value.key_id == identifier


def test_a_line_that_was_altered_or_cut_off_is_refused(use_keys):
    use_keys(fresh_key())
    line = lines.seal_line("Zeile")
    assert "Zeile" not in line and "\n" not in line
    for wrong in (line[:-8], line[:-4] + "AAA=", line[:30]):
        with pytest.raises(Damaged):
            lines.open_line(wrong)


ECHO = ("import os, sys; sys.stdout.buffer.write(sys.stdin.buffer.read());"
        "print(os.environ.get('WENDA_ENCRYPTION_KEY'))")


def test_a_child_gets_the_plain_content_and_no_key(tmp_path, use_keys):
    use_keys(fresh_key())
    files.write_bytes(tmp_path / "f", SECRET)
    done = run_fed([sys.executable, "-c", ECHO], tmp_path / "f", cwd=tmp_path, timeout=60, before=b"first ")
    assert done.stdout == b"first " + SECRET + b"None\n"


def test_a_child_that_reads_nothing_ends_as_it_does_and_a_slow_one_is_killed(tmp_path):
    files.write_bytes(tmp_path / "f", SECRET * 10)
    done = run_fed([sys.executable, "-c", "raise SystemExit(3)"], tmp_path / "f", cwd=tmp_path, timeout=60)
    assert done.returncode == 3
    with pytest.raises(subprocess.TimeoutExpired):
        run_fed([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path / "f", cwd=tmp_path, timeout=0.2)


def test_a_damaged_file_is_told_and_not_given_to_the_child_as_whole(tmp_path, use_keys):
    use_keys(fresh_key())
    path = tmp_path / "f"
    files.write_bytes(path, SECRET)
    data = bytearray(path.read_bytes())
    data[1000] ^= 1
    path.write_bytes(data)
    with pytest.raises(Damaged, match="part 1 of 2"):
        run_fed([sys.executable, "-c", ECHO], path, cwd=tmp_path, timeout=60)


@pytest.mark.parametrize("most_in_memory", [0, 1_000_000])
def test_what_passes_through_can_be_read_and_is_never_on_disk_in_plain(tmp_path, monkeypatch, most_in_memory):
    made = []
    real = __import__("tempfile").TemporaryFile
    monkeypatch.setattr("models_service.sealed.passing.tempfile.TemporaryFile",
                        lambda **more: made.append(real(**more)) or made[-1])
    passing = PassingFile(most_in_memory, tmp_path)
    for start in range(0, len(SECRET), 10_000):
        passing.write(SECRET[start : start + 10_000])
    with passing.reading() as content:
        for file in made:
            on_disk = os.pread(file.fileno(), 10_000_000, 0)
            assert on_disk.startswith(MAGIC) and b"harvest" not in on_disk
        assert content.read(9) == SECRET[:9] and content.seek(0) == 0 and content.read() == SECRET
    assert len(made) == (most_in_memory == 0) and not list(tmp_path.iterdir())
