"""Some sixty lines of proxy: `aiohttp_proxy.py PORT UPSTREAM_PORT TLS_PORT CHAIN KEY`."""

from __future__ import annotations

import asyncio
import ssl
import sys

import uvloop
from aiohttp import ClientSession, DummyCookieJar, TCPConnector, WSMsgType, web
from multidict import CIMultiDictProxy

HOP_BY_HOP = {
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
    "transfer-encoding", "upgrade", "content-length",
}  # fmt: skip


def passing(headers: CIMultiDictProxy[str]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers.items() if name.lower() not in HOP_BY_HOP]


async def relay(request: web.Request, session: ClientSession, url: str) -> web.StreamResponse:
    near = web.WebSocketResponse(compress=False)
    async with session.ws_connect(url) as far:
        await near.prepare(request)

        async def pump(source: object, sink: object) -> None:
            async for message in source:  # type: ignore[attr-defined]
                send = sink.send_str if message.type is WSMsgType.TEXT else sink.send_bytes  # type: ignore[attr-defined]
                await send(message.data)
            await sink.close()  # type: ignore[attr-defined]

        await asyncio.gather(pump(near, far), pump(far, near))
    return near


async def main(port: str, upstream: str, tls_port: str, chain: str, key: str) -> None:
    session = ClientSession(
        connector=TCPConnector(limit=0), cookie_jar=DummyCookieJar(), auto_decompress=False
    )

    async def forward(request: web.Request) -> web.StreamResponse:
        url = f"http://127.0.0.1:{upstream}{request.raw_path}"
        if "upgrade" in request.headers:
            return await relay(request, session, url)
        async with session.request(
            request.method, url, headers=passing(request.headers), allow_redirects=False,
            data=request.content if request.body_exists else None,
        ) as answer:  # fmt: skip
            response = web.StreamResponse(status=answer.status, headers=passing(answer.headers))
            response.content_length = answer.content_length
            await response.prepare(request)
            async for piece in answer.content.iter_any():
                await response.write(piece)
            await response.write_eof()
            return response

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", forward)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(chain, key)
    await web.TCPSite(runner, "127.0.0.1", int(port)).start()
    await web.TCPSite(runner, "127.0.0.1", int(tls_port), ssl_context=tls).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:6]))
