"""One event loop's links to the replicas of the model service, and which of them the next request goes to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from models_service.errors import ModelsUnavailable
from models_service.link import Link

LOOK_AGAIN_SECONDS = 0.5
"""How often the list of addresses is read while no replica is connected."""


class Pool:
    """One event loop's links, one an address."""

    def __init__(self) -> None:
        self._links: dict[str, Link] = {}
        self._open = asyncio.Event()

    async def connected(self, urls: Callable[[], Sequence[str]], patience: float) -> Link:
        """The least loaded link that is connected, waiting for one if need be."""
        clock = asyncio.get_running_loop().time
        give_up = clock() + patience
        while True:
            addresses = urls()
            self._follow(addresses)
            usable = [link for link in self._links.values() if link.connected and link.url in addresses]
            if usable:
                return min(usable, key=lambda link: link.load)
            left = give_up - clock()
            if left <= 0:
                where = " or ".join(addresses) or "any address: none is configured, and none was started here"
                raise ModelsUnavailable(f"No model service answers at {where}. It may be starting; try again.")
            try:
                await asyncio.wait_for(self._open.wait(), min(left, LOOK_AGAIN_SECONDS))
            except TimeoutError:
                continue

    def _follow(self, addresses: Sequence[str]) -> None:
        """Open a link to each new address. One that is listed no longer is kept while it has work to finish."""
        for url in addresses:
            if url not in self._links:
                self._links[url] = Link(url, self._changed)
        for url in [url for url, link in self._links.items() if url not in addresses and not link.load]:
            self._links.pop(url).stop()

    def _changed(self) -> None:
        if any(link.connected for link in self._links.values()):
            self._open.set()
        else:
            self._open.clear()

    async def close(self) -> None:
        links, self._links = self._links, {}
        await asyncio.gather(*(link.close() for link in links.values()))
