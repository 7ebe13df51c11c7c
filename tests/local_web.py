"""A small web on this machine: a real HTTP server whose pages a test writes, and what was asked of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Page:
    body: bytes = b""
    kind: str = "text/html; charset=utf-8"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class LocalWeb:
    """`pages` by their target, with the query; a function writes its answer itself."""

    port: int = 0
    pages: dict[str, Page | Answer] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def address(self, target: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{target}"

    def put(self, target: str, body: str | bytes, kind: str = "text/html; charset=utf-8", status: int = 200,
            **headers: str) -> str:
        """`headers` with underscores for hyphens; the page's address."""
        data = body.encode() if isinstance(body, str) else body
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        self.pages[target] = Page(data, kind, status, named)
        return self.address(target)

    def article(self, target: str, about: str, **headers: str) -> str:
        """A page that holds a sentence of its own."""
        words = f"This page tells of {about}. It stands on the small web of a test, at {target}."
        return self.put(target, f"<title>{about}</title><h1>{about}</h1><p>{words}</p>", **headers)

    def redirect(self, target: str, to: str, status: int = 302) -> str:
        return self.put(target, "", status=status, Location=to)

    def sitemap(self, target: str, targets: list[str], root: str = "urlset", entry: str = "url") -> str:
        listed = [one if "://" in one else self.address(one) for one in targets]
        places = "".join(f"<{entry}><loc>{one}</loc></{entry}>" for one in listed)
        return self.put(target, f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="http://www.sitemaps.org/'
                                f'schemas/sitemap/0.9">{places}</{root}>', "application/xml")

    def targets(self) -> list[str]:
        return [target for target, _headers in self.asked]


@contextmanager
def running_web() -> Iterator[LocalWeb]:
    web = LocalWeb()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            web.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            page = web.pages.get(self.path)
            if callable(page):
                self.close_connection = True
                page(self)
                return
            if page is None:
                page = Page(b"not here", "text/plain", 404)
            etag = page.headers.get("ETag")
            if etag and self.headers.get("If-None-Match") == etag:
                self.send_response(304)
                self.end_headers()
                return
            self.send_response(page.status)
            self.send_header("Content-Type", page.kind)
            self.send_header("Content-Length", str(len(page.body)))
            for name, value in page.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(page.body)

        def log_message(self, *_: object) -> None:
            """Silent."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that goes away in the middle is what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    web.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()
