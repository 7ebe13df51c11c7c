"""The files to start a deployment from: Django objects to nothing in them, and they fit together."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.test import Client

from webapp.backup import making
from webapp.settings.table import PROJECT, check_all

DEPLOY = PROJECT / "deploy"


def documented_environment() -> dict[str, str]:
    lines = (DEPLOY / "wenda.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_django_objects_to_nothing_in_the_documented_environment(tmp_path: Path) -> None:
    own = {name: value for name, value in os.environ.items() if not name.startswith("WENDA_")}
    environment = {**own, **documented_environment(), "WENDA_DATA_DIR": str(tmp_path)}
    assert check_all(environment) == []
    done = subprocess.run([sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"], cwd=PROJECT,
                          env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.django_db
def test_over_https_cookies_are_secure_and_headers_forbid_what_is_not_needed(settings, alice) -> None:
    settings.SECURE_SSL_REDIRECT = settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = 31536000, True
    browser = Client()
    assert browser.get("/sign-in/").url.startswith("https://")
    assert browser.get("/healthz").status_code == 200, "the supervisor asks past the proxy"
    page = browser.get("/sign-in/", secure=True)
    assert page["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert page["Referrer-Policy"] == "same-origin" and page["X-Frame-Options"] == "DENY"
    assert page["X-Content-Type-Options"] == "nosniff" and page["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in page["Permissions-Policy"]
    assert "unsafe" not in page["Content-Security-Policy"]
    browser.post("/sign-in/", {"username": "alice", "password": "correct horse battery"}, secure=True)
    assert all(cookie["secure"] for cookie in browser.cookies.values()) and "sessionid" in browser.cookies


@pytest.mark.django_db
def test_monitors_and_the_supervisor_are_let_in_by_any_name_and_nobody_else(settings) -> None:
    settings.ALLOWED_HOSTS = documented_environment()["WENDA_ALLOWED_HOSTS"].split(",")
    for name in ("127.0.0.1:8000", "web-2:8000", "wenda.example.org"):
        assert Client(HTTP_HOST=name).get("/healthz").status_code == 200
        assert Client(HTTP_HOST=name).get("/metrics").status_code == 200
        expected = 200 if name in settings.ALLOWED_HOSTS else 400
        assert Client(HTTP_HOST=name).get("/sign-in/").status_code == expected


def test_the_unit_starts_what_there_is_and_reads_the_environment_file() -> None:
    unit = ConfigParser(interpolation=None)
    unit.optionxform = str
    unit.read(DEPLOY / "wenda.service")
    service = unit["Service"]
    assert service["ExecStart"].endswith("manage.py up") and service["EnvironmentFile"] == "/etc/wenda.env"
    assert f"/var/lib/{service['StateDirectory']}" == documented_environment()["WENDA_DATA_DIR"]


def test_the_nightly_backup_calls_the_command_where_it_may_write() -> None:
    unit = ConfigParser(interpolation=None)
    unit.optionxform = str
    unit.read([DEPLOY / "wenda-backup.service", DEPLOY / "wenda-backup.timer"])
    service = unit["Service"]
    found = re.search(r"manage\.py (backup) (\S+)\$\(date \S+\)(\S+)'", service["ExecStart"])
    assert found and found[1] in get_commands() and found[3].endswith(making.ENDINGS)
    places = service["ReadWritePaths"].split()
    assert str(Path(found[2]).parent) in places and documented_environment()["WENDA_DATA_DIR"] in places
    assert unit["Timer"]["OnCalendar"] and service["EnvironmentFile"] == "/etc/wenda.env"


def test_nginx_passes_on_what_the_site_needs_to_the_port_that_it_listens_on() -> None:
    text = re.sub(r"#.*", "", (DEPLOY / "nginx.conf").read_text())
    assert text.count("{") == text.count("}")
    statements = [part.strip() for part in re.split(r"[{};]", text)]
    assert all(re.match(r"[a-z_0-9]+( |$)", each) or each.startswith("'' ") for each in statements if each)
    environment = documented_environment()
    assert f"proxy_pass http://{environment['WENDA_HOST']}:{environment['WENDA_PORT']}" in statements
    headers = {each.split()[1] for each in statements if each.startswith("proxy_set_header")}
    assert headers >= {"Host", "X-Forwarded-For", "X-Forwarded-Proto", "Upgrade", "Connection"}
    assert f"server_name {environment['WENDA_ALLOWED_HOSTS']}" in statements
