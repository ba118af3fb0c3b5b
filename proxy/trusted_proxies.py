"""Finds the client behind proxies that the operator trusts (security T-IP-3).

Every proxy on the way appends the address it saw to `X-Forwarded-For`. Only entries written by a
trusted proxy can be believed, so the list is read from its right end: the first address that is
no trusted proxy itself is the client. What stands further left may be the client's own invention.
`Forwarded` and every other field are never read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from policy.net import Address, AddressError, NetworkSet, parse_address

UNREADABLE = "client-address-unreadable"
# More hops than any real chain; reading ends here so that a flood of entries costs little.
MAX_HOPS = 32
# "192.0.2.1:4711" and "[2001:db8::1]:4711": some balancers append the client's port.
WITH_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::([0-9]{1,5}))?")


class UnreadableForwardedFor(Exception):  # noqa: N818 - named for the refusal it becomes
    """A trusted proxy sent an `X-Forwarded-For` that names no address where one must stand.

    The request is refused with reason `client-address-unreadable`: taking the peer instead would
    let rules for the proxy's own network decide about a stranger.
    """


class Client(NamedTuple):
    """The client that a trusted proxy names. The port is 0 where the proxy does not tell."""

    ip: str
    port: int


class TrustedProxies:
    """The networks whose word about the client is taken. Empty: nobody's."""

    __slots__ = ("_networks",)

    def __init__(self, networks: NetworkSet | None = None) -> None:
        """Take the networks as they were checked at load."""
        self._networks = networks or None

    def __bool__(self) -> bool:
        return self._networks is not None

    def trusts(self, peer: str) -> bool:
        """Tell whether a socket peer is a trusted proxy."""
        return self._networks is not None and parse_address(peer) in self._networks

    def client(self, forwarded_for: Sequence[str]) -> Client | None:
        """Return the client that a trusted peer's `X-Forwarded-For` lines name.

        None when there is no such line: the peer speaks for itself. Where every entry is a
        trusted proxy, the left-most one is the client. Raises UnreadableForwardedFor.
        """
        trusted = self._networks or ()
        furthest: Client | None = None
        for hops, entry in enumerate(_from_the_right(forwarded_for)):
            if hops == MAX_HOPS:
                raise UnreadableForwardedFor
            address, port = _read_entry(entry)
            furthest = Client(str(address), port)
            if address not in trusted:
                break
        return furthest


def _from_the_right(lines: Sequence[str]) -> Iterator[str]:
    for line in reversed(lines):
        comma = ","
        rest = line
        while comma:
            rest, comma, entry = rest.rpartition(",")
            yield entry.strip(" \t")


def _read_entry(entry: str) -> tuple[Address, int]:
    text, port = entry, "0"
    if match := WITH_PORT.fullmatch(entry):
        text, port = match[1] or match[2], match[3] or "0"
    try:
        return parse_address(text), int(port)
    except AddressError:
        raise UnreadableForwardedFor from None
