"""Connections to the open web only: a name is looked up once, and the connection made to an address that was checked.

Between a check and a second look-up a name could come to mean another machine (DNS rebinding); here there is none.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import Any

import httpcore

from webapp.knowledge.web.addresses import Rules, is_public
from webapp.knowledge.web.problems import FetchProblem

CONNECT_SECONDS = 8.0
Resolve = Callable[[str, int], list[str]]


def resolve(host: str, port: int) -> list[str]:
    """The IP addresses that a name stands for now. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class CheckedBackend(httpcore.NetworkBackend):
    """Where httpcore's connections come from. `deadline`, of time.monotonic, holds for everything on them."""

    def __init__(
        self, rules: Rules, resolve: Resolve = resolve, inner: httpcore.NetworkBackend | None = None
    ) -> None:
        self.deadline = float("inf")
        self._rules, self._resolve, self._inner = rules, resolve, inner or httpcore.SyncBackend()

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Raises FetchProblem where the name stands for nothing public; httpcore's errors where nothing answers."""
        problem: Exception = FetchProblem("unknown_host", host=host)
        for number in self._numbers(host, port):
            try:
                stream = self._inner.connect_tcp(number, port, self.left(timeout), local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
            else:
                return _UntilDeadline(stream, self)
        raise problem

    def _numbers(self, host: str, port: int) -> list[str]:
        try:
            found = self._resolve(host, port)
        except (OSError, UnicodeError):
            raise FetchProblem("unknown_host", host=host) from None
        if host in self._rules.private_hosts:
            return found
        public = [number for number in found if is_public(ip_address(number))]
        if found and not public:
            raise FetchProblem("private", host=host)
        return public

    def left(self, timeout: float | None) -> float:
        """Seconds that a step may still take. Raises ReadTimeout when none are left."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout
        return min(left, CONNECT_SECONDS if timeout is None else timeout)


class _UntilDeadline(httpcore.NetworkStream):
    """A stream whose reads end with the deadline, however slowly the other side drips."""

    def __init__(self, stream: httpcore.NetworkStream, backend: CheckedBackend) -> None:
        self._stream, self._backend = stream, backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._backend.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._backend.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, self._backend.left(timeout))
        return _UntilDeadline(secured, self._backend)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
