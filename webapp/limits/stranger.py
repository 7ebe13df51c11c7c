"""What somebody unknown is counted as: the address that they come from."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address

NETWORK_BITS = 64
"""Of an IPv6 address: what one household or machine is given whole, and can take any address of."""


def named(address: str) -> str:
    """An IPv4 address by itself, an IPv6 address by its network, so that changing it within that changes nothing."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:  # of a socket without one
        return f"address-{address}"[:64]
    if isinstance(found, IPv6Address):
        found = found.ipv4_mapped or IPv6Network((found, NETWORK_BITS), strict=False)
    return f"address-{found}"
