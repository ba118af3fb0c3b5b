"""The proxy that one writes on an afternoon with aiohttp: `aiohttp_proxy.py PORT UPSTREAM_PORT`."""

from __future__ import annotations

import sys

import uvloop
from aiohttp import ClientSession, DummyCookieJar, TCPConnector, web

HOP_BY_HOP = {
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
    "transfer-encoding", "upgrade", "content-length",
}  # fmt: skip


def passing(headers: web.Request | object) -> list[tuple[str, str]]:
    return [(k, v) for k, v in headers.items() if k.lower() not in HOP_BY_HOP]  # type: ignore[attr-defined]


async def application(upstream_port: int) -> web.Application:
    session = ClientSession(
        connector=TCPConnector(limit=0), cookie_jar=DummyCookieJar(), auto_decompress=False
    )

    async def forward(request: web.Request) -> web.StreamResponse:
        async with session.request(
            request.method,
            f"http://127.0.0.1:{upstream_port}{request.raw_path}",
            headers=passing(request.headers),
            data=request.content if request.body_exists else None,
            allow_redirects=False,
        ) as answer:
            response = web.StreamResponse(status=answer.status, headers=passing(answer.headers))
            response.content_length = answer.content_length
            await response.prepare(request)
            async for piece in answer.content.iter_any():
                await response.write(piece)
            await response.write_eof()
            return response

    async def close(_: web.Application) -> None:
        await session.close()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", forward)
    app.on_cleanup.append(close)
    return app


if __name__ == "__main__":
    uvloop.install()
    web.run_app(
        application(int(sys.argv[2])), host="127.0.0.1", port=int(sys.argv[1]), print=None,
        access_log=None,
    )  # fmt: skip
