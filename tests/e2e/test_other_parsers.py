"""T-SM-D: what we forward is one request to every other parser, and the same one.

All that the framing mutations and the odd requests below bring through is sent to a real server
instead of our recording origin, over the kept connections of the pool: a disagreement about where
a request ends would show as a request that nobody sent, or as one that is missing.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.e2e.other_servers import SERVERS, Kind, Seen, started
from tests.proxy.rig import Origin, Proxy, origin, proxy, served
from tests.proxy.test_framing_mutations import CHUNKS, mutations

POST = b"POST %b HTTP/1.1\r\nHost: a.test\r\n"
# `%b` is the target, of which each request has one of its own.
ODD = {
    "plain": b"GET %b HTTP/1.1\r\nHost: a.test\r\n\r\n",
    "length": POST + b"Content-Length: 5\r\n\r\nhello",
    "no-length": POST + b"\r\n",
    "zero-length": POST + b"Content-Length: 0\r\n\r\n",
    "chunked": POST + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    "no-chunks": POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunk-extensions": POST
    + b'Transfer-Encoding: chunked\r\n\r\n5;a="b;c";d\r\nhello\r\n0;x=y\r\n\r\n',
    "trailers": POST
    + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\nHost: evil\r\n"
    b"Content-Length: 7\r\n\r\n",
    "chunks-that-look-like-requests": POST
    + b"Transfer-Encoding: chunked\r\n\r\n28\r\nGET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n\r\n"
    b"0\r\n\r\n",
    "body-that-looks-like-a-request": POST
    + b"Content-Length: 40\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n",
    "get-with-body": b"GET %b HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello",
    "delete-with-chunks": b"DELETE %b HTTP/1.1\r\nHost: a.test\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    "head": b"HEAD %b HTTP/1.1\r\nHost: a.test\r\n\r\n",
    "http-1.0": b"GET %b HTTP/1.0\r\nHost: a.test\r\n\r\n",
    "http-1.0-with-body": b"POST %b HTTP/1.0\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello",
    "absolute-form": b"GET http://a.test%b HTTP/1.1\r\nHost: b.test\r\n\r\n",
    "leading-empty-line": b"\r\nGET %b HTTP/1.1\r\nHost: a.test\r\n\r\n",
    "expectation": POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
    "connection-names-framing": POST
    + b"Connection: content-length, transfer-encoding\r\nContent-Length: 5\r\n\r\nhello",
    "h2c": POST
    + b"Connection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"
    b"Content-Length: 5\r\n\r\nhello",
    "te": POST + b"TE: trailers, chunked\r\nContent-Length: 5\r\n\r\nhello",
    "odd-names": POST
    + b"X_Under: 1\r\nX.Dot: 2\r\n!#$&'*+-^`|~: 3\r\nContent-Length: 5\r\n\r\nhello",
    "odd-values": POST
    + b"X-A: \ta\tb \r\nX-B:\r\nX-C: \xff\xc3\xa9\r\nContent-Length: 5\r\n\r\nhello",
    "length-in-another-name": POST + b"X-Content-Length: 9\r\nContent-Length: 5\r\n\r\nhello",
    "kept-alive-forever": POST + b"Keep-Alive: 5\r\nProxy-Connection: close\r\nContent-Length: 5"
    b"\r\n\r\nhello",
}  # fmt: skip
TARGETS = [
    "/a?b=c&d",
    "/a?",
    "/%7Ea",
    "/a%3Fb",
    "/a;b=c",
    "/a?x=/../y",
    "/%C3%A9",
    "/a//b",
    "/x/../y",
]


def messages() -> dict[str, bytes]:
    """Return every message under its target, which tells it from all others."""
    found: dict[str, bytes] = {}
    for name, message in ODD.items():
        found[f"/odd/{name}"] = message.replace(b"%b", f"/odd/{name}".encode())
    for number, target in enumerate(TARGETS):
        own = f"/t{number}{target}"
        found[own] = ODD["plain"].replace(b"%b", own.encode())
    for number, lines in enumerate(mutations()):
        own = f"/{number}"
        found[own] = (POST % own.encode()) + lines + b"\r\n" + CHUNKS
    return found


async def drive(running: Proxy, sent: dict[str, bytes]) -> dict[str, int]:
    """Send each message on a connection of its own; return the status of the first answer."""
    several = asyncio.Semaphore(8)
    statuses: dict[str, int] = {}

    async def one(name: str, message: bytes) -> None:
        async with several:
            client = await running.client()
            client.send(message)
            client.writer.write_eof()
            answer = await client.rest()
            client.close()
        if answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\n"):
            answer = answer[25:]
        statuses[name] = int(answer[9:12]) if answer else 0

    await asyncio.gather(*(one(name, message) for name, message in sent.items()))
    return statuses


def recorded(upstream: Origin) -> list[Seen]:
    return [Seen(each.method, each.target, each.body) for each in upstream.received]


@pytest.mark.parametrize("kind", SERVERS, ids=str)
async def test_every_other_parser_sees_exactly_the_requests_that_we_forward(
    kind: Kind, tmp_path: Path
) -> None:
    sent = messages()
    async with origin() as ours, proxy(served(ours.port)) as running:
        await drive(running, sent)
    expected = {each.target: each for each in recorded(ours)}
    assert len(expected) == len(ours.received)
    assert len([target for target in expected if target.startswith("/odd/")]) == len(ODD)

    async with origin() as behind:
        with started(kind, origin=behind.port, folder=tmp_path) as server:
            async with proxy(served(server.port)) as running:
                statuses = await drive(running, sent)
            seen = recorded(behind) if server.record is None else server.seen()
    assert disagreements(expected, seen) == []
    # A server may refuse what it does not like, as old httptools does every name that begins like
    # Transfer-Encoding: a refusal is an answer, a loss is not.
    lost = [
        name
        for name in expected.keys() - {each.target for each in seen}
        if statuses.get(name) == 200
    ]
    assert lost == []
    assert len(seen) > 0.5 * len(expected)


def disagreements(expected: dict[str, Seen], seen: list[Seen]) -> list[object]:
    """Return the requests that came twice, that nobody sent, or that are not the same."""
    by_target: dict[str, list[Seen]] = {}
    for each in seen:
        by_target.setdefault(each.target, []).append(each)
    return [
        (target, requests, expected.get(target))
        for target, requests in by_target.items()
        if requests != [expected.get(target)]
    ]
