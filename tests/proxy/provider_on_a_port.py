"""Puts the scripted OpenID provider on a loopback port, where it can also be slow and huge."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from policy.effect import Fetch, Fetched
from tests.openid_provider import Provider
from tests.tokens import key_set

LOOPBACK = "127.0.0.1"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class ServedProvider:
    """The provider and its place. `instead` are handlers that answer for a path."""

    provider: Provider
    issuer: str
    instead: dict[str, Handler] = field(default_factory=dict)
    hits: list[str] = field(default_factory=list)
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    def asked(self, path: str) -> int:
        return self.hits.count(path)

    async def answered(self, request: web.Request) -> web.StreamResponse:
        """Answer as the provider does."""
        path = request.path
        if path == "/.well-known/openid-configuration":
            return web.json_response(self.provider.metadata())
        if path == "/jwks":
            content = self.provider.answers.get(path, key_set(*self.provider.keys))
            return web.Response(body=content, content_type="application/json")
        fetch = Fetch(
            url=str(request.url),
            method=request.method,
            headers=tuple(request.headers.items()),
            body=await request.read(),
            limit_bytes=1,
            timeout_s=1,
        )
        given = self.provider.fetch(fetch)
        assert isinstance(given, Fetched)
        return web.Response(status=given.status_code, headers=dict(given.headers), body=given.body)

    async def stall(self, _request: web.Request) -> web.StreamResponse:
        """Never answer."""
        await self.closing.wait()
        return web.Response()

    async def redirect(self, _request: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": f"{self.issuer}/elsewhere"})

    async def huge(self, request: web.Request) -> web.StreamResponse:
        """Answer without an end."""
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        await answer.prepare(request)
        try:
            for _ in range(1000):
                await answer.write(b" " * 65536)
        except ConnectionError:
            pass
        return answer


@asynccontextmanager
async def served_provider(provider: Provider | None = None) -> AsyncIterator[ServedProvider]:
    """Serve a provider whose issuer is where it is, on the present time."""
    app = web.Application()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    played = provider or Provider()
    served = ServedProvider(played, "")

    async def answer(request: web.Request) -> web.StreamResponse:
        path = request.path
        served.hits.append(path)
        if path in served.instead:
            return await served.instead[path](request)
        return await served.answered(request)

    app.router.add_route("*", "/{path:.*}", answer)
    await runner.setup()
    site = web.TCPSite(runner, LOOPBACK, 0)
    await site.start()
    port = runner.addresses[0][1]
    served.issuer = played.issuer = f"http://{LOOPBACK}:{port}"
    played.now_s = int(time.time())
    try:
        yield served
    finally:
        served.closing.set()
        await runner.cleanup()
