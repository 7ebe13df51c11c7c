"""One reply from the web into a file: redirects followed, each address on the way checked, within size and time.

Knows nothing of documents; what the reply is, `content.py` tells.
"""

from __future__ import annotations

import functools
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpcore
import httpx

from models_service.sealed import files
from webapp.knowledge.web import addresses
from webapp.knowledge.web.addresses import Rules, WebAddress
from webapp.knowledge.web.connecting import CONNECT_SECONDS, CheckedBackend
from webapp.knowledge.web.problems import Code, FetchProblem
from webapp.knowledge.web.unpacking import ACCEPTED, Unpacker

AGENT = "Wenda"
"""What robots.txt knows this site by."""
USER_AGENT = f"{AGENT}/1.0 (self-hosted question answering; fetches pages that its users name)"
READ_SECONDS = 15.0
WHOLE_SECONDS = 60.0
MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_REFUSALS: dict[int, Code] = {401: "forbidden", 403: "forbidden", 407: "forbidden", 404: "gone", 410: "gone",
                              429: "busy", 503: "busy"}
LONGEST_RETRY_AFTER = 60.0


@dataclass(frozen=True)
class Stamp:
    """What a server says a content is told by, to be asked with when it is fetched again."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True)
class Fetched:
    """`address` is where it was found in the end; `content_type` is the header as it came."""

    address: WebAddress
    file: Path
    size: int
    content_type: str
    disposition: str
    stamp: Stamp


class Fetcher:
    """Fetches one address after the other. As a context it closes its connections.

    Args:
        most_bytes: of one reply, as it comes and unpacked.
        check: called now and then; what it raises ends the fetching.
    """

    def __init__(
        self, rules: Rules, most_bytes: int, check: Callable[[], None] = lambda: None,
        backend: CheckedBackend | None = None, whole_seconds: float = WHOLE_SECONDS,
    ) -> None:
        self.rules = rules
        self._most, self._check, self._whole = most_bytes, check, whole_seconds
        self._backend = backend or CheckedBackend(rules)
        self._pool = httpcore.ConnectionPool(ssl_context=_ssl_context(), network_backend=self._backend, http2=False,
                                             max_connections=4)

    def __enter__(self) -> Fetcher:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.close()

    def fetch(
        self, address: WebAddress, into: Path, known: Stamp | None = None,
        visit: Callable[[WebAddress], None] = lambda _address: None,
    ) -> Fetched | None:
        """The reply, its body in the file `into`; None when it is what `known` tells.

        Args:
            visit: called with each address before it is asked; what it raises ends the fetching.

        Raises:
            FetchProblem: it cannot be had, or must not.
        """
        self._backend.deadline = time.monotonic() + self._whole
        seen: set[str] = set()
        while True:
            addresses.check(address, self.rules)
            if str(address) in seen or len(seen) > MOST_REDIRECTS:
                raise FetchProblem("redirects")
            seen.add(str(address))
            visit(address)
            reply = self._ask(address, into, known or Stamp())
            if not isinstance(reply, WebAddress):
                return reply
            address = reply

    def _ask(self, address: WebAddress, into: Path, known: Stamp) -> Fetched | WebAddress | None:
        """The reply of one address; another address where it sends one on."""
        url = httpcore.URL(scheme=address.scheme, host=address.host, port=address.port, target=address.target)
        waits = {"connect": CONNECT_SECONDS, "read": READ_SECONDS, "write": READ_SECONDS, "pool": CONNECT_SECONDS}
        try:
            asked = self._pool.stream("GET", url, headers=_headers(address, known), extensions={"timeout": waits})
            with asked as reply:
                headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in reply.headers}
                if reply.status in _REDIRECTS and "location" in headers:
                    # A header is ASCII by the book; many servers send UTF-8.
                    where = headers["location"].encode("latin-1").decode("utf-8", "replace")
                    return addresses.joined(address, where)
                if reply.status == 304 and known != Stamp():
                    return None
                if reply.status != 200:
                    raise _refusal(address, reply.status, headers)
                return Fetched(
                    address, into, self._save(reply, headers, into, address), headers.get("content-type", ""),
                    headers.get("content-disposition", ""),
                    Stamp(_sendable(headers.get("etag", ""), 255), _sendable(headers.get("last-modified", ""), 100)),
                )
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise self._problem(error, address) from error

    def _save(self, reply: httpcore.Response, headers: dict[str, str], into: Path, address: WebAddress) -> int:
        announced = headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > self._most:
            raise self._too_large()
        unpacker = Unpacker(headers.get("content-encoding", ""))
        came = size = 0
        with files.open_write(into) as out:
            for raw in reply.iter_stream():
                self._check()
                came += len(raw)
                for piece in unpacker.pieces(raw):
                    size += len(piece)
                    if max(came, size) > self._most:
                        raise self._too_large()
                    out.write(piece)
        if came and not unpacker.is_whole:
            raise FetchProblem("broken_off", host=address.host)
        if not size:
            raise FetchProblem("empty")
        return size

    def _too_large(self) -> FetchProblem:
        return FetchProblem("too_large", megabytes=self._most // 1_000_000)

    def _problem(self, error: Exception, address: WebAddress) -> FetchProblem:
        if isinstance(error, httpcore.TimeoutException):
            return FetchProblem("too_slow", host=address.host)
        if isinstance(error, httpcore.ConnectError):
            is_unsafe = "certificate verify failed" in str(error).lower()
            return FetchProblem("certificate" if is_unsafe else "no_connection", host=address.host)
        return FetchProblem("broken_off", host=address.host)


def _headers(address: WebAddress, known: Stamp) -> list[tuple[str, str]]:
    headers = [("Host", address.authority), ("User-Agent", USER_AGENT), ("Accept-Encoding", ACCEPTED),
               ("Accept", "text/html, application/xhtml+xml, application/pdf, text/plain, */*;q=0.8")]
    if known.etag:
        headers.append(("If-None-Match", known.etag))
    if known.last_modified:
        headers.append(("If-Modified-Since", known.last_modified))
    return headers


def _refusal(address: WebAddress, status: int, headers: dict[str, str]) -> FetchProblem:
    wait = headers.get("retry-after", "")
    seconds = min(float(wait), LONGEST_RETRY_AFTER) if wait.isascii() and wait.isdecimal() else 0
    return FetchProblem(_REFUSALS.get(status, "status"), retry_after=seconds, host=address.host, status=status)


def _sendable(value: str, most: int) -> str:
    """The value if it can be kept and sent back as it is, else ""."""
    return value if len(value) <= most and value.isascii() and value.isprintable() else ""


@functools.cache
def _ssl_context() -> ssl.SSLContext:
    return httpx.create_ssl_context()  # SSL_CERT_FILE names the authorities of an organization
