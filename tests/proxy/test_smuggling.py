"""Requests that two servers might read differently: refused, or forwarded as exactly one."""

from __future__ import annotations

import pytest

from proxy.limits import Limits
from tests.proxy.rig import origin, proxy, request, served

GET = b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

# Each is answered 400 (or what stands there), the connection closed, nothing forwarded.
REFUSED = {
    "T-SM-1-length-and-coding": POST
    + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "T-SM-1-two-lengths": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "T-SM-1-equal-lengths": POST + b"Content-Length: 5\r\ncontent-length: 5\r\n\r\nhello",
    "T-SM-1-length-list": POST + b"Content-Length: 5, 5\r\n\r\nhello",
    "T-SM-2-plus": POST + b"Content-Length: +5\r\n\r\nhello",
    "T-SM-2-hex": POST + b"Content-Length: 0x5\r\n\r\nhello",
    "T-SM-2-underscore": POST + b"Content-Length: 5_0\r\n\r\nhello",
    "T-SM-2-arabic": POST + "Content-Length: \u0665\r\n\r\nhello".encode(),
    "T-SM-2-20-digits": POST + b"Content-Length: 10000000000000000005\r\n\r\nhello",
    "T-SM-2-empty": POST + b"Content-Length: \r\n\r\n",
    "T-SM-2-leading-zero": POST + b"Content-Length: 05\r\n\r\nhello",
    "T-SM-3-xchunked": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "T-SM-3-list": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "T-SM-3-gzip-first": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "T-SM-3-vertical-tab": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "T-SM-3-next-line": POST + b"Transfer-Encoding: chunked\xc2\x85\r\n\r\n0\r\n\r\n",
    "T-SM-3-nbsp": POST + b"Transfer-Encoding: \xa0chunked\r\n\r\n0\r\n\r\n",
    "T-SM-3-twice": POST
    + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "T-SM-3-http-1.0": b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "T-SM-4-space-before-colon": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "T-SM-4-underscore": POST + b"Transfer_Encoding: chunked\r\n\r\n0\r\n\r\n",
    "T-SM-4-dot": POST + b"Content.Length: 5\r\n\r\nhello",
    "T-SM-6-hex-prefix": CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n",
    "T-SM-6-sign": CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n",
    "T-SM-6-overflow": CHUNKED + b"10000000000000005\r\nhello\r\n0\r\n\r\n",
    "T-SM-6-unicode-digit": CHUNKED + "\uff15\r\nhello\r\n0\r\n\r\n".encode(),
    "T-SM-6-space": CHUNKED + b"5 \r\nhello\r\n0\r\n\r\n",
    "T-SM-6-leading-space": CHUNKED + b" 5\r\nhello\r\n0\r\n\r\n",
    "T-SM-6-bare-lf": CHUNKED + b"5\nhello\r\n0\r\n\r\n",
    "T-SM-6-bare-cr": CHUNKED + b"5\rhello\r\n0\r\n\r\n",
    "T-SM-6-empty": CHUNKED + b"\r\nhello\r\n0\r\n\r\n",
    "T-SM-7-newline-in-extension": CHUNKED + b"5;a\nb\r\nhello\r\n0\r\n\r\n",
    "T-SM-7-huge-extension": CHUNKED + b"5;" + b"a" * 1_000_000 + b"\r\nhello\r\n0\r\n\r\n",
    "T-SM-7-many-extensions": CHUNKED + (b"1;" + b"a" * 1000 + b"\r\nx\r\n") * 1000,
    "T-SM-7-too-long": CHUNKED + b"5\r\nhello!\r\n0\r\n\r\n",
    "T-SM-7-too-short": CHUNKED + b"5\r\nhell\r\n0\r\n\r\n",
    "T-SM-8-many-trailers": CHUNKED + b"0\r\n" + b"X: 1\r\n" * 10_000 + b"\r\n",
    "T-SM-8-bad-trailer": CHUNKED + b"0\r\nX : 1\r\n\r\n",
    "T-SM-9-obs-fold": POST + b"X: a\r\n b\r\n\r\n",
    "T-SM-9-space-in-name": POST + b"X Y: a\r\n\r\n",
    "T-SM-9-paren-in-name": POST + b"X(: a\r\n\r\n",
    "T-SM-9-nul-in-name": POST + b"X\0: a\r\n\r\n",
    "T-SM-9-high-byte-in-name": POST + b"X\xff: a\r\n\r\n",
    "T-SM-9-empty-name": POST + b": a\r\n\r\n",
    "T-SM-9-no-colon": POST + b"X\r\n\r\n",
    "T-SM-9-known-name-without-colon": POST + b"Accept\r\n\r\n",
    "T-SM-9-bare-cr": POST + b"X: a\rb\r\n\r\n",
    "T-SM-9-bare-lf": POST + b"X: a\nb\r\n\r\n",
    "T-SM-9-nul": POST + b"X: a\0b\r\n\r\n",
    "T-SM-9-delete": POST + b"X: a\x7fb\r\n\r\n",
    "T-SM-11-two-hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "T-SM-11-equal-hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "T-SM-11-no-host": b"GET / HTTP/1.1\r\n\r\n",
    "T-SM-11-path": b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "T-SM-11-userinfo": b"GET / HTTP/1.1\r\nHost: x@a\r\n\r\n",
    "T-SM-11-space": b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    "T-SM-11-comma": b"GET / HTTP/1.1\r\nHost: a,b\r\n\r\n",
    "T-SM-11-bad-port": b"GET / HTTP/1.1\r\nHost: a:b\r\n\r\n",
    "T-SM-12-tab": b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "T-SM-12-double-space": b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "T-SM-12-trailing-space": b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
    "T-SM-12-version-0.9": b"GET / HTTP/0.9\r\nHost: a\r\n\r\n",
    "T-SM-12-version-2.0": b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
    "T-SM-12-version-1.2": b"GET / HTTP/1.2\r\nHost: a\r\n\r\n",
    "T-SM-12-no-version": b"GET /\r\n\r\n",
    "T-SM-12-crlf-flood": b"\r\n" * 1000 + GET,
    "T-SM-12-two-crlf": b"\r\n\r\n" + GET,
    "T-PA-1-fragment": b"GET /admin#x HTTP/1.1\r\nHost: a\r\n\r\n",
    "T-PA-1-encoded-slash": b"GET /%2fadmin HTTP/1.1\r\nHost: a\r\n\r\n",
    "T-PA-1-backslash": b"GET /public\\..\\admin HTTP/1.1\r\nHost: a\r\n\r\n",
    "T-PA-1-nul": b"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n",
    "T-PA-1-over-long": b"GET /\xc0\xaf HTTP/1.1\r\nHost: a\r\n\r\n",
    "T-PA-1-above-root": b"GET /../admin HTTP/1.1\r\nHost: a\r\n\r\n",
    "T-PA-1-asterisk": b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
    "T-PA-1-dots-with-parameter": b"GET /public/..;/admin HTTP/1.1\r\nHost: a\r\n\r\n",
    "T-HD-6-two-tokens": b"GET / HTTP/1.1\r\nHost: a\r\n"
    b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n",
}  # fmt: skip

OTHER_STATUS = {
    "T-PA-4-connect": (b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 405),
    "T-PA-4-trace": (b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
    "T-PA-4-lower-case": (b"get / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    "T-PA-4-unknown": (b"FOO / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    "T-SM-14-expect": (POST + b"Expect: foo\r\n\r\n", 417),
}


@pytest.mark.parametrize(
    ("data", "status"),
    [*((data, 400) for data in REFUSED.values()), *OTHER_STATUS.values()],
    ids=[*REFUSED, *OTHER_STATUS],
)
async def test_is_refused_and_the_connection_closed(data: bytes, status: int) -> None:
    async with origin() as upstream, proxy(served(upstream.port)) as running:
        client = await running.client()
        client.send(data)
        client.send(GET)
        answer = await client.rest()
        assert answer.count(b"HTTP/1.1 ") == 1
        assert int(answer[9:12]) == status
        assert b"ngrok-error-code: " in answer
        assert upstream.connections == 0


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/public/%2e%2e/admin", "/admin"), ("/public/../admin", "/admin"), ("//admin", "/admin"),
        ("/%61dmin", "/admin"), ("/./admin/.", "/admin/"), ("/admin;x", "/admin;x"),
        ("/a%7eb", "/a~b"), ("/a%3fb", "/a%3Fb"), ("http://a.test/admin", "/admin"),
        ("http://a.test", "/"), ("/admin?x=/../y", "/admin?x=/../y"),
    ],
)  # fmt: skip
async def test_policy_and_upstream_see_the_same_canonical_path(target: str, path: str) -> None:
    rules = """
on_http_request:
  - actions: [{type: add-headers, config: {headers: {x-seen: "${req.url.path}"}}}]
"""
    async with origin() as upstream, proxy(served(upstream.port, rules)) as running:
        assert (await running.ask(request("GET", target))).status == 200
        (received,) = upstream.received
        assert received.target == path
        assert received.first("x-seen") == path.split("?", maxsplit=1)[0]


SEE_PATH = """
on_http_request:
  - expressions: ["req.url.path.startsWith('/admin')"]
    actions: [{type: deny}]
  - expressions: ["req.url.path.startsWith('/old')"]
    actions: [{type: url-rewrite, config: {from: /old/, to: /new/}}]
  - actions: [{type: add-headers, config: {headers: {x-seen: "${req.url.path}"}}}]
"""


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/api/v4/projects/group%2fproject?a=%2F", "/api/v4/projects/group%2Fproject"),
        ("/@scope%2Fname", "/@scope%2Fname"), ("/old/a%2Fb", "/new/a%2Fb"),
        ("http://a.test/x%2Fy", "/x%2Fy"),
    ],
)  # fmt: skip
async def test_a_kept_encoded_slash_is_the_same_to_policy_and_upstream(
    target: str, path: str
) -> None:
    """T-PA-1: no separator to the policy, and none is written towards the upstream."""
    async with origin() as upstream:
        async with proxy(served(upstream.port, SEE_PATH, keeps_encoded_slashes=True)) as running:
            assert (await running.ask(request("GET", target))).status == 200
        (received,) = upstream.received
        assert received.target.partition("?")[0] == path
        assert received.first("x-seen") == path


@pytest.mark.parametrize(
    ("target", "status"),
    [("/admin%2Fx", 403), ("/%2Fadmin", 400), ("/a%2F..%2F..%2Fadmin", 400), ("/a%2F..;/x", 400),
     ("/a%252Fb", 400), ("/a%5Cb", 400), ("http://b.test/a%2Fb", 400)],
)  # fmt: skip
async def test_a_kept_encoded_slash_leads_past_no_prefix_and_no_other_endpoint(
    target: str, status: int
) -> None:
    async with origin() as upstream:
        kept = served(upstream.port, SEE_PATH, host="a.test", keeps_encoded_slashes=True)
        async with proxy(kept, served(upstream.port, host="b.test")) as running:
            assert (await running.ask(request("GET", target))).status == status
        assert upstream.received == []


async def test_an_additional_method_is_the_same_to_policy_and_upstream() -> None:
    rules = """
on_http_request:
  - actions: [{type: add-headers, config: {headers: {x-seen: "${req.method}"}}}]
"""
    limits = Limits(additional_methods=("M-SEARCH",))
    async with (
        origin() as upstream,
        proxy(served(upstream.port, rules), limits=limits) as running,
    ):
        assert (await running.ask(request("M-SEARCH", "/a"))).status == 200
        (received,) = upstream.received
        assert (received.method, received.first("x-seen")) == ("M-SEARCH", "M-SEARCH")


async def test_an_absolute_target_wins_over_host() -> None:
    async with origin() as upstream, proxy(served(upstream.port, host="b.test")) as running:
        reply = await running.ask(request("GET", "http://b.test/x", host="a.test"))
        assert reply.status == 404 or upstream.received[0].all("host") == ["b.test"]


@pytest.mark.parametrize(
    "body",
    [b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", b"0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n"],
)
async def test_a_body_behind_our_own_answer_is_never_a_request(body: bytes) -> None:
    """T-SM-5."""
    rules = """
on_http_request:
  - expressions: ["req.method == 'POST'"]
    actions: [{type: deny}]
"""
    async with origin() as upstream, proxy(served(upstream.port, rules)) as running:
        client = await running.client()
        client.send(
            request("POST", "/", body=body)
            + GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        )
        answer = await client.rest()
        assert answer.count(b"HTTP/1.1 ") == 2
        assert [r.target for r in upstream.received] == ["/next"]


async def test_the_body_of_a_rejected_upgrade_is_never_a_request() -> None:
    """T-SM-15."""
    async with origin() as upstream, proxy(served(upstream.port)) as running:
        client = await running.client()
        client.send(
            request(
                "GET", "/", "Upgrade: websocket", "Connection: Upgrade",
                "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                body=GET,
            )
        )  # fmt: skip
        answer = await client.rest()
        assert answer.startswith(b"HTTP/1.1 400")
        assert answer.count(b"HTTP/1.1 ") == 1
        assert upstream.received == []


async def test_an_upgrade_to_h2c_is_ignored() -> None:
    """T-SM-15."""
    async with origin() as upstream, proxy(served(upstream.port)) as running:
        fields = ("Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABk")
        assert (await running.ask(request("GET", "/", *fields))).status == 200
        (received,) = upstream.received
        assert b"h2c" not in received.head
        assert b"settings" not in received.head.lower()


async def test_one_empty_line_before_a_request_is_fine() -> None:
    async with origin() as upstream, proxy(served(upstream.port)) as running:
        assert (await running.ask(b"\r\n" + GET)).status == 200
        assert len(upstream.received) == 1


async def test_what_an_expression_puts_into_a_header_is_never_a_line_of_its_own() -> None:
    rules = r"""
on_http_request:
  - actions: [{type: add-headers, config: {headers: {x-a: "${req.url.query_params['a'][0]}"}}}]
"""
    async with origin() as upstream, proxy(served(upstream.port, rules)) as running:
        reply = await running.ask(request("GET", "/?a=1%0d%0aX-Injected:%202"))
        assert reply.status == 500
        assert upstream.received == []
