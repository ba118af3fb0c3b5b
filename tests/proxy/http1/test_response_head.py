from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.http1.grammar import FieldLines
from proxy.http1.request_head import CHUNKED
from proxy.http1.response_head import (
    UNTIL_CLOSE,
    BadResponse,
    ResponseHead,
    ResponseHeads,
    parse_response_head,
)


def parse(head: bytes, method: str = "GET") -> ResponseHead:
    return parse_response_head(head, FieldLines(), method=method, max_fields=10)


@pytest.mark.parametrize(
    ("head", "method", "length", "keeps_alive"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5", "GET", 5, True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", "GET", CHUNKED, True),
        (b"HTTP/1.1 200 OK", "GET", UNTIL_CLOSE, False),
        (b"HTTP/1.1 200 OK", "HEAD", 0, True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5", "HEAD", 0, True),
        (b"HTTP/1.1 204 ", "GET", 0, True),
        (b"HTTP/1.1 304 Not Modified", "GET", 0, True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close", "GET", 5, False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 5", "GET", 5, False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive", "GET", 5, True),
    ],
)
def test_the_end_of_the_body_is_found(
    head: bytes, method: str, length: int, *, keeps_alive: bool
) -> None:
    read = parse(head, method)
    assert (read.length, read.keeps_alive) == (length, keeps_alive)


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"", "bad-status-line"),
        (b"HTTP/1.1 200", "bad-status-line"),
        (b"HTTP/1.1  200 OK", "bad-status-line"),
        (b"http/1.1 200 OK", "bad-status-line"),
        (b"HTTP/1.1 099 OK", "bad-status-line"),
        (b"HTTP/1.1 200 OK\r\n" + b"\r\n".join([b"X: 1"] * 11), "too-many-fields"),
        (b"HTTP/1.1 204 N\r\nTransfer-Encoding: chunked", "length-without-body"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity", "bad-transfer-encoding"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x", "bad-content-length"),
        (b"HTTP/1.1 200 OK\r\nLocation: a\r\nLocation: b", "repeated-location"),
    ],
)
def test_what_is_wrong_has_a_name(head: bytes, reason: str) -> None:
    with pytest.raises(BadResponse) as error:
        parse(head)
    assert error.value.reason == reason


@given(st.binary(max_size=100))
def test_any_bytes_are_a_head_or_bad(data: bytes) -> None:
    for head in (data, b"HTTP/1.1 200 OK\r\n" + data, b"HTTP/1.1 " + data):
        try:
            parse(head)
        except BadResponse as error:
            assert error.reason


def test_a_head_that_comes_again_is_read_as_if_it_were_new() -> None:
    heads = ResponseHeads()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: 1"
    for _ in range(4):
        read, fresh = heads.read(head, method="GET", max_fields=10), parse(head)
        assert read.fields.lines == fresh.fields.lines
        assert read._replace(fields=fresh.fields) == fresh
        read.fields.replace("x", "changed by an action")
    assert heads.read(head, method="HEAD", max_fields=10).length == 0


def test_remembered_heads_are_bounded_and_hold_no_cookies() -> None:
    heads = ResponseHeads()
    for number in range(1000):
        for _ in range(2):
            heads.read(b"HTTP/1.1 200 OK\r\nX: %d" % number, method="GET", max_fields=10)
            cookie = b"HTTP/1.1 200 OK\r\nSet-Cookie: secret"
            heads.read(cookie, method="GET", max_fields=10)
    assert len(heads._heads) <= 128
    assert not any(b"secret" in head for head in heads._heads)
