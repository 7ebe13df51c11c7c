"""The whole site of a benchmark's own, as `manage.py up` runs it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.running_site import Site, until
from webapp.ops.preflight import free_port


@contextmanager
def running_site(**settings: str) -> Iterator[Site]:
    """Started with these settings, ready, in a new data folder; stopped and gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="wenda-bench-") as folder:
        site = Site(Path(folder) / "var", free_port(), settings=settings)
        site.data.mkdir()
        try:
            site.start()
            until(site.is_ready, what="the site's being ready")
            yield site
        finally:
            site.stop()
