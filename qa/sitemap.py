"""The addresses that a sitemap lists: XML as sitemaps.org describes it, an index of sitemaps, or a line an address.

It comes from elsewhere and may be hostile, so it is read in a process of its own, `python -m qa.sitemap MOST`, with
the file as its standard input, within limits of time and memory; entities and the network are off.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import subprocess
import sys
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

from lxml import etree

from models_service.sealed.feeding import run_fed
from qa.reading import limit_itself

CPU_SECONDS = 20
WALL_SECONDS = 40
MOST_BYTES = 52_428_800
"""Unpacked; what sitemaps.org allows."""
LONGEST_ADDRESS = 2_048
_DAMAGED = 3
"""The child's exit status when the file is no sitemap."""
_GZIP = b"\x1f\x8b"
_ROOT = re.compile(  # atomic, so that a hostile beginning takes no longer than another
    rb"\s*+(?:(?><\?.*?\?>)\s*+|(?><!--.*?-->)\s*+)*+<(?:[\w.-]+:)?(?:urlset|sitemapindex)[\s>]", re.DOTALL)
_START_BYTES = 8_192


class NotSitemap(ValueError):
    """The file is no sitemap, is damaged, or takes more than a sitemap may."""


@dataclass(frozen=True)
class Sitemap:
    """`pages` and `sitemaps` as they stand in the file, each once; `more`: it lists more than were asked for."""

    pages: list[str]
    sitemaps: list[str]
    more: bool = False


def looks_like_sitemap(start: bytes) -> bool:
    """Whether a file that begins so, packed or not, is a sitemap in XML."""
    if start.startswith(_GZIP):
        try:
            start = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(start, _START_BYTES)
        except zlib.error:
            return False
    return _ROOT.match(start.removeprefix(b"\xef\xbb\xbf")[:_START_BYTES]) is not None


def read(file: Path, most: int) -> Sitemap:
    """At most so many addresses of the sitemap. Raises NotSitemap."""
    command = [sys.executable, "-m", "qa.sitemap", str(most)]
    try:
        done = run_fed(command, file, cwd=Path(__file__).parents[1], timeout=WALL_SECONDS)
    except subprocess.TimeoutExpired:
        raise NotSitemap("it takes too long to read") from None
    if done.returncode == _DAMAGED or done.returncode < 0 or b"MemoryError" in done.stderr:
        raise NotSitemap("it is no sitemap, or damaged")
    if done.returncode:
        raise RuntimeError(f"reading a sitemap failed: {done.stderr.decode(errors='replace')[-2000:]}")
    return Sitemap(**json.loads(done.stdout))


def parse(data: bytes, most: int) -> Sitemap:
    """What `read` does, in this process. Raises NotSitemap."""
    data = _unpacked(data)
    if not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return _of_lines(data, most)
    found: dict[str, dict[str, None]] = {"url": {}, "sitemap": {}}
    is_known, more = False, False
    try:
        steps = etree.iterparse(io.BytesIO(data), events=("start", "end"), resolve_entities=False, no_network=True,
                                load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True)
        for event, element in steps:
            name = _local(element)
            is_known = is_known or name in ("urlset", "sitemapindex")
            if not is_known:
                raise NotSitemap(f"its root is {name}")
            if event == "end" and name in found:
                address = next((child.text or "" for child in element if _local(child) == "loc"), "").strip()
                element.clear()
                if not 0 < len(address) <= LONGEST_ADDRESS or address in found[name]:
                    continue
                if sum(map(len, found.values())) == most:
                    more = True
                    break
                found[name][address] = None
    except etree.XMLSyntaxError as error:
        raise NotSitemap("its XML is damaged") from error
    return Sitemap(list(found["url"]), list(found["sitemap"]), more)


def _unpacked(data: bytes) -> bytes:
    if data.startswith(_GZIP):
        try:
            with gzip.open(io.BytesIO(data)) as packed:
                data = packed.read(MOST_BYTES + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise NotSitemap("its gzip is damaged") from error
    if len(data) > MOST_BYTES:
        raise NotSitemap("it is too large")
    return data


def _of_lines(data: bytes, most: int) -> Sitemap:
    """A text file is one if each of its lines is an address."""
    try:
        lines = [line.strip() for line in data.decode("utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise NotSitemap("it is no UTF-8 text") from error
    if not all(line.lower().startswith(("http://", "https://")) for line in lines):
        raise NotSitemap("it holds other lines than addresses")
    addresses = list(dict.fromkeys(line for line in lines if len(line) <= LONGEST_ADDRESS))
    return Sitemap(addresses[:most], [], len(addresses) > most)


def _local(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2].lower()


def main(most: int) -> int:
    limit_itself(CPU_SECONDS)
    try:
        found = parse(sys.stdin.buffer.read(), most)
    except NotSitemap:
        return _DAMAGED
    print(json.dumps(asdict(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
