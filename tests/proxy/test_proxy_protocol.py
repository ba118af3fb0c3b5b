"""T-IP-4: PROXY headers of both versions, whole, in pieces, and hostile."""

from __future__ import annotations

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.proxy_protocol import (
    MAX_HEADER_BYTES,
    MAX_V1_BYTES,
    V2_START,
    MalformedProxyHeader,
    ProxyHeader,
    parse_proxy_header,
)


def v2(
    command: int = 0x21, family: int = 0x11, body: bytes = b"", length: int | None = None
) -> bytes:
    size = len(body) if length is None else length
    return V2_START + struct.pack("!BBH", command, family, size) + body


def packed(source: str, destination: str, ports: tuple[int, int]) -> bytes:
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    addresses = socket.inet_pton(family, source) + socket.inet_pton(family, destination)
    return addresses + struct.pack("!HH", *ports)


IPV4 = packed("203.0.113.7", "10.0.0.1", (4711, 443))
IPV6 = packed("2001:db8::7", "2001:db8::1", (4711, 443))
IPV4_READ = (("203.0.113.7", 4711), ("10.0.0.1", 443))
IPV6_READ = (("2001:db8::7", 4711), ("2001:db8::1", 443))
NOBODY = (None, None)

HEADERS = [
    pytest.param(b"PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\n", IPV4_READ, id="v1 IPv4"),
    pytest.param(b"PROXY TCP6 2001:db8::7 2001:DB8:0::1 4711 443\r\n", IPV6_READ, id="v1 IPv6"),
    pytest.param(
        b"PROXY TCP6 ::ffff:203.0.113.7 ::ffff:10.0.0.1 4711 443\r\n", IPV4_READ, id="v1 mapped"
    ),
    pytest.param(b"PROXY UNKNOWN\r\n", NOBODY, id="v1 unknown"),
    pytest.param(b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", NOBODY, id="v1 unknown, more"),
    pytest.param(v2(body=IPV4), IPV4_READ, id="v2 IPv4"),
    pytest.param(v2(family=0x21, body=IPV6), IPV6_READ, id="v2 IPv6"),
    pytest.param(
        v2(family=0x21, body=packed("::ffff:203.0.113.7", "::ffff:10.0.0.1", (4711, 443))),
        IPV4_READ,
        id="v2 mapped",
    ),
    pytest.param(v2(body=IPV4 + b"\x01\x00\x02h2\x04\x00\x00"), IPV4_READ, id="v2 with records"),
    pytest.param(v2(command=0x20, family=0), NOBODY, id="v2 LOCAL"),
    pytest.param(v2(command=0x20, body=IPV4), NOBODY, id="v2 LOCAL with addresses to ignore"),
    pytest.param(v2(family=0, body=b"whatever"), NOBODY, id="v2 unspecified family"),
]


@pytest.mark.parametrize(("data", "read"), HEADERS)
def test_a_header_is_read_up_to_its_end(
    data: bytes, read: tuple[tuple[str, int] | None, tuple[str, int] | None]
) -> None:
    source, destination = read
    expected = ProxyHeader(length=len(data), source=source, destination=destination)
    assert parse_proxy_header(data + b"GET / HTTP/1.1\r\n") == expected
    assert parse_proxy_header(data) == expected


@pytest.mark.parametrize(("data", "_read"), HEADERS)
def test_every_beginning_of_a_header_asks_for_more(data: bytes, _read: object) -> None:
    assert {parse_proxy_header(data[:end]) for end in range(len(data))} == {None}


MALFORMED = [
    pytest.param(b"GET / HTTP/1.1\r\n", id="no header at all"),
    pytest.param(b"\x16\x03\x01", id="TLS instead"),
    pytest.param(b"proxy TCP4 203.0.113.7 10.0.0.1 1 2\r\n", id="v1 lower case"),
    pytest.param(b"PROXY TCP5 203.0.113.7 10.0.0.1 1 2\r\n", id="v1 other protocol"),
    pytest.param(b"PROXY TCP4 203.0.113.7 10.0.0.1 1\r\n", id="v1 missing port"),
    pytest.param(b"PROXY TCP4 203.0.113.7 10.0.0.1 1 65536\r\n", id="v1 port too high"),
    pytest.param(b"PROXY TCP4 203.0.113.7 10.0.0.1 01 2\r\n", id="v1 port with leading zero"),
    pytest.param(b"PROXY TCP4 203.0.113.07 10.0.0.1 1 2\r\n", id="v1 octal address"),
    pytest.param(b"PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n", id="v1 IPv6 called TCP4"),
    pytest.param(b"PROXY TCP6 203.0.113.7 10.0.0.1 1 2\r\n", id="v1 IPv4 called TCP6"),
    pytest.param(b"PROXY TCP4  203.0.113.7 10.0.0.1 1 2\r\n", id="v1 double space"),
    pytest.param(b"PROXY UNKNOWNX\r\n", id="v1 unknown unknown"),
    pytest.param(b"PROXY TCP4 " + b"1" * 1_000_000, id="v1 without line end"),
    pytest.param(b"PROXY TCP4 203.0.113.7 10.0.0.1 1 2\n" + b" " * 80, id="v1 ended by bare LF"),
    pytest.param(v2(command=0x11, body=IPV4), id="v2 version 1"),
    pytest.param(v2(command=0x22, body=IPV4), id="v2 unknown command"),
    pytest.param(v2(family=0x12, body=IPV4), id="v2 UDP"),
    pytest.param(v2(family=0x31, body=bytes(216)), id="v2 unix socket"),
    pytest.param(v2(body=IPV4[:-1]), id="v2 addresses cut short"),
    pytest.param(v2(family=0x21, body=IPV4), id="v2 IPv4 called IPv6"),
    pytest.param(v2(body=IPV4 + b"\x01\x00"), id="v2 record cut short"),
    pytest.param(v2(body=IPV4 + b"\x01\x00\x05h2"), id="v2 record overflows"),
    pytest.param(v2(length=0xFFFF), id="v2 longer than we hold"),
]


@pytest.mark.parametrize("data", MALFORMED)
def test_malformed_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedProxyHeader):
        parse_proxy_header(data)


def test_a_header_never_needs_more_than_the_bound() -> None:
    longest = v2(
        body=IPV4 + struct.pack("!BH", 4, 4096 - len(IPV4) - 3) + bytes(4096 - len(IPV4) - 3)
    )
    header = parse_proxy_header(longest[:MAX_HEADER_BYTES])
    assert header is not None
    assert header.length == MAX_HEADER_BYTES
    with pytest.raises(MalformedProxyHeader):
        parse_proxy_header(b"PROXY TCP4 ".ljust(MAX_V1_BYTES, b"1"))


starts = st.sampled_from([b"", b"PROXY ", b"PROXY TCP4 ", V2_START, V2_START + b"\x21\x11\x00"])


@given(starts, st.binary(max_size=200))
def test_any_bytes_are_read_refused_or_wait_for_more(start: bytes, rest: bytes) -> None:
    data = start + rest
    try:
        header = parse_proxy_header(data)
    except MalformedProxyHeader:
        return
    assert header is None or 0 < header.length <= len(data)
