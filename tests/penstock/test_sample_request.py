"""Requests from flags and files: the proxy's parser decides, whatever they hold."""

from __future__ import annotations

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from penstock.sample_request import (
    SampleRequest,
    field_of,
    parse_sample,
    request_from_file,
    request_from_flags,
)
from proxy.http1.request_head import BadRequest

BYTES = st.one_of(
    st.binary(max_size=200),
    st.lists(
        st.sampled_from(
            [b"GET", b" ", b"/", b"HTTP/1.1", b"\r\n", b"\n", b"Host: h", b"http://h/", b"a",
             b"Content-Length: 1", b"Transfer-Encoding: chunked", b"0", b"\xff", b"\x00", b":"]
        ),
        max_size=20,
    ).map(b"".join),
)  # fmt: skip


def read(data: bytes, scheme: str = "http") -> SampleRequest | BadRequest:
    try:
        return parse_sample(data, scheme=scheme)
    except BadRequest as refused:
        return refused


@given(BYTES)
def test_any_bytes_are_a_request_or_are_refused(data: bytes) -> None:
    raw, scheme = request_from_file(data)
    assert scheme in ("http", "https")
    assert isinstance(read(raw, scheme), SampleRequest | BadRequest)


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_any_flags_are_a_request_or_are_refused_or_misuse(
    method: str, path: str, header: str
) -> None:
    try:
        raw, scheme = request_from_flags(method=method, url=f"/{path}", headers=[header], body=None)
    except typer.BadParameter:
        return
    assert isinstance(read(raw, scheme), SampleRequest | BadRequest)


@pytest.mark.parametrize(
    ("url", "host", "target", "scheme"),
    [
        pytest.param("/a?b", "localhost", "/a?b", "http", id="path"),
        pytest.param("?b", "localhost", "/?b", "http", id="query-only"),
        pytest.param("https://h.example", "h.example", "/", "https", id="no-path"),
        pytest.param("HTTP://h:81/%2e%2e/a", "h:81", "/%2e%2e/a", "http", id="path-as-written"),
        pytest.param("http://h?q", "h", "/?q", "http", id="query-without-path"),
    ],
)
def test_a_url_becomes_a_request_line_and_a_host(
    url: str, host: str, target: str, scheme: str
) -> None:
    raw, read_scheme = request_from_flags(method="GET", url=url, headers=[], body=None)
    assert raw == f"GET {target} HTTP/1.1\r\nhost: {host}\r\n\r\n".encode()
    assert read_scheme == scheme


@pytest.mark.parametrize(
    "url", ["", "a", "h.example/a", "ftp://h/", "http//h", "https://", "http:///a", "#x"]
)
def test_what_is_no_url_is_misuse(url: str) -> None:
    with pytest.raises(typer.BadParameter):
        request_from_flags(method="GET", url=url, headers=[], body=None)


def test_a_host_header_replaces_the_urls_host() -> None:
    raw, _ = request_from_flags(
        method="GET", url="http://a/", headers=["Host: b.example"], body=None
    )
    sample = read(raw)
    assert isinstance(sample, SampleRequest)
    assert sample.url.host == "b.example"


def test_a_body_gets_its_length_unless_one_is_given() -> None:
    raw, _ = request_from_flags(method="POST", url="/", headers=[], body="grün")
    assert b"content-length: 5\r\n" in raw
    given_length, _ = request_from_flags(
        method="POST", url="/", headers=["Content-Length: 99"], body="grün"
    )
    assert b"content-length: 5" not in given_length


def test_a_header_value_may_be_empty() -> None:
    assert field_of("X-Empty:", flag="--header") == ("X-Empty", "")


def test_a_head_beyond_the_limit_is_refused() -> None:
    lines = "".join(f"x{number}: {'y' * 1000}\r\n" for number in range(70))
    refused = read(f"GET / HTTP/1.1\r\nhost: h\r\n{lines}\r\n".encode())
    assert isinstance(refused, BadRequest)
    assert (refused.status, refused.reason) == (431, "head-too-large")


def test_each_reading_of_the_headers_is_a_copy() -> None:
    sample = read(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n")
    assert isinstance(sample, SampleRequest)
    sample.headers.add("x", "y")
    assert "x" not in sample.headers
