"""The PROXY protocol, versions 1 and 2: who the client is, said before its first byte.

A load balancer or agent writes one header in front of each connection. This module only reads
bytes; the listener decides whose header is believed (security T-IP-4). Format: HAProxy's PROXY
protocol specification, sections 2.1 (text) and 2.2 (binary).
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from ipaddress import ip_address

from policy.net import AddressError, parse_address

V1_START = b"PROXY "
V2_START = b"\r\n\r\n\0\r\nQUIT\n"
# Section 2.1: the longest valid text header, its CRLF included.
MAX_V1_BYTES = 107
V2_FIXED_BYTES = 16
# Addresses (36 bytes) plus TLVs. A certificate's worth of TLVs fits; a memory hog does not.
MAX_V2_BYTES = V2_FIXED_BYTES + 4096
MAX_HEADER_BYTES = MAX_V2_BYTES

V1_LINE = re.compile(
    rb"PROXY (TCP4|TCP6) ([0-9A-Fa-f:.]{2,45}) ([0-9A-Fa-f:.]{2,45}) ([0-9]{1,5}) ([0-9]{1,5})"
)
V2_LOCAL, V2_PROXY = 0, 1
V2_UNSPECIFIED, V2_TCP4, V2_TCP6 = 0x00, 0x11, 0x21


class MalformedProxyHeader(Exception):  # noqa: N818 - named for what the listener found
    """Bytes that are no PROXY header; the connection is closed without an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyHeader:
    """What a header said. `source` is None where the sender speaks for itself (LOCAL, UNKNOWN).

    `length` is the number of bytes that belong to the header. Addresses are canonical text.
    """

    length: int
    source: tuple[str, int] | None = None
    destination: tuple[str, int] | None = None


def parse_proxy_header(data: bytes) -> ProxyHeader | None:
    """Read the header at the start of `data`; None while it is incomplete.

    Raises MalformedProxyHeader as soon as the bytes can't become a valid header, so a caller
    never needs to hold more than MAX_HEADER_BYTES.
    """
    if data.startswith(V2_START):
        return _parse_v2(data)
    if data.startswith(V1_START):
        return _parse_v1(data)
    if V2_START.startswith(data) or V1_START.startswith(data):
        return None
    raise MalformedProxyHeader("neither version's signature")


def _parse_v1(data: bytes) -> ProxyHeader | None:
    line, end, _ = data[:MAX_V1_BYTES].partition(b"\r\n")
    if not end:
        if len(data) >= MAX_V1_BYTES:
            raise MalformedProxyHeader("version 1 line without end")
        return None
    length = len(line) + len(end)
    if line == b"PROXY UNKNOWN" or line.startswith(b"PROXY UNKNOWN "):
        return ProxyHeader(length=length)
    match = V1_LINE.fullmatch(line)
    if match is None:
        raise MalformedProxyHeader("version 1 line not understood")
    colons = match[1] == b"TCP6"
    return ProxyHeader(
        length=length,
        source=(_v1_address(match[2], colons=colons), _v1_port(match[4])),
        destination=(_v1_address(match[3], colons=colons), _v1_port(match[5])),
    )


def _v1_address(text: bytes, *, colons: bool) -> str:
    if (b":" in text) is not colons:
        raise MalformedProxyHeader("version 1 address of the other family")
    try:
        return str(parse_address(text.decode("ascii")))
    except AddressError:
        raise MalformedProxyHeader("version 1 address not understood") from None


def _v1_port(digits: bytes) -> int:
    port = int(digits)
    if port > 65535 or (len(digits) > 1 and digits.startswith(b"0")):
        raise MalformedProxyHeader("version 1 port not understood")
    return port


def _parse_v2(data: bytes) -> ProxyHeader | None:
    if len(data) < V2_FIXED_BYTES:
        return None
    version_command, family, body_bytes = struct.unpack_from("!BBH", data, len(V2_START))
    version, command = version_command >> 4, version_command & 0x0F
    if version != 2 or command not in {V2_LOCAL, V2_PROXY}:
        raise MalformedProxyHeader("version 2 version or command not understood")
    length = V2_FIXED_BYTES + body_bytes
    if length > MAX_V2_BYTES:
        raise MalformedProxyHeader("version 2 header too long")
    if len(data) < length:
        return None
    body = data[V2_FIXED_BYTES:length]
    if command == V2_LOCAL or family == V2_UNSPECIFIED:
        # Section 2.2: whatever addresses stand here are to be ignored.
        return ProxyHeader(length=length)
    return _v2_addresses(family, body, length)


def _v2_addresses(family: int, body: bytes, length: int) -> ProxyHeader:
    if family not in {V2_TCP4, V2_TCP6}:
        raise MalformedProxyHeader("version 2 address family not supported")
    size = 4 if family == V2_TCP4 else 16
    layout = struct.Struct(f"!{size}s{size}sHH")
    if len(body) < layout.size:
        raise MalformedProxyHeader("version 2 addresses cut short")
    source, destination, source_port, destination_port = layout.unpack_from(body)
    _check_tlvs(body[layout.size :])
    return ProxyHeader(
        length=length,
        source=(_v2_address(source), source_port),
        destination=(_v2_address(destination), destination_port),
    )


def _v2_address(packed: bytes) -> str:
    return str(parse_address(str(ip_address(packed))))


def _check_tlvs(data: bytes) -> None:
    """Walk the type-length-value records; we use none, but one that overflows is an attack."""
    at = 0
    while at < len(data):
        if at + 3 > len(data):
            raise MalformedProxyHeader("version 2 record cut short")
        (size,) = struct.unpack_from("!H", data, at + 1)
        at += 3 + size
    if at != len(data):
        raise MalformedProxyHeader("version 2 record overflows the header")
