"""A proxy that asks for tokens, in front of an upstream, with an issuer that tests play."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from proxy.limits import Limits
from tests.proxy.serving import LOOPBACK, PATIENCE_S, Running, plan_for, serving, until, upstream
from tests.tokens import (
    RS256,
    Signer,
    claims_of,
    ec_key,
    ed_key,
    key_set,
    rsa_key,
    settings,
    with_algorithms,
)

ES256 = Signer("ES256", ec_key(), kid="ec")
EDDSA = Signer("EdDSA", ed_key(), kid="ed")
STRANGER = Signer("RS256", rsa_key(1), kid="k1")
NEXT = Signer("RS256", rsa_key(2), kid="k2")


@dataclass
class Issuer:
    """Serves a key set, or whatever else it is told to answer."""

    port: int = 0
    answer: bytes = b""
    requests: list[bytes] = field(default_factory=list)
    # After the answer, this goes on until the other side hangs up.
    endless: bytes = b""
    sent_bytes: int = 0
    open: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}/jwks"

    def publish(self, *members: Any) -> None:
        self.respond(200, key_set(*members))

    def respond(self, status: int, body: bytes = b"", *lines: str) -> None:
        head = [f"HTTP/1.1 {status} Answer", f"Content-Length: {len(body)}", *lines]
        self.answer = "\r\n".join(head).encode() + b"\r\n\r\n" + body

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.requests.append(head)
                await self.open.wait()
                writer.write(self.answer)
                await writer.drain()
                while self.endless:
                    writer.write(self.endless)
                    self.sent_bytes += len(self.endless)
                    await writer.drain()
                    await asyncio.sleep(0 if len(self.endless) > 1 else 0.01)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def issuer() -> AsyncIterator[Issuer]:
    played = Issuer()
    played.publish(RS256, ES256, EDDSA)
    played.open.set()
    server = await asyncio.start_server(played.serve, LOOPBACK, 0)
    played.port = server.sockets[0].getsockname()[1]
    try:
        yield played
    finally:
        server.close()


def policy(*urls: str, **changes: Any) -> str:
    config = settings(jws=with_algorithms("RS256", "ES256", "EdDSA", urls=urls), **changes)
    return json.dumps({"on_http_request": [{"actions": [{"type": "jwt-validation", "config": config}]}]})  # fmt: skip  # noqa: E501


@dataclass
class Guarded:
    running: Running
    issuer: Issuer
    heads: list[str]

    async def ask(self, token: str | None, *more: str) -> tuple[int, str, str]:
        """Send a token; return status, reason in the log, and the whole answer."""
        reader, writer = await asyncio.open_connection(LOOPBACK, self.running.port)
        shown = [] if token is None else [f"Authorization: Bearer {token}"]
        lines = ["GET / HTTP/1.1", "Host: app.test", "Connection: close", *shown, *more]
        before = len(self.running.events())
        writer.write("\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape"))
        answer = (await asyncio.wait_for(reader.read(), PATIENCE_S)).decode()
        writer.close()
        await until(lambda: len(self.running.events()) > before)
        reason = self.running.events()[-1]["object"]["decision"]["reason"]
        return int(answer.split(" ", 2)[1]), reason, answer


@asynccontextmanager
async def guarded(*, limits: Limits | None = None, **changes: Any) -> AsyncIterator[Guarded]:
    async with issuer() as keys, upstream() as behind:
        plan = plan_for(behind.port, policy(keys.url, **changes), limits=limits or Limits())
        async with serving(plan) as running:
            yield Guarded(running, keys, behind.heads)


def now(**changes: Any) -> dict[str, Any]:
    return claims_of(time.time(), **changes)


def header(**changes: Any) -> dict[str, Any]:
    return RS256.header(**changes)
