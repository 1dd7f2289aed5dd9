"""Which addresses are of the public internet: everything else may be a neighbour that trusts this machine."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
# IANA's registries of special-purpose addresses, written out: `is_global` has changed with Python's releases. Then
# Azure's metadata service, which is at an address like any other.
SPECIAL_4: tuple[IPv4Network, ...] = tuple(
    IPv4Network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        "168.63.129.16/32",
    )
)
# All that is handed out to be routed. Outside of it: loopback, IPv4 in its mapped and translated forms (::ffff:0:0/96,
# ::/96, 64:ff9b::/96, 64:ff9b:1::/48), unique local, link-local and multicast.
UNICAST_6 = IPv6Network("2000::/3")
# In it: Teredo and its neighbours, documentation, 6to4, each of which can lead elsewhere or nowhere.
SPECIAL_6 = tuple(
    ip_network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)


def is_public(address: Address) -> bool:
    """Whether an address is of a machine on the public internet, and of nothing nearer.

    >>> is_public(ip_address("93.184.216.34")), is_public(ip_address("::ffff:93.184.216.34"))
    (True, False)
    """
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in SPECIAL_4)
    # A zone names one of this machine's own networks.
    routed = address in UNICAST_6 and address.scope_id is None
    return routed and address.is_global and not any(address in network for network in SPECIAL_6)


def addresses(texts: Sequence[str]) -> list[Address]:
    """The addresses that a resolver wrote, each once.

    Raises:
        ValueError: one of them is none.
    """
    return list(dict.fromkeys(ip_address(text) for text in texts))
