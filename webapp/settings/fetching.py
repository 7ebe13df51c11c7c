"""What may be fetched from the web when somebody adds a document by its address."""

from __future__ import annotations

from webapp.settings.table import read

FETCH_ON = read("WENDA_FETCH")
FETCH_PORTS = [int(port) for port in read("WENDA_FETCH_PORTS")]
FETCH_PRIVATE_HOSTS = [host.lower().rstrip(".") for host in read("WENDA_FETCH_PRIVATE_HOSTS")]
"""An IPv6 address without brackets."""
