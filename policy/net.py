"""Addresses and networks: a strict grammar, and sets that answer in logarithmic time.

netaddr reads many spellings that other software reads differently (netmasks, octal, short forms),
and an address that two programs read differently is a way around a rule. So our own grammar comes
first: four plain decimal numbers or an RFC 4291 address, optionally `/` and a plain length.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from netaddr import INET_PTON, AddrFormatError, IPAddress, IPNetwork

Version = Literal[4, 6]

WIDTHS: Final[dict[Version, int]] = {4: 32, 6: 128}
_MAPPED: Final = 0xFFFF << 32
_OCTETS: Final = {str(octet): octet for octet in range(256)}
_LENGTH = re.compile(r"0|[1-9][0-9]{0,2}")
_IPV6_LETTERS = re.compile(r"[0-9A-Fa-f:.]+")
_NUMBER = re.compile(r"0[xX][0-9A-Fa-f]+|[0-9]+")


class AddressError(ValueError):
    """A text that is no address or network. `hint` says what to write instead, if we can tell."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class Address(NamedTuple):
    """One address: `version` 4 or 6 and its number. IPv4-mapped IPv6 is version 4."""

    version: Version
    value: int

    def __str__(self) -> str:
        return str(IPAddress(self.value, self.version))


@dataclass(frozen=True, slots=True)
class Network:
    """All addresses that share their first `length` bits with `first`."""

    version: Version
    first: int
    length: int

    @property
    def last(self) -> int:
        """The highest address, as a number."""
        return self.first | ((1 << (WIDTHS[self.version] - self.length)) - 1)

    def __contains__(self, address: Address) -> bool:
        return address.version == self.version and self.first <= address.value <= self.last

    def __str__(self) -> str:
        return f"{Address(self.version, self.first)}/{self.length}"


@dataclass(frozen=True, slots=True)
class Note:
    """A warning about a value that is accepted; `path` leads to it inside the value."""

    path: tuple[str | int, ...]
    code: str
    message: str
    hint: str | None = None


def parse_address(text: str) -> Address:
    """Read one address as a socket or a trusted header names it.

    A zone (`fe80::1%eth0`) is dropped: rules name networks, and the zone is only our interface.
    An IPv4-mapped IPv6 address is the IPv4 address in it, since that is who is calling.
    Raises AddressError.
    """
    octets = text.split(".")
    if len(octets) == 4 and ":" not in text:
        return Address(4, _ipv4_number(text, octets))
    return _unmapped(_ipv6_number(text.partition("%")[0]))


def parse_network(text: str) -> Network:
    """Read `ADDRESS` or `ADDRESS/LENGTH`, host bits cleared. Raises AddressError."""
    _refuse_space(text)
    address_text, slash, length_text = text.partition("/")
    if "%" in address_text:
        raise AddressError(
            f"{text!r} names a network zone", "zones have no meaning in a rule: drop '%...'"
        )
    written = _parse_plain(address_text)
    if not slash:
        plain = _unmapped(written.value) if written.version == 6 else written
        return Network(plain.version, plain.value, WIDTHS[plain.version])
    length = _parse_length(text, length_text, written)
    if written.version == 6 and length >= 96 and written.value >> 32 == _MAPPED >> 32:
        written, length = Address(4, written.value & 0xFFFFFFFF), length - 96
    host_bits = WIDTHS[written.version] - length
    return Network(written.version, written.value >> host_bits << host_bits, length)


class NetworkSet:
    """Networks compiled to disjoint sorted ranges; a look-up is one bisection.

    `notes` warns of entries that may not mean what they say: host bits that were ignored, and a
    catch-all that covers only one address family.
    """

    __slots__ = ("_ranges", "networks", "notes")

    def __init__(self, networks: Iterable[Network], notes: Iterable[Note] = ()) -> None:
        self.networks = tuple(networks)
        self.notes = tuple(notes)
        self._ranges = {version: _flattened(self.networks, version) for version in WIDTHS}

    @classmethod
    def parse(cls, texts: Iterable[str]) -> NetworkSet:
        """Build a set from texts. Raises AddressError for the first that is no network."""
        written = [(text, parse_network(text)) for text in texts]
        networks = [network for _, network in written]
        notes = [*_host_bit_notes(written), *_one_family_notes(networks)]
        return cls(networks, notes)

    def find(self, address: str) -> str | None:
        """Return the most specific network that holds an address, as text; None for none.

        Raises AddressError for a text that is no address: "does not match" would be a decision.
        """
        return self.find_parsed(parse_address(address))

    def find_parsed(self, address: Address) -> str | None:
        """Do the same for an address that is parsed already."""
        starts, names = self._ranges[address.version]
        at = bisect_right(starts, address.value) - 1
        return names[at] if at >= 0 else None

    def __contains__(self, address: Address) -> bool:
        return self.find_parsed(address) is not None

    def __iter__(self) -> Iterator[Network]:
        return iter(self.networks)

    def __len__(self) -> int:
        return len(self.networks)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NetworkSet) and self.networks == other.networks

    def __hash__(self) -> int:
        return hash(self.networks)

    def __repr__(self) -> str:
        return f"NetworkSet({[str(network) for network in self.networks]})"


def _ipv4_number(text: str, octets: list[str]) -> int:
    a, b, c, d = octets
    try:
        # A table of the 256 plain spellings is the strictest grammar, and the fastest.
        return _OCTETS[a] << 24 | _OCTETS[b] << 16 | _OCTETS[c] << 8 | _OCTETS[d]
    except KeyError:
        raise AddressError(f"{text!r} is not an address", _ipv4_hint(octets)) from None


def _ipv6_number(text: str) -> int:
    if ":" not in text or not _IPV6_LETTERS.fullmatch(text):
        raise AddressError(f"{text!r} is not an address")
    try:
        return int(IPAddress(text, 6, flags=INET_PTON))
    except AddrFormatError:
        raise AddressError(f"{text!r} is not an address") from None


def _unmapped(value: int) -> Address:
    if value >> 32 == _MAPPED >> 32:
        return Address(4, value & 0xFFFFFFFF)
    return Address(6, value)


def _parse_plain(text: str) -> Address:
    """Read an address without unmapping, so that a length written beside it keeps its meaning."""
    if ":" in text:
        return Address(6, _ipv6_number(text))
    octets = text.split(".")
    if len(octets) == 4:
        return Address(4, _ipv4_number(text, octets))
    raise AddressError(f"{text!r} is not an address", _short_form_hint(text, octets))


def _ipv4_hint(octets: list[str]) -> str | None:
    if not all(_NUMBER.fullmatch(octet) for octet in octets):
        return None
    if any(octet.lower().startswith("0x") or len(octet) > 3 for octet in octets):
        return "write four decimal numbers from 0 to 255"
    numbers = [int(octet) for octet in octets]
    if max(numbers) > 255:
        return "each of the four numbers goes from 0 to 255"
    plain = ".".join(str(number) for number in numbers)
    return f"write {plain}: some software reads a leading zero as octal"


def _short_form_hint(text: str, octets: list[str]) -> str | None:
    if not all(_NUMBER.fullmatch(octet) for octet in octets):
        return "write an IPv4 address such as 203.0.113.0/24, or an IPv6 one such as 2001:db8::/32"
    if len(octets) == 1 and len(text) < 50:
        number = int(text, 16) if text.lower().startswith("0x") else int(text)
        if 255 < number < 1 << 32:
            return f"write {Address(4, number)}"
    return "write all four numbers of the address, for example 10.1.0.0/16"


def _refuse_space(text: str) -> None:
    if text != text.strip() or " " in text:
        raise AddressError(f"{text!r} has white space in it", f"write {''.join(text.split())!r}")


def _parse_length(text: str, length_text: str, written: Address) -> int:
    width = WIDTHS[written.version]
    if _LENGTH.fullmatch(length_text) and int(length_text) <= width:
        return int(length_text)
    hint = f"the length after '/' goes from 0 to {width}, without sign or leading zero"
    if "." in length_text or ":" in length_text:
        hint = _mask_hint(text, written) or hint
    raise AddressError(f"{text!r} is not a network", hint)


def _mask_hint(text: str, written: Address) -> str | None:
    try:
        return f"write {written}/{IPNetwork(text).prefixlen}: masks can be read in two ways"
    except (AddrFormatError, ValueError):
        return None


def _host_bit_notes(written: list[tuple[str, Network]]) -> Iterator[Note]:
    for index, (text, network) in enumerate(written):
        address_text, slash, _ = text.partition("/")
        if slash and parse_address(address_text).value != network.first:
            message = f"{text!r} has bits set after its first {network.length}: it means {network}"
            yield Note((index,), "network-host-bits", message, f"write {network}")


def _one_family_notes(networks: list[Network]) -> Iterator[Note]:
    everything = {network.version: at for at, network in enumerate(networks) if not network.length}
    if len(everything) != 1:
        return
    [(version, index)] = everything.items()
    covered, other, entry = (
        ("IPv4", "IPv6", "::/0") if version == 4 else ("IPv6", "IPv4", "0.0.0.0/0")
    )
    message = f"{networks[index]} covers {covered} addresses only, no {other} address"
    yield Note((index,), "network-one-family", message, f"add {entry} to cover {other} too")


def _flattened(networks: Iterable[Network], version: Version) -> tuple[list[int], list[str | None]]:
    """Cut the number line into ranges, each named after the smallest network that covers it.

    Networks nest or are disjoint, so a stack of the open ones is enough.
    """
    ours = sorted(
        {network for network in networks if network.version == version},
        key=lambda network: (network.first, network.length),
    )
    starts: list[int] = []
    names: list[str | None] = []

    def begin(start: int, name: str | None) -> None:
        if starts and starts[-1] == start:
            names[-1] = name
        else:
            starts.append(start)
            names.append(name)

    still_open: list[Network] = []

    def close_before(position: int) -> None:
        while still_open and still_open[-1].last < position:
            closed = still_open.pop()
            begin(closed.last + 1, str(still_open[-1]) if still_open else None)

    for network in ours:
        close_before(network.first)
        begin(network.first, str(network))
        still_open.append(network)
    close_before(1 << WIDTHS[version])
    return starts, names
