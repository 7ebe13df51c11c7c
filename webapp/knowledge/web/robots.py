"""What a site lets programs fetch: its robots.txt, as RFC 9309 has it read.

A page that a person names is fetched as their browser would; what a sitemap lists is asked for here first.
"""

from __future__ import annotations

import re
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from models_service.sealed import files
from qa.encodings import NotText, decode
from webapp.knowledge.web import addresses
from webapp.knowledge.web.addresses import WebAddress
from webapp.knowledge.web.fetch import AGENT, Fetcher
from webapp.knowledge.web.problems import MAY_PASS, FetchProblem

MOST_BYTES = 512_000
"""What is read of a robots.txt; the RFC asks for 500 KiB."""
KEPT_SECONDS = 3600
MOST_KEPT = 500
LONGEST_DELAY = 10.0
"""Of what a site may ask for as a pause between two pages, in seconds."""
MOST_RULES = 2_000
_LINE = re.compile(r"\s*([a-z-]+)\s*:\s*([^#]*)", re.IGNORECASE)


@dataclass
class Robots:
    """The rules for this site's program, and the pause in seconds that is asked for.

    A rule is its length, what it fits, and whether that is allowed.
    """

    rules: list[tuple[int, re.Pattern[str], bool]] = field(default_factory=list)
    delay: float = 0.0

    def allows(self, target: str) -> bool:
        """By the longest pattern that fits; allowing wins among two of one length."""
        path = unquote(target)
        return max(((length, allowed) for length, rule, allowed in self.rules if rule.match(path)),
                   default=(0, True))[1]


def parse(text: str) -> Robots:
    """The rules of the groups that name this program, or else of those for all."""
    groups: dict[str, Robots] = {}
    naming: list[str] = []
    is_naming = False
    for line in text.splitlines():
        met = _LINE.match(line)
        if met is None:
            continue
        key, value = met[1].lower(), met[2].strip()
        if key == "user-agent":
            name = value.lower().partition("/")[0].strip()
            naming = [*naming, name] if is_naming else [name]
            is_naming = True
            continue
        is_naming = False
        for robots in (groups.setdefault(name, Robots()) for name in naming):
            if key in ("allow", "disallow") and value and len(robots.rules) < MOST_RULES:
                robots.rules.append((len(value), _pattern(value), key == "allow"))
            elif key == "crawl-delay" and re.fullmatch(r"\d{1,6}(\.\d{1,3})?", value):
                robots.delay = min(float(value), LONGEST_DELAY)
    return groups.get(AGENT.lower()) or groups.get("*") or Robots()


class KnownRobots:
    """Remembers each host's rules for an hour."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, Robots]] = {}

    def of(self, address: WebAddress, fetcher: Fetcher) -> Robots:
        """Raises FetchProblem "no_robots" while they cannot be read: then nothing may be fetched."""
        until, robots = self._kept.get(address.origin, (0.0, Robots()))
        if until < time.monotonic():
            robots = _read(addresses.joined(address, "/robots.txt"), fetcher)
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[address.origin] = (time.monotonic() + KEPT_SECONDS, robots)
        return robots

    def pause_of(self, address: WebAddress) -> float:
        """What the site asks for, in seconds, as far as that is known already."""
        return self._kept.get(address.origin, (0.0, Robots()))[1].delay

    def check(self, address: WebAddress, fetcher: Fetcher) -> None:
        """Raises FetchProblem where the site asks not to be fetched."""
        if not self.of(address, fetcher).allows(address.target):
            raise FetchProblem("robots")


def _read(address: WebAddress, fetcher: Fetcher) -> Robots:
    with tempfile.TemporaryDirectory(prefix="wenda-robots-") as folder:
        file = Path(folder) / "robots.txt"
        try:
            fetcher.fetch(address, file)
            text = decode(files.read_bytes(file)[:MOST_BYTES])
        except FetchProblem as problem:
            is_error = problem.code == "status" and problem.values["status"] >= 500
            if problem.code in MAY_PASS or is_error:
                raise FetchProblem("no_robots") from None
            return Robots()  # there is none, or none that is for programs: all is allowed
        except NotText:
            return Robots()
    return parse(text)


def _pattern(rule: str) -> re.Pattern[str]:
    """A star stands for anything, a dollar at the end for the end; otherwise the beginning counts."""
    is_whole = rule.endswith("$")
    parts = [re.escape(unquote(part)) for part in rule.removesuffix("$").split("*")]
    last = f".*{parts.pop()}\\Z" if is_whole and len(parts) > 1 else "\\Z" if is_whole else ""
    # Atomic groups, so that many stars cannot make it slow: each takes the first place that fits.
    return re.compile(parts[0] + "".join(f"(?>.*?{part})" for part in parts[1:]) + last, re.DOTALL)
