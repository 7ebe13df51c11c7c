"""The table of settings: each value is read as its type, or refused with a sentence that says what to write."""

from __future__ import annotations

import stat

import pytest

from qa.documents import MAX_DOCUMENT_BYTES
from webapp.settings import table
from webapp.settings.database import database
from webapp.settings.places import redis_socket
from webapp.settings.queues import broker_url
from webapp.settings.security import kept_secret_key
from webapp.settings.table import SettingError


def test_every_default_can_be_read():
    assert table.check_all({}) == []


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("WENDA_PORT", "http", "write a whole number"),
        ("WENDA_PORT", "70000", "from 1 to 65535"),
        ("WENDA_HTTPS", "maybe", "on or off"),
        ("WENDA_GUESTS", "some", "one of: auto, on, off"),
    ],
)
def test_a_wrong_value_is_refused_with_what_to_write(name, value, advice):
    with pytest.raises(SettingError, match=advice):
        table.read(name, {name: value})


def test_no_site_takes_a_file_that_is_too_large_to_be_read():
    assert table.BY_NAME["WENDA_UPLOAD_MB"].most * 1_000_000 == MAX_DOCUMENT_BYTES


def test_all_wrong_settings_are_named_at_once_and_a_misspelt_one_too():
    problems = table.check_all({"WENDA_PORT": "x", "WENDA_UPLOAD_MB": "0", "WENDA_PROT": "8000"})
    assert [problem.split()[0] for problem in problems] == ["WENDA_PORT", "WENDA_UPLOAD_MB", "WENDA_PROT"]


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"MODEL": "m"}, ["WENDA_GENERATOR_URL"]),
        ({"URL": "http://127.0.0.1:8001/v1"}, ["WENDA_GENERATOR_MODEL"]),
        ({"URL": "127.0.0.1:8001", "MODEL": "m"}, ["WENDA_GENERATOR_URL"]),
        ({"URL": "http://host:port/v1", "MODEL": "m"}, ["WENDA_GENERATOR_URL"]),
        ({"URL": "https://user:secret@host/v1", "MODEL": "m"}, ["WENDA_GENERATOR_URL"]),
        ({"URL": "http://10.0.0.7:8001/v1", "MODEL": "m", "KEY": "my secret key"}, ["WENDA_GENERATOR_KEY"]),
        ({"URL": "http://10.0.0.7:8001/v1", "MODEL": "m", "KEY": "sk-1"}, []),
    ],
)
def test_a_generator_needs_an_address_and_a_model_and_no_sentence_tells_its_key(values, named):
    problems = table.check_all({f"WENDA_GENERATOR_{name}": value for name, value in values.items()})
    assert [problem.split()[0] for problem in problems] == named
    assert "secret" not in " ".join(problems)


def test_links_are_mailed_only_where_the_site_knows_its_own_name():
    mail, anywhere = {"WENDA_EMAIL_URL": "smtp://mail:25"}, {"WENDA_HOST": "0.0.0.0"}
    for names in ({}, {"WENDA_ALLOWED_HOSTS": "*"}):
        [problem] = table.check_all({**mail, **anywhere, **names})
        assert problem.startswith("WENDA_ALLOWED_HOSTS")
    for usable in ({**mail, **anywhere, "WENDA_ALLOWED_HOSTS": "wenda.example.org"}, mail, anywhere):
        assert table.check_all(usable) == []


def test_there_is_a_generator_where_its_address_is_set():
    assert table.has_generator({"WENDA_GENERATOR_URL": "http://h/v1"}) and not table.has_generator({})


def test_a_generator_here_is_named_or_lies_in_a_folder_and_is_the_only_one(tmp_path, monkeypatch):
    assert table.has_generator({"WENDA_GENERATOR": "my-writer"})
    for usable in ("my-writer", str(tmp_path)):
        assert table.check_all({"WENDA_GENERATOR": usable}) == []
    monkeypatch.setenv("HOME", str(tmp_path))
    for wrong in (str(tmp_path / "gone"), "~/"):  # the model service takes a path as it stands
        [problem] = table.check_all({"WENDA_GENERATOR": wrong})
        assert "no folder" in problem
    both = {"WENDA_GENERATOR": "a", "WENDA_GENERATOR_URL": "http://h/v1", "WENDA_GENERATOR_MODEL": "m"}
    assert "empty one of them" in table.check_all(both)[0]


def test_guests_are_let_in_by_themselves_only_where_nobody_else_can_reach_the_server():
    assert table.open_to_all("WENDA_GUESTS", {})
    assert not table.open_to_all("WENDA_GUESTS", {"WENDA_HOST": "0.0.0.0"})
    assert table.open_to_all("WENDA_GUESTS", {"WENDA_HOST": "0.0.0.0", "WENDA_GUESTS": "on"})


def test_the_secret_key_is_made_once_and_only_its_owner_may_read_it(tmp_path):
    file = tmp_path / "secret-key"
    first = kept_secret_key(file)
    assert len(first) >= 50 and kept_secret_key(file) == first
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_database_url_is_read_and_a_wrong_one_refused(tmp_path):
    postgres = database("postgresql://wenda:p%40ss@db.example.org:5433/site", tmp_path)
    assert (postgres["HOST"], postgres["PORT"], postgres["NAME"], postgres["PASSWORD"]) == (
        "db.example.org", "5433", "site", "p@ss")
    assert database("", tmp_path)["NAME"] == tmp_path / "wenda.sqlite3"
    with pytest.raises(SettingError, match="postgresql://"):
        database("mysql://here/there", tmp_path)


def test_a_deep_data_folder_still_gets_a_socket_that_the_kernel_accepts(tmp_path):
    assert redis_socket(tmp_path / "var") == tmp_path / "var" / "redis.sock" or len(str(tmp_path)) > 90
    deep = redis_socket(tmp_path / ("long" * 40))
    assert len(str(deep)) < 107 and deep != redis_socket(tmp_path / ("song" * 40))


def test_celery_gets_the_unix_socket_in_its_own_notation():
    assert broker_url("unix:///data/redis.sock") == "redis+socket:///data/redis.sock"
    assert broker_url("redis://cache:6379/0") == "redis://cache:6379/0"
