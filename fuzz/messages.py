"""Targets that read what arrives on a connection."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from fuzz.target import Target, text_of
from penstock.sample_request import parse_sample, request_from_file
from policy.cookies import request_cookies, response_cookies
from policy.media_type import media_type, parameters
from policy.net import AddressError, NetworkSet, parse_address
from policy.url import (
    ENCODED_SLASH,
    UrlError,
    parse_query,
    parse_request_target,
    parse_url,
    percent_encode_illegal,
    resolve_reference,
)
from policy.user_agent import parse_user_agent
from proxy.http1.body import ChunkedReader
from proxy.http1.grammar import FieldLines, GrammarError
from proxy.http1.request_head import METHODS, BadRequest, RequestHead, RequestHeads
from proxy.http1.response_head import BadResponse, ResponseHeads
from proxy.limits import Limits
from proxy.proxy_protocol import MalformedProxyHeader, parse_proxy_header
from proxy.trusted_proxies import MAX_HOPS, TrustedProxies, UnreadableForwardedFor
from proxy.websocket_frames import FrameChecker, FrameViolation

LIMITS = Limits()
TRUSTED = TrustedProxies(NetworkSet.parse(["10.0.0.0/8", "2001:db8::/32"]))
PAGE = parse_url("https://a.test/b/c?d=e")


def proxy_header(data: bytes) -> None:
    """Find a header once, whatever follows it, and never longer than the data."""
    try:
        header = parse_proxy_header(data)
    except MalformedProxyHeader:
        return
    if header is None:
        return
    assert header.length <= len(data)
    assert parse_proxy_header(data[: header.length]) == header
    for place in (header.source, header.destination):
        assert place is None or str(parse_address(place[0])) == place[0]


def request_head(data: bytes) -> None:
    """Accept nothing that is another head when it is written down and read again."""
    try:
        head = RequestHeads(FieldLines()).read(data, LIMITS)
    except BadRequest:
        return
    assert head.method in METHODS
    written = [f"{head.method} {head.target} {head.version}"]
    written += [f"{name}: {value}" for name, value in head.fields.lines]
    again = "\r\n".join(written).encode("utf-8", "surrogateescape")
    assert _meaning(RequestHeads(FieldLines()).read(again, LIMITS)) == _meaning(head)


def _meaning(head: RequestHead) -> tuple[object, ...]:
    says = (head.method, head.target, head.version, head.fields.lines, head.host, head.length)
    return *says, list(head.connection), list(head.upgrade), head.expects_continue


def response_head(data: bytes) -> None:
    for method in ("GET", "HEAD"):
        try:
            head = ResponseHeads().read(data, method=method, max_fields=100)
        except BadResponse:
            continue
        assert head.length == 0 or method == "GET"


def chunked_body(data: bytes) -> None:
    """Where the body ends does not depend on how it arrives."""
    whole = _chunked([data])
    assert _chunked([data[at : at + 1] for at in range(len(data))]) == whole
    assert _chunked([data[: len(data) // 2], data[len(data) // 2 :]]) == whole


def _chunked(pieces: list[bytes]) -> object:
    reader = ChunkedReader(max_trailers=10, max_trailer_bytes=1000)
    content: list[bytes] = []
    behind: list[bytes] = []
    try:
        for piece in pieces:
            if reader.ended:
                behind.append(piece)
            else:
                content.append(reader.read(piece))
        reader.end_of_stream()
    except GrammarError:
        return "refused"
    return b"".join(content), reader.trailers, reader.rest + b"".join(behind)


def websocket_frames(data: bytes) -> None:
    """All that is passed on was sent; how it arrives makes no difference to it."""
    passed = _frames([data])
    assert data.startswith(passed)
    assert _frames([data[at : at + 1] for at in range(len(data))]).startswith(passed)


def _frames(pieces: list[bytes]) -> bytes:
    checker = FrameChecker(masked=True, max_message_bytes=65536)
    passed: list[bytes] = []
    with suppress(FrameViolation):
        for piece in pieces:
            passed.append(checker.take(piece))  # noqa: PERF401 - kept up to a violation
    return b"".join(passed)


def cookies(data: bytes) -> None:
    values = text_of(data).split("\n")
    for name, found in request_cookies(values).items():
        assert name == name.strip(" \t")
        assert ";" not in name + "".join(cookie.value for cookie in found)


def set_cookie(data: bytes) -> None:
    for found in response_cookies(text_of(data).split("\n")).values():
        paths = [len(cookie.path) for cookie in found]
        assert paths == sorted(paths, reverse=True)


def forwarded_for(data: bytes) -> None:
    lines = text_of(data).split("\n")
    try:
        client = TRUSTED.client(lines)
    except UnreadableForwardedFor:
        return
    assert client is not None
    assert str(parse_address(client.ip)) == client.ip
    if TRUSTED.trusts(client.ip):
        assert sum(line.count(",") + 1 for line in lines) <= MAX_HOPS


def content_type(data: bytes) -> None:
    text = text_of(data)
    assert media_type(text) == media_type(text).lower()
    assert all(name == name.lower() for name in parameters(text))


def request_target(data: bytes) -> None:
    """Give a path one form, which is its own, and leave nothing in it to resolve."""
    target = text_of(data)
    for keeps in (False, True):
        how: dict[str, Any] = {"scheme": "https", "keeps_encoded_slashes": keeps}
        try:
            url = parse_request_target(target, authority="a.test", **how)
        except UrlError:
            continue
        parse_query(url.query)
        assert keeps or ENCODED_SLASH not in url.path
        decoded = url.path.replace(ENCODED_SLASH, "/")
        assert not {".", ".."} & set(decoded.split("/"))
        again = parse_request_target(url.uri, authority=url.authority, **how)
        assert (again.path, again.query, again.host) == (url.path, url.query, url.host)


def absolute_url(data: bytes) -> None:
    text = text_of(data)
    with suppress(UrlError):
        url = parse_url(text)
        assert parse_url(url.text).text == url.text
    try:
        location = percent_encode_illegal(resolve_reference(PAGE, text))
    except UrlError:
        return
    assert location.isascii()
    assert location.isprintable()


def address(data: bytes) -> None:
    text = text_of(data)
    with suppress(AddressError):
        assert parse_address(str(parse_address(text))) == parse_address(text)
    with suppress(AddressError):
        NetworkSet.parse(text.split("\n"))


def user_agent(data: bytes) -> None:
    found = parse_user_agent(text_of(data))
    assert found.is_mobile + found.is_tablet + found.is_desktop + found.is_bot <= 1


def request_file(data: bytes) -> None:
    message, scheme = request_from_file(data)
    try:
        sample = parse_sample(message, scheme=scheme)
    except BadRequest:
        return
    assert len(sample.body) <= len(data)


HEAD_WORDS = (
    "HTTP/1.1",
    "Host: a.test",
    "Content-Length: 3",
    "Transfer-Encoding: chunked",
    "Connection: close, upgrade",
    "Expect: 100-continue",
    "Authorization: Basic eA==",
    "\r\n",
)

MESSAGE_TARGETS = (
    Target(
        name="proxy-header",
        run=proxy_header,
        seeds=(
            b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 80\r\nGET",
            b"PROXY UNKNOWN\r\n",
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0f\xc0\0\2\1\xc0\0\2\2\x12\x67\0\x50\4\0\0",
            b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0",
        ),
        words=("PROXY ", "TCP6", "UNKNOWN", "2001:db8::1", "\r\n"),
    ),
    Target(
        name="request-head",
        run=request_head,
        seeds=(
            b"GET /a?b HTTP/1.1\r\nHost: a.test\r\nX-One:  two \t\r\nEmpty:",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue",
            b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket",
        ),
        words=HEAD_WORDS,
    ),
    Target(
        name="response-head",
        run=response_head,
        seeds=(
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close",
            b"HTTP/1.0 304\r\n",
            b"HTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: Upgrade",
        ),
        words=HEAD_WORDS,
    ),
    Target(
        name="chunked-body",
        run=chunked_body,
        seeds=(
            b"5\r\nhello\r\n0\r\n\r\nnext",
            b'a;b=c;d="e"\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n',
        ),
        words=("0\r\n\r\n", "\r\n", ";a=b"),
    ),
    Target(
        name="websocket-frames",
        run=websocket_frames,
        seeds=(
            b"\x81\x82\0\0\0\0hi",
            b"\x01\x81\1\2\3\4x\x89\x80\0\0\0\0\x80\x80\0\0\0\0\x88\x82\0\0\0\0\3\xe8",
        ),
    ),
    Target(
        name="cookies",
        run=cookies,
        seeds=(b'session=4f1c; theme="dark"; =x; a', b"a=b; a=c\nd=e"),
    ),
    Target(
        name="set-cookie",
        run=set_cookie,
        seeds=(
            b"a=b; Path=/x; Domain=.A.test; Max-Age=-60; Secure; HttpOnly; SameSite=Lax",
            b'a="b"; Expires=Sun, 01-Mar-2026 12:00:00 GMT; Priority=High\na=c; path=/',
        ),
        words=("Expires=", "Max-Age=", " GMT", " +0530", "Mar", "99999999999"),
    ),
    Target(
        name="forwarded-for",
        run=forwarded_for,
        seeds=(b"203.0.113.7, 10.0.0.1", b"[2001:db8::1]:4711,192.0.2.1:80\n::ffff:10.0.0.1"),
        words=("::ffff:", "2001:db8::", "10.0.0.1, "),
    ),
    Target(
        name="content-type",
        run=content_type,
        seeds=(b'Text/HTML; charset="a\\"b"; x=y;', b"multipart/form-data;boundary=z"),
    ),
    Target(
        name="request-target",
        run=request_target,
        seeds=(b"/a/../b//c;d/%7E%2e?x=%20&y", b"https://A.test:443/p?q", b"/%C3%A9|[]"),
        words=("%2F", "%2e", "/../", "/./", "%25", "http://"),
    ),
    Target(
        name="absolute-url",
        run=absolute_url,
        seeds=(b"https://u:p@A.test.:8443/a/%2e/b?c#d", b"//b.test/x", b"../y?z", b"http://[::1]/"),
        words=("https://", "%2F", "/../", "[::1]", "@"),
    ),
    Target(
        name="address",
        run=address,
        seeds=(b"192.0.2.1", b"::ffff:192.0.2.1", b"10.0.0.0/8\n2001:db8::/32\n192.0.2.1/24"),
        words=("::", "/24", "fe80::1%eth0"),
    ),
    Target(
        name="user-agent",
        run=user_agent,
        seeds=(
            b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            b"Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5",
            b"GPTBot/1.2 (+https://openai.com/gptbot)",
        ),
        words=("Android 15; Mobile", "compatible; bot", "Windows NT 10.0", "+https://"),
    ),
    Target(
        name="request-file",
        run=request_file,
        seeds=(
            b"GET https://a.test/x HTTP/1.1\nAccept: */*\n",
            b"POST / HTTP/1.1\r\nHost: a\r\n\r\nbody",
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
        ),
        words=HEAD_WORDS,
    ),
)
