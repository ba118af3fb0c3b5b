from __future__ import annotations

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from policy import forwarding
from policy.fields import NOTABLE
from proxy import response_writer
from proxy.http1.grammar import FieldLines
from proxy.http1.request_head import (
    _TELLING,
    CHUNKED,
    METHODS,
    BadRequest,
    RequestHead,
    RequestHeads,
)
from proxy.limits import Limits
from proxy.upstream_request import OURS

LIMITS = Limits()


def parse(head: bytes) -> RequestHead:
    return RequestHeads(FieldLines()).read(head, LIMITS)


def said(head: RequestHead) -> tuple[object, ...]:
    says = (head.method, head.target, head.version, head.fields.lines, head.host, head.length)
    return *says, head.connection, head.upgrade, head.expects_continue, head.keeps_alive


def refused(head: bytes) -> tuple[int, str]:
    with pytest.raises(BadRequest) as error:
        parse(head)
    return error.value.status, error.value.reason


def test_a_plain_head_is_read() -> None:
    head = parse(b"GET /a?b HTTP/1.1\r\nHost: a.test\r\nX-One:  two words \t\r\nEmpty:")
    assert (head.method, head.target, head.version) == ("GET", "/a?b", "HTTP/1.1")
    assert head.fields.lines == [("Host", "a.test"), ("X-One", "two words"), ("Empty", "")]
    assert (head.host, head.length, head.keeps_alive) == ("a.test", 0, True)


def test_bytes_from_0x80_survive() -> None:
    raw = b"GET / HTTP/1.1\r\nHost: a\r\nX: \xff\xc3\xa9"
    assert parse(raw).fields.first("x") == "\udcff\u00e9"


@pytest.mark.parametrize(
    ("lines", "length"),
    [
        (b"", 0), (b"Content-Length: 0\r\n", 0), (b"Content-Length:\t5\r\n", 5),
        (b"CONTENT-LENGTH: 999999999999999999\r\n", 999_999_999_999_999_999),
        (b"Transfer-Encoding: chunked\r\n", CHUNKED), (b"transfer-encoding: Chunked\r\n", CHUNKED),
    ],
)  # fmt: skip
def test_the_end_of_the_body_is_found(lines: bytes, length: int) -> None:
    assert parse(b"POST / HTTP/1.1\r\n" + lines + b"Host: a").length == length


@pytest.mark.parametrize(
    ("version", "lines", "keeps_alive"),
    [
        (b"1.1", b"", True), (b"1.1", b"Connection: close\r\n", False),
        (b"1.1", b"Connection: x, CLOSE\r\n", False),
        (b"1.1", b"Connection: x\r\nConnection: close\r\n", False), (b"1.0", b"", False),
        (b"1.0", b"Connection: Keep-Alive\r\n", True),
        (b"1.0", b"Connection: keep-alive, close\r\n", False),
    ],
)  # fmt: skip
def test_persistence_is_decided(version: bytes, lines: bytes, *, keeps_alive: bool) -> None:
    head = parse(b"GET / HTTP/" + version + b"\r\n" + lines + b"Host: a")
    assert head.keeps_alive is keeps_alive


def test_an_upgrade_counts_only_where_connection_names_it() -> None:
    assert parse(b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x").upgrade == ()
    named = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: X, y"
    assert parse(named).upgrade == ["x", "y"]


def test_the_same_credentials_twice_are_no_conflict() -> None:
    line = b"\r\nAuthorization: Basic eA=="
    assert len(parse(b"GET / HTTP/1.1\r\nHost: a" + 2 * line).fields.all("authorization")) == 2
    conflict = b"GET / HTTP/1.1\r\nHost: a" + line + b"\r\nAuthorization: Basic eQ=="
    assert refused(conflict) == (400, "conflicting-authorization")


@pytest.mark.parametrize(
    ("head", "status", "reason"),
    [
        (b"", 400, "bad-request-line"),
        (b"GET /", 400, "bad-request-line"),
        (b"GET  HTTP/1.1\r\nHost: a", 400, "bad-request-line"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\tfold: x", 400, "bad-field-name"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX\x80: x", 400, "bad-field-name"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: \x01", 400, "control-character-in-head"),
        (b"GET / HTTP/1.1\nHost: a", 400, "control-character-in-head"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nhost: a", 400, "repeated-host"),
        (b"GET / HTTP/1.1\r\nX: y", 400, "missing-host"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Type: b\r\nContent-Type: c", 400,
         "repeated-content-type"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent_Length: 5", 400, "disguised-framing-field"),
        (b"TRACE / HTTP/1.1\r\nHost: a", 405, "method-refused"),
        (b"Get / HTTP/1.1\r\nHost: a", 501, "unknown-method"),
        (b"M-SEARCH * HTTP/1.1\r\nHost: a", 501, "unknown-method"),
        (b"G=T / HTTP/1.1\r\nHost: a", 400, "bad-method"),
        (b"A" * 65 + b" / HTTP/1.1\r\nHost: a", 400, "bad-method"),
    ],
)  # fmt: skip
def test_what_is_wrong_has_a_name(head: bytes, status: int, reason: str) -> None:
    assert refused(head) == (status, reason)


def test_a_method_that_is_named_passes_and_no_other_does() -> None:
    limits = Limits(additional_methods=("M-SEARCH",))
    lines = b"\r\nHost: a"
    heads = RequestHeads(FieldLines())
    for _ in range(3):
        assert heads.read(b"M-SEARCH / HTTP/1.1" + lines, limits).method == "M-SEARCH"
    for method in (b"m-search", b"NOTIFY"):
        with pytest.raises(BadRequest, match="unknown-method"):
            heads.read(method + b" / HTTP/1.1" + lines, limits)


@pytest.mark.parametrize("method", ["get", "TRACE", "CONNECT", "", "A B", "A" * 65, "G\u00c9T"])
def test_what_is_no_method_can_not_be_named(method: str) -> None:
    with pytest.raises(ValidationError, match="method-not-possible"):
        Limits(additional_methods=(method,))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_head_or_a_refusal(data: bytes) -> None:
    for head in (data, b"GET / HTTP/1.1\r\nHost: a\r\n" + data, b"GET /" + data + b" HTTP/1.1"):
        try:
            parse(head)
        except BadRequest as error:
            assert 400 <= error.status < 600


names = st.text("abcXYZ-_.!", min_size=1, max_size=8)
values = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)
heads = st.tuples(
    st.sampled_from(sorted(METHODS - {"CONNECT"})),
    st.from_regex(r"/[a-zA-Z0-9/?&=%.]{0,20}", fullmatch=True),
    st.lists(st.tuples(names, values), max_size=8),
    st.sampled_from(["", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"]),
)


@given(heads)
def test_what_we_accept_another_reader_reads_the_same(
    head: tuple[str, str, list[tuple[str, str]], str],
) -> None:
    method, target, lines, framing = head
    text = f"{method} {target} HTTP/1.1\r\nHost: a\r\n{framing}"
    text += "".join(f"{name}:{value}\r\n" for name, value in lines)
    try:
        ours = parse(text.encode("ascii")[:-2])
    except BadRequest:
        return
    other = h11.Connection(h11.SERVER)
    other.receive_data(text.encode("ascii") + b"\r\n")
    event = other.next_event()
    assert isinstance(event, h11.Request)
    assert event.method == ours.method.encode()
    assert event.target == ours.target.encode()
    theirs = [(name.decode(), value.decode()) for name, value in event.headers.raw_items()]
    assert theirs == ours.fields.lines


def test_remembered_lines_stay_right_and_bounded() -> None:
    lines = FieldLines()
    for number in range(5000):
        head = b"GET / HTTP/1.1\r\nHost: a\r\nAccept: x\r\nX-Id: %d\r\nX-Id: b" % number
        fields = RequestHeads(lines).read(head, LIMITS).fields
        assert fields.all("x-id") == [str(number), "b"]
        assert fields.all("accept") == ["x"]
    assert len(lines) <= 1024


def test_secrets_are_not_remembered() -> None:
    lines = FieldLines()
    head = b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic x\r\nCOOKIE: y"
    RequestHeads(lines).read(head, LIMITS)
    assert list(lines) == ["Host: a"]


def test_a_head_whose_fields_come_again_is_read_as_if_they_were_new() -> None:
    heads = RequestHeads(FieldLines())
    fields = b"\r\nHost: a\r\nContent-Length: 5\r\nX: 1"
    for number in range(4):
        head = b"POST /%d HTTP/1.1" % number + fields
        read, fresh = heads.read(head, LIMITS), parse(head)
        assert said(read) == said(fresh)
        # What an action does to one request is not seen in the next.
        read.fields.remove("x")
        read.fields.add("y", "2")
    assert heads.read(b"GET / HTTP/1.1\r\nHost: b", LIMITS).host == "b"


@pytest.mark.parametrize(
    "line",
    [b"GET /\x00 HTTP/1.1", b"GET /\n HTTP/1.1", b"get / HTTP/1.1", b"GET / HTTP/1.2", b"GET /"],
)
def test_a_bad_request_line_is_refused_before_known_fields_too(line: bytes) -> None:
    heads = RequestHeads(FieldLines())
    fields = b"\r\nHost: a"
    for _ in range(3):
        heads.read(b"GET / HTTP/1.1" + fields, LIMITS)
    with pytest.raises(BadRequest):
        heads.read(line + fields, LIMITS)


def test_known_fields_mean_something_else_in_another_version() -> None:
    heads = RequestHeads(FieldLines())
    fields = b"\r\nHost: a\r\nTransfer-Encoding: chunked"
    for _ in range(3):
        heads.read(b"POST / HTTP/1.1" + fields, LIMITS)
    with pytest.raises(BadRequest):
        heads.read(b"POST / HTTP/1.0" + fields, LIMITS)


@pytest.mark.parametrize(
    "names",
    [_TELLING, forwarding._SPECIAL, forwarding._NOT_FOR_CLIENTS, response_writer._OURS, OURS],
)
def test_whatever_needs_a_closer_look_is_notable(names: frozenset[str]) -> None:
    assert names <= NOTABLE
