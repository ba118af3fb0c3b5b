"""An upstream that counts an upload's bytes and keeps none: `counting_upstream.py PORT`."""

from __future__ import annotations

import sys

from aiohttp import web


async def count(request: web.Request) -> web.Response:
    total = 0
    async for piece in request.content.iter_any():
        total += len(piece)
    return web.Response(text=str(total))


def main() -> None:
    app = web.Application()
    app.router.add_put("/{path:.*}", count)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)


if __name__ == "__main__":
    main()
