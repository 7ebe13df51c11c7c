"""A Hugging Face hub on this machine, as far as pulling a model asks for it, over real HTTP.

It can stop in the middle of a file until it is told to go on, and can send a byte that is wrong.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMMIT = "c0ffee" + "0" * 34


class LocalHub:
    """`repositories` maps an id to a folder. `asked` keeps (method, path, Range header) of every request."""

    def __init__(self, repositories: dict[str, Path]) -> None:
        self.repositories = repositories
        self.asked: list[tuple[str, str, str | None]] = []
        self.stop_in: str | None = None
        self.stopped, self.go_on = threading.Event(), threading.Event()
        self.damage: str | None = None
        self.url = ""

    def info(self, identifier: str) -> dict:
        folder = self.repositories[identifier]
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        return {"id": identifier, "modelId": identifier, "sha": COMMIT, "tags": [],
                "siblings": [_sibling(folder, file) for file in files]}


def _sibling(folder: Path, file: Path) -> dict:
    data = file.read_bytes()
    told = {"rfilename": str(file.relative_to(folder)), "size": len(data),
            "blobId": hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()}
    if file.suffix in (".safetensors", ".bin"):
        told["lfs"] = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "pointerSize": 130}
    return told


@contextmanager
def running_hub(repositories: dict[str, Path]) -> Iterator[LocalHub]:
    hub = LocalHub(repositories)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def log_message(self, *_: object) -> None:
            """Nothing on the test's output."""

        def _answer(self, *, with_body: bool) -> None:
            path = unquote(urlsplit(self.path).path)
            hub.asked.append((self.command, path, self.headers.get("Range")))
            if path.startswith("/api/models/"):
                return self._info(path.removeprefix("/api/models/").split("/revision/")[0])
            identifier, resolve, rest = path.lstrip("/").partition("/resolve/")
            revision, _, name = rest.partition("/")
            file = hub.repositories.get(identifier, Path("/nowhere")) / name
            if not resolve or revision != COMMIT or not file.is_file():
                return self._refuse("EntryNotFound")
            self._file(file, name, with_body)

        def _info(self, identifier: str) -> None:
            if identifier not in hub.repositories:
                return self._refuse("RepoNotFound")
            body = json.dumps(hub.info(identifier)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _refuse(self, code: str) -> None:
            self.send_response(404)
            self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _file(self, file: Path, name: str, with_body: bool) -> None:
            data = bytearray(file.read_bytes())
            if name == hub.damage:
                data[-1] ^= 1
            begin = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").split("-")[0])
            self.send_response(206 if begin else 200)
            if begin:
                self.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
            self.send_header("Content-Length", str(len(data) - begin))
            self.send_header("ETag", f'"{hashlib.sha1(file.read_bytes()).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
            if not with_body:
                return
            if name == hub.stop_in:
                half = begin + (len(data) - begin) // 2
                self.wfile.write(data[begin:half])
                self.wfile.flush()
                hub.stopped.set()
                hub.go_on.wait(60)
                begin = half
            self.wfile.write(data[begin:])

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign] - a client that was killed
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.go_on.set()
        server.shutdown()
        server.server_close()
