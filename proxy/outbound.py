"""Which addresses our own calls may connect to (T-SS-1).

The address that is about to be connected is looked at, not the name: whatever a name resolves to,
and however often that changes, this is where it ends up.
"""

from __future__ import annotations

import ipaddress
import socket
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final, TypeAlias

IpAddress: TypeAlias = IPv4Address | IPv6Address

# Link-local addresses, and those at which clouds tell a machine its secrets: no policy can have
# a reason to go there.
NEVER: Final = tuple(
    ipaddress.ip_network(each)
    for each in (
        "0.0.0.0/8",
        "169.254.0.0/16",
        "100.100.100.200/32",
        "fe80::/10",
        "fd00:ec2::254/128",
        "ff00::/8",
        "224.0.0.0/4",
        "255.255.255.255/32",
        "::/128",
    )
)
# Addresses that carry an IPv4 address and lead to it.
NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
NAT64_LOCAL: Final = ipaddress.ip_network("64:ff9b:1::/48")


class BlockedAddress(OSError):  # noqa: N818 - named for the address
    """A connection that is not made, because of where it would lead."""


def trusted_socket(address: tuple[Any, ...]) -> socket.socket:
    """Make the socket for a host that the policy itself names; raises BlockedAddress."""
    return _socket(address, is_host_trusted=True)


def guarded_socket(address: tuple[Any, ...]) -> socket.socket:
    """Make the socket for a host that came with a request; raises BlockedAddress."""
    return _socket(address, is_host_trusted=False)


def _socket(address: tuple[Any, ...], *, is_host_trusted: bool) -> socket.socket:
    family, kind, protocol, _, target = address
    if not may_connect(str(target[0]), is_host_trusted=is_host_trusted):
        raise BlockedAddress("an address that calls of ours do not go to")
    return socket.socket(family, kind, protocol)


def may_connect(text: str, *, is_host_trusted: bool) -> bool:
    """Tell whether an address may be connected to; only public ones where it is not trusted."""
    address = _target(ipaddress.ip_address(text.partition("%")[0]))
    if any(address in network for network in NEVER if network.version == address.version):
        return False
    return is_host_trusted or (address.is_global and not address.is_multicast)


def _target(address: IpAddress) -> IpAddress:
    """Return the address behind a mapped or translated one."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    is_compatible = int(address) >> 32 == 0 and int(address) > 1
    if address in NAT64 or address in NAT64_LOCAL or is_compatible:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address
