"""Tests of addresses against networks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

from policy.cel.declarations import Doubt, Prepared
from policy.cel.functions.define import function, method, plain
from policy.cel.limits import Limits
from policy.cel.types import BOOL, STRING, ListType
from policy.cel.work import Work
from policy.net import Address, AddressError, Network, NetworkSet, parse_address, parse_network

# No address or network is longer, with its zone; longer texts are not worth reading, or keeping.
_LONGEST: Final = 100
_PRIVATE: Final = NetworkSet(map(parse_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))


def address_of(text: str) -> Address | None:
    """Read an address, None if it is none."""
    return _address_of(text) if len(text) <= _LONGEST else None


# The same client asks again and again.
@lru_cache(maxsize=1024)
def _address_of(text: str) -> Address | None:
    try:
        return parse_address(text)
    except AddressError:
        return None


def _network_of(text: str) -> Network | None:
    return _short_network_of(text) if len(text) <= _LONGEST else None


@lru_cache(maxsize=256)
def _short_network_of(text: str) -> Network | None:
    try:
        return parse_network(text)
    except AddressError:
        return None


def in_range(address: str, network: str) -> bool:
    """Tell whether an address lies in a network; false if either can't be read."""
    found, wanted = address_of(address), _network_of(network)
    return found is not None and wanted is not None and found in wanted


def in_ranges(work: Work, address: str, networks: list[str]) -> bool:
    """Tell whether an address lies in one of some networks; what is none is skipped."""
    work.spend(1 + 40 * len(networks))
    return any(isinstance(network, str) and in_range(address, network) for network in networks)


def prepare_range(network: Any, limits: Limits) -> Prepared:
    """Read a constant network once."""
    return prepare_ranges([network], limits)


def prepare_ranges(networks: Any, _limits: Limits) -> Prepared:
    """Read constant networks once, into ranges that are searched by bisection."""
    readable = [n for text in networks if isinstance(text, str) and (n := _network_of(text))]
    wanted = NetworkSet(readable)

    def test(address: str) -> bool:
        found = address_of(address)
        return found is not None and found in wanted

    return Prepared(call=test, doubts=tuple(_doubts(networks)))


def _doubts(networks: Iterable[Any]) -> Iterator[Doubt]:
    for text in networks:
        if not isinstance(text, str):
            yield Doubt(code="not-a-network", message=f"{text!r} is no text, so no network")
            continue
        try:
            parse_network(text)
        except AddressError as error:
            yield Doubt(
                code="not-a-network",
                message=f"{text!r} is no network, so no address lies in it",
                hint=error.hint,
            )


def is_private(address: str) -> bool:
    """Tell whether an address is one of RFC 1918's; IPv6 has none of these."""
    found = address_of(address) if ":" not in address else None
    return found is not None and found in _PRIVATE


NETWORK_FUNCTIONS: Final = (
    function(
        "inCidrRange",
        "Whether an address lies in a network.",
        plain((STRING, STRING), BOOL, in_range, raises=False, prepare=prepare_range),
    ),
    function(
        "inCidrRanges",
        "Whether an address lies in one of several networks.",
        plain(
            (STRING, ListType(STRING)),
            BOOL,
            in_ranges,
            counts_work=True,
            prepare=prepare_ranges,
        ),
    ),
    function(
        "isPrivateIp",
        "Whether an address is private IPv4 space (RFC 1918).",
        method((STRING,), BOOL, is_private, raises=False),
    ),
)
