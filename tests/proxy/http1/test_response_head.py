from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.http1.request_head import CHUNKED
from proxy.http1.response_head import (
    UNTIL_CLOSE,
    BadResponse,
    ResponseHead,
    ResponseHeads,
)


def parse(head: bytes, method: str = "GET") -> ResponseHead:
    return ResponseHeads().read(head, method=method, max_fields=10)


def said(head: ResponseHead) -> tuple[object, ...]:
    says = (head.status, head.reason, head.fields.lines, head.length)
    return *says, head.keeps_alive, head.upgrade


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
        assert said(read) == said(fresh)
        read.fields.replace("x", "changed by an action")
    assert heads.read(head, method="HEAD", max_fields=10).length == 0


def test_remembered_status_lines_are_bounded() -> None:
    heads = ResponseHeads()
    for number in range(1000):
        reason = f"Number {number}" + "!" * (number % 100)
        head = heads.read(f"HTTP/1.1 200 {reason}".encode(), method="GET", max_fields=10)
        assert (head.status, head.reason) == (200, reason)
    assert len(heads._known_lines) <= 64
    assert max(map(len, heads._known_lines)) <= 64
