"""A real Celery worker, and kill -9 of it in the middle of a sitemap: the rest is fetched, nothing twice."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from typing import Any

import pytest

from tests.knowledge.conftest import until
from tests.knowledge.test_killed_worker import PROJECT, Site
from tests.local_web import running_web


@pytest.fixture
def site(tmp_path, redis_url, models_process) -> Site:
    return Site(tmp_path / "site", redis_url, models_process.url)


def _rows(site: Site, query: str) -> list[tuple]:
    with closing(sqlite3.connect(site.folder / "wenda.sqlite3", timeout=20)) as database:
        return database.execute(query).fetchall()


@pytest.mark.slow
def test_a_sitemap_whose_worker_is_killed_is_gone_on_with_by_the_next(site):
    was_asked, go_on = threading.Event(), threading.Event()

    def hanging(request: Any) -> None:
        was_asked.set()
        go_on.wait(60)
        request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nThe second page.")

    with running_web() as web:
        site.environment |= {"WENDA_FETCH_PORTS": str(web.port), "WENDA_FETCH_PRIVATE_HOSTS": "127.0.0.1",
                             "DJANGO_SETTINGS_MODULE": "webapp.settings"}
        web.article("/first", "The first page")
        web.article("/third", "The third page")
        web.pages["/second"] = hanging
        sitemap = web.sitemap("/sitemap.xml", ["/first", "/second", "/third"])
        code = ("import django; django.setup()\n"
                "from webapp.knowledge import services\n"
                "from webapp.knowledge.web import services as web\n"
                "collection = services.create_collection(None, 'Web', visibility='everyone')\n"
                f"web.ask_for(collection, {sitemap!r}, None)\n")
        subprocess.run([sys.executable, "-c", code], env=site.environment, cwd=PROJECT, check=True, timeout=120)
        with site.worker() as first:
            until(was_asked.is_set)
            first.send_signal(signal.SIGKILL)
            first.wait()
        assert [status for (status,) in _rows(site, "SELECT status FROM knowledge_webimport")] == ["running"]
        go_on.set()
        with site.worker():
            until(lambda: _rows(site, "SELECT status FROM knowledge_webimport") == [("done",)])
        asked = {target: web.targets().count(target) for target in web.pages}
        assert asked == {"/sitemap.xml": 1, "/first": 1, "/second": 2, "/third": 1}
        sources = _rows(site, "SELECT source FROM knowledge_document ORDER BY source")
        assert sources == [(web.address(target),) for target in ("/first", "/second", "/third")]
