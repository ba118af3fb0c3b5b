"""Rows of headers and paths, through the real socket: what the policy saw is what arrived."""

from __future__ import annotations

import gzip
import time

import pytest

from proxy.http1.body import ChunkedReader
from proxy.limits import Limits
from tests.proxy.rig import OK, Proxy, Received, Reply, origin, proxy, request, served

FORGED = (
    "x-auth-user: eve", "X_Auth_User: eve", "X.Auth.User: eve", "X-AUTH-USER: eve",
    "x_forwarded_for: 6.6.6.6", "X.Forwarded.Proto: eve", "X_Forwarded_Host: eve",
)  # fmt: skip
# The first rule owns the header; others look at what is left of the client's own, and let some by.
OWNING = """
on_http_request:
  - name: look
    actions:
      - type: set-vars
        config:
          vars:
            - sees: "${'x-auth-user' in req.headers || 'x_auth_user' in req.headers}"
      - {type: log, config: {metadata: {sees: "${vars.sees}"}}}
  - name: identity
    expressions: ["req.url.path.startsWith('/user')"]
    actions: [{type: add-headers, config: {headers: {x-auth-user: alice}}}]
  - name: refused
    expressions: ["req.url.path == '/refused'"]
    actions: [{type: deny}]
"""
WEBSOCKET = (
    "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)  # fmt: skip
PREFLIGHT = ("Origin: https://b.test", "Access-Control-Request-Method: PUT")
WAYS = {
    "authenticated rule": ("GET", "/user", (), ["alice"]),
    "bypassed rule": ("GET", "/public", (), []),
    "CORS preflight": ("OPTIONS", "/public", PREFLIGHT, []),
    "health path": ("GET", "/healthz", (), []),
    "WebSocket": ("GET", "/public", WEBSOCKET, []),
    "body": ("POST", "/user", ("Content-Length: 0",), ["alice"]),
    "HEAD": ("HEAD", "/public", (), []),
    "OPTIONS of everything": ("OPTIONS", "*", (), []),
}


def refuse_upgrade(received: Received) -> bytes:
    if received.first("upgrade") is not None:
        return b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
    return OK


@pytest.mark.parametrize(("method", "target", "lines", "arrives"), WAYS.values(), ids=WAYS)
async def test_no_spelling_of_an_owned_header_gets_through_on_any_way(
    method: str, target: str, lines: tuple[str, ...], arrives: list[str]
) -> None:
    """T-HD-1, and T-HD-2: without a value of the policy's there is none at all."""
    async with origin(refuse_upgrade) as upstream:
        async with proxy(served(upstream.port, OWNING)) as running:
            await running.ask(request(method, target, *FORGED, *lines), method=method)
            (record,) = running.completions
        (received,) = upstream.received
    assert record.exchange is not None
    assert record.exchange.logs == [{"metadata": {"sees": False}}]
    assert received.all("x-auth-user") == arrives
    assert b"eve" not in received.head.lower()
    assert b"6.6.6.6" not in received.head


async def test_an_error_page_shows_no_forged_header() -> None:
    """T-HD-1."""
    async with proxy(served(None, OWNING + REFUSE_ALL)) as running:
        reply = await running.ask(request("GET", "/refused", *FORGED))
    assert reply.status == 403
    assert b"eve" not in (reply.head + reply.body).lower()


REFUSE_ALL = "  - actions: [{type: deny}]\n"

CONNECTIONS = {
    "one line": ("Connection: close, X-Auth-User, Authorization, Host, X-Forwarded-For, X-Hop",),
    "odd case": ("CONNECTION: Close, x-AUTH-user, AUTHORIZATION, hOST, X-Forwarded-FOR, x-hop",),
    "repeated": (
        "Connection: x-auth-user, authorization", "Connection: host, x-forwarded-for",
        "Connection: x-hop",
    ),
}  # fmt: skip


@pytest.mark.parametrize("lines", CONNECTIONS.values(), ids=CONNECTIONS)
async def test_connection_takes_away_nothing_that_others_rest_on(lines: tuple[str, ...]) -> None:
    """T-HD-3: only genuine hop-by-hop names are honoured."""
    fields = (*lines, "X-Hop: 1", "Authorization: Basic eA==", "Cookie: a=b")
    async with origin() as upstream:
        async with proxy(served(upstream.port, OWNING)) as running:
            await running.ask(request("GET", "/user", *fields))
        (received,) = upstream.received
    assert received.all("x-auth-user") == ["alice"]
    assert received.all("authorization") == ["Basic eA=="]
    assert received.all("host") == ["a.test"]
    assert received.all("x-forwarded-for") == ["127.0.0.1"]
    assert received.all("x-hop") == []


WRITTEN = """
on_http_request:
  - actions: [{type: add-headers, config: {headers: {x-claim: "${req.url.query_params['v'][0]}"}}}]
"""
VALUES = {
    "non-ASCII": ("%C3%A9%E2%82%AC", 200, "é€".encode()),
    "tab": ("a%09b", 200, b"a\tb"),
    "quotes": ("%22a%22", 200, b'"a"'),
    "CR and LF": ("a%0D%0AX-Evil:1", 500, None),
    "LF": ("a%0AX-Evil:1", 500, None),
    "NUL": ("a%00", 500, None),
    "DEL": ("a%7F", 500, None),
    "8 kB": ("a" * 8193, 500, None),
}


@pytest.mark.parametrize(("text", "status", "arrives"), VALUES.values(), ids=VALUES)
async def test_a_value_in_a_header_has_one_encoding_and_injects_nothing(
    text: str, status: int, arrives: bytes | None
) -> None:
    """T-HD-5, T-EX-6, T-AH-2: UTF-8; over the limit it is refused, never cut."""

    limits = Limits(max_request_line_bytes=20_000)
    async with origin() as upstream:
        async with proxy(served(upstream.port, WRITTEN), limits=limits) as running:
            reply = await running.ask(request("GET", f"/?v={text}"))
        assert reply.status == status
        heads = [each.head for each in upstream.received]
    if arrives is None:
        assert heads == []
    else:
        assert b"\r\nx-claim: " + arrives + b"\r\n" in heads[0]


async def test_repeated_fields_are_all_seen() -> None:
    """T-HD-6, T-EX-9."""
    rules = """
on_http_request:
  - actions:
      - type: log
        config:
          metadata:
            cookies: ${req.headers['cookie']}
            credentials: ${req.headers['authorization']}
"""
    lines = ("Cookie: a=1", "Cookie: b=2", "Authorization: Basic eA==", "Authorization: Basic eA==")
    async with origin() as upstream, proxy(served(upstream.port, rules)) as running:
        assert (await running.ask(request("GET", "/", *lines))).status == 200
        assert running.completions[0].exchange is not None
        (entry,) = running.completions[0].exchange.logs
    assert entry["metadata"] == {"cookies": ["a=1", "b=2"], "credentials": ["Basic eA=="] * 2}


GUARDED = """
on_http_request:
  - name: everybody but probes of the status page
    expressions: ["!req.url.path.matches('^/status$')"]
    actions: [{type: deny}]
"""
NOT_STATUS = [
    "/admin?x=/status", "/status/../admin", "/statusX", "/status/", "/status;x", "/x/status",
    "/Status", "/status%20", "/status%3Fx", "/admin%23/status",
]  # fmt: skip


@pytest.mark.parametrize("target", NOT_STATUS)
async def test_a_rule_for_one_path_is_skipped_for_no_other(target: str) -> None:
    """T-PA-2."""
    async with origin() as upstream:
        async with proxy(served(upstream.port, GUARDED)) as running:
            assert (await running.ask(request("GET", target))).status == 403
            assert (await running.ask(request("GET", "/admin#/status"))).status == 400
            assert (await running.ask(request("GET", "/x/../status?y"))).status == 200
        assert [each.target for each in upstream.received] == ["/status?y"]


RELAXED = """
on_http_request:
  - expressions: ["req.method != 'GET' || req.url.path.startsWith('/admin')"]
    actions: [{type: deny}]
  - actions:
      - type: add-headers
        config: {headers: {x-seen: "${req.method} ${req.url.path} ${req.host}"}}
"""
CLAIMS = [
    "X-Original-URI: /public", "X-Original-URL: /public", "X-Rewrite-URL: /public",
    "X-Forwarded-Uri: /public", "X-HTTP-Method-Override: GET", "X-HTTP-Method: GET",
    "X-Method-Override: GET", "X-Forwarded-Method: GET", "X-Forwarded-Prefix: /public",
    "User-Agent: kube-probe/1.30", "X-Forwarded-For: 127.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("line", CLAIMS)
async def test_what_a_client_says_of_its_request_changes_nothing(line: str) -> None:
    """T-PA-3."""
    async with origin() as upstream:
        async with proxy(served(upstream.port, RELAXED)) as running:
            assert (await running.ask(request("GET", "/admin", line))).status == 403
            assert (await running.ask(request("DELETE", "/public", line))).status == 403
            assert (await running.ask(request("GET", "/open", line))).status == 200
        (received,) = upstream.received
    assert received.line == "GET /open HTTP/1.1"
    assert received.first("x-seen") == "GET /open a.test"


async def unchanged(running: Proxy, line: bytes) -> Reply:
    return await running.ask(b"GET / HTTP/1.1\r\nHost: a.test\r\n" + line + b"\r\n\r\n")


@pytest.mark.parametrize(
    "line",
    ["Range: bytes=0-٩".encode(), b"Range: bytes=0-4,-1", b"X: \xff\xfe", b"Accept-Encoding: br"],
)
async def test_fields_that_are_the_upstreams_business_pass_byte_by_byte(line: bytes) -> None:
    """T-AH-7."""
    async with origin() as upstream, proxy(served(upstream.port)) as running:
        assert (await unchanged(running, line)).status == 200
        assert b"\r\n" + line + b"\r\n" in upstream.received[0].head


async def test_bad_cookies_are_one_record_and_no_message() -> None:
    """T-AH-8, T-CK-2: nameless and malformed cookies are ignored."""
    rules = """
on_http_request:
  - actions: [{type: log, config: {metadata: {names: "${size(req.cookies)}"}}}]
"""
    cookie = "Cookie: " + ";".join(["=v", "\x80", "a b", "@"] * 1250)[:8000]
    async with origin() as upstream, proxy(served(upstream.port, rules)) as running:
        assert (await running.ask(request("GET", "/", cookie))).status == 200
        assert len(running.completions) == 1
        assert len(upstream.received) == 1


def test_a_body_in_chunks_of_one_byte_costs_less_than_a_second() -> None:
    """T-AH-6."""
    reader = ChunkedReader(max_trailers=10, max_trailer_bytes=1000)
    wire = b"1\r\nx\r\n" * 1_000_000
    start = time.process_time()
    received = sum(len(reader.read(wire[at : at + 65536])) for at in range(0, len(wire), 65536))
    spent = time.process_time() - start
    assert received == 1_000_000
    assert spent < 1.0


async def test_a_download_is_never_decoded() -> None:
    """T-AH-5: a bomb passes as it is, and costs its own size."""

    bomb = gzip.compress(bytes(10_000_000))
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    rules = "on_http_response: [{actions: [{type: add-headers, config: {headers: {x-a: b}}}]}]"
    for each in ("", rules):
        async with origin(head + bomb) as upstream, proxy(served(upstream.port, each)) as running:
            reply = await running.ask(request())
            assert (reply.body, reply.first("content-encoding")) == (bomb, "gzip")
