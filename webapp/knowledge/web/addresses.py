"""Web addresses: written one way, and which of them may be fetched at all.

Nothing in a private network is: whoever may add a document could else read what only the server can reach.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import quote, urljoin, urlsplit

import idna
from django.conf import settings

from webapp.knowledge.models import SOURCE_CHARACTERS
from webapp.knowledge.web.problems import FetchProblem

PORTS = {"http": 80, "https": 443}
_UNWANTED = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029]")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")
_KEPT = "%/:@!$&'()*+,;=~-._"
"""Characters of a path that stand for themselves; in a query the question mark does, too."""

_GLOBAL_UNICAST = ip_network("2000::/3")
_REFUSED_4 = tuple(map(ip_network, (
    "192.0.0.0/24",  # protocol assignments, some of which count as global
    "192.88.99.0/24",  # relays to 6to4
    "168.63.129.16/32",  # public by its number, but what a machine in Azure learns its secrets from
)))
_REFUSED_6 = tuple(map(ip_network, (
    "2001::/23",  # Teredo, which holds an IPv4 address, and other protocol assignments
    "2001:db8::/32", "3fff::/20",  # documentation
    "2002::/16",  # 6to4, which holds an IPv4 address
)))


@dataclass(frozen=True)
class Rules:
    """What an administrator allows: the ports of the open web, and hosts that may be in a private network."""

    ports: frozenset[int] = frozenset(PORTS.values())
    private_hosts: frozenset[str] = frozenset()
    is_on: bool = True


def site_rules() -> Rules:
    return Rules(frozenset(settings.FETCH_PORTS), frozenset(settings.FETCH_PRIVATE_HOSTS), settings.FETCH_ON)


@dataclass(frozen=True)
class WebAddress:
    """`host` is ASCII, an IPv6 one without its brackets; `target` is the path with the query, escaped."""

    scheme: str
    host: str
    port: int
    target: str

    def __str__(self) -> str:
        return f"{self.origin}{self.target}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.authority}"

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


def read(text: str) -> WebAddress:
    """The address that a person wrote or a page names; https:// is added where there is no scheme.

    Raises:
        FetchProblem: it is none, or one that holds a password.
    """
    text = text.strip()
    if "://" not in text:
        text = f"https://{text}"
    if _UNWANTED.search(text):
        raise FetchProblem("malformed")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise FetchProblem("malformed") from None
    scheme = parts.scheme.lower()
    if scheme not in PORTS:
        raise FetchProblem("scheme")
    if "@" in parts.netloc:
        raise FetchProblem("credentials")
    if port == 0:
        raise FetchProblem("malformed")
    query = f"?{quote(parts.query, safe=_KEPT + '?')}" if parts.query else ""
    target = quote(parts.path or "/", safe=_KEPT) + query
    address = WebAddress(scheme, _plain_host(host, is_bracketed="[" in parts.netloc), port or PORTS[scheme], target)
    if len(str(address)) > SOURCE_CHARACTERS:
        raise FetchProblem("too_long")
    return address


def joined(base: WebAddress, reference: str) -> WebAddress:
    """Where a reference that stands in the page at `base` leads. Raises FetchProblem."""
    try:
        return read(urljoin(str(base), reference.strip()))
    except ValueError:
        raise FetchProblem("malformed") from None


def check(address: WebAddress, rules: Rules) -> None:
    """Refuse what needs no look at the network: fetching is off, the port, or a private address written in numbers.

    Raises:
        FetchProblem: as above. What a name stands for is checked when it is connected to.
    """
    if not rules.is_on:
        raise FetchProblem("off")
    if address.port not in rules.ports:
        raise FetchProblem("port", port=address.port)
    if address.host in rules.private_hosts:
        return
    try:
        number = ip_address(address.host)
    except ValueError:
        return
    if not is_public(number):
        raise FetchProblem("private", host=address.host)


def is_public(number: IPv4Address | IPv6Address) -> bool:
    """Whether it is an address of the open internet, and hides no other one in it.

    Of IPv6 only global unicast is, so that IPv4-mapped, NAT64, link-local, multicast and unassigned ones are refused
    without being listed.
    """
    if not number.is_global or number.is_multicast or number.is_reserved:
        return False
    if isinstance(number, IPv4Address):
        return not any(number in network for network in _REFUSED_4)
    return number in _GLOBAL_UNICAST and not any(number in network for network in _REFUSED_6)


def _plain_host(host: str, *, is_bracketed: bool) -> str:
    if is_bracketed:
        try:
            return str(IPv6Address(host)) if "%" not in host else _malformed()  # no scope: "fe80::1%eth0"
        except ValueError:
            return _malformed()
    host = host.rstrip(".")
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode("ascii")
        except idna.IDNAError:
            return _malformed()
    host = host.lower()
    return host if _HOST.fullmatch(host) and len(host) <= 253 else _malformed()


def _malformed() -> str:
    raise FetchProblem("malformed")
