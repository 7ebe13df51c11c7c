"""What the running site writes to its log holds no password, key or one-time link, though it tells of requests."""

from __future__ import annotations

import re
import secrets

import httpx
import pytest

from tests.running_site import Person, Site, until

pytestmark = pytest.mark.e2e


def test_the_log_of_a_running_site_holds_no_secret(site: Site, person: Person) -> None:
    made = person.post("/api/v1/keys/", json={"name": "program"})
    key = made.json()["key"]
    link, password = secrets.token_urlsafe(24), secrets.token_urlsafe(12)
    with httpx.Client(base_url=site.address, trust_env=False, headers={"Authorization": f"Bearer {key}"}) as program:
        assert program.get("/api/v1/collections/").status_code == 200
        assert program.get(f"/api/v1/{key}/").status_code == 404  # as a program does that was set up wrongly
        assert program.get(f"/new-password/{link}/").status_code == 404
    with httpx.Client(base_url=site.address, trust_env=False) as stranger:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', stranger.get("/sign-in/").text)[1]
        form = {"username": person.name, "password": password, "csrfmiddlewaretoken": token}
        assert stranger.post("/sign-in/", data=form, headers={"Referer": site.address}).status_code == 200
    until(lambda: "/new-password/***" in written(site), what="the line about the link")
    for secret in (key, link, password):
        assert secret not in written(site)


def written(site: Site) -> str:
    """What the parts of the site have logged so far."""
    return "".join(file.read_text(errors="replace") for file in (site.data / "log").glob("*.log"))
