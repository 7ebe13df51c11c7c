"""The whole site as `manage.py up` runs it: real processes on a free port, with a data folder of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect as open_websocket

PROJECT = Path(__file__).resolve().parents[1]
OWN_SETTINGS = ("WENDA_", "REDIS_URL", "DATABASE_URL", "MODELS_SERVICE_URLS")
START_SECONDS = 150
PASSWORD = "correct horse battery"


def until(condition: Callable[[], Any], seconds: float = 60, what: str = "it") -> Any:
    """Wait for what another process does; its value. Fails when it never comes."""
    end = time.monotonic() + seconds
    pause = 0.05
    while not (value := condition()):
        assert time.monotonic() < end, f"{what} did not happen within {seconds:g} s"
        time.sleep(pause)
        pause = min(pause * 1.5, 0.5)  # so that a long wait stays below the requests that a person may make
    return value


@dataclass
class Site:
    data: Path
    port: int
    process: subprocess.Popen[str] | None = None
    lines: list[str] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        own = {"WENDA_DATA_DIR": str(self.data), "OMP_NUM_THREADS": "2", "HF_HUB_OFFLINE": "1",
               # A new site measures first what is fastest here, which is of no interest to a test.
               "WENDA_MODEL_FORMS": "all-MiniLM-L6-v2=float32,wenda-reader=float32"}
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OWN_SETTINGS)}
        return {**kept, **own, **self.settings}

    def start(self) -> None:
        command = [sys.executable, "manage.py", "up", "--port", str(self.port)]
        self.process = subprocess.Popen(
            command, cwd=PROJECT, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._keep_lines, args=(self.process,), daemon=True).start()
        until(self._has_started, START_SECONDS, "the start of the site")

    def _keep_lines(self, process: subprocess.Popen[str]) -> None:
        self.lines += iter(process.stdout.readline, "")

    def _has_started(self) -> bool:
        assert self.process.poll() is None, "the site did not start:\n" + "".join(self.lines)
        return any("Wenda is at" in line for line in self.lines)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(40)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()

    def pid(self, part: str) -> int:
        """Of "redis", "models", "worker" or "web"; 0 while there is none."""
        with suppress(OSError, ValueError):
            return int((self.data / "run" / f"{part}.pid").read_text())
        return 0

    def kill(self, part: str) -> int:
        """`kill -9` of one part; its process id."""
        pid = self.pid(part)
        os.kill(pid, signal.SIGKILL)
        return pid

    @contextmanager
    def away(self, part: str) -> Iterator[None]:
        """Kill one part and keep the supervisor from starting it again while the block lasts."""
        os.kill(self.process.pid, signal.SIGSTOP)
        try:
            killed = self.kill(part)
            yield
        finally:
            os.kill(self.process.pid, signal.SIGCONT)
        self._wait_for_process(part, killed)

    @contextmanager
    def frozen(self, part: str) -> Iterator[None]:
        """This part does nothing while the block lasts, unless it is killed meanwhile."""
        pid = self.pid(part)
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def wait_for_new(self, part: str, killed: int) -> None:
        """Until the supervisor has started this part again and the whole site is ready."""
        self._wait_for_process(part, killed)
        until(self.is_ready, what="the site's being ready")

    def _wait_for_process(self, part: str, killed: int) -> None:
        until(lambda: self.pid(part) not in (0, killed), what=f"a new {part} process")

    def is_ready(self) -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self.address}/readyz", timeout=5).status_code == 200
        return False

    def command(self, *arguments: str, timeout: float = 120) -> Any:
        """What `manage.py ... --json` prints."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments, "--json"], cwd=PROJECT, env=self.environment,
            capture_output=True, text=True, timeout=timeout,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def setup_address(self) -> str:
        """The one-time link that makes the first administrator, as it is printed."""
        return next(line.split()[-1] for line in self.lines if "/setup/" in line)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One site for the whole run; a test that kills a part of it waits until all is ready again."""
    from webapp.ops.preflight import free_port

    running = Site(Path(tmp_path_factory.mktemp("site")), free_port())
    try:
        running.start()
        yield running
    finally:
        running.stop()


@dataclass
class Person:
    """Someone with an account on the running site, signed in with a browser's cookies."""

    site: Site
    name: str
    http: httpx.Client

    def post(self, path: str, **options: Any) -> httpx.Response:
        headers = {"X-CSRFToken": self.http.cookies.get("csrftoken", ""), "Referer": self.site.address}
        return self.http.post(path, headers=headers, **options)

    def get(self, path: str) -> Any:
        response = self.http.get(path)
        assert response.status_code == 200, response.text
        return response.json()

    def add_collection(self, **texts: str) -> str:
        """A collection with these documents, read in by the site's worker; its id."""
        made = self.post("/api/v1/collections/", json={"name": f"Collection {uuid.uuid4().hex[:8]}"})
        assert made.status_code == 201, made.text
        identifier = made.json()["id"]
        for title, text in texts.items():
            self.add_file(identifier, f"{title}.txt", text.encode())
        return identifier

    def add_file(self, collection: str, name: str, content: bytes) -> str:
        """A document, read in by the site's worker; its id."""
        added = self.post("/api/v1/documents/", data={"collection": collection}, files={"file": (name, content)})
        assert added.status_code == 202, added.text
        document = added.json()["id"]
        until(lambda: self._is_read(document), 120, "the reading of a document")
        return document

    def _is_read(self, document: str) -> bool:
        shown = self.get(f"/api/v1/documents/{document}/")
        assert shown["status"] != "failed", shown["error"]
        return shown["status"] == "ready"

    def open_chat(self) -> open_websocket:
        """The chat page's socket, for `async with`."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())
        headers = {"Cookie": cookies, "Origin": self.site.address}
        address = self.site.address.replace("http", "ws", 1) + "/ws/chat/"
        return open_websocket(address, additional_headers=headers, proxy=None)


@pytest.fixture(scope="session")
def person(site: Site) -> Iterator[Person]:
    """An ordinary user who signed up on the site's page."""
    with httpx.Client(base_url=site.address, follow_redirects=True, timeout=30, trust_env=False) as http:
        yield sign_up(site, http)


def sign_up(site: Site, http: httpx.Client) -> Person:
    """Someone new, on the site's page."""
    name = f"person-{uuid.uuid4().hex[:8]}"
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', http.get("/sign-up/").text)[1]
    form = {"username": name, "password": PASSWORD, "password_again": PASSWORD, "csrfmiddlewaretoken": token}
    signed_up = http.post("/sign-up/", data=form, headers={"Referer": site.address})
    assert signed_up.status_code == 200, signed_up.text
    assert name in http.get("/account/").text
    return Person(site, name, http)
