"""The small service behind `penstock demo`: says what reached it."""

from __future__ import annotations

import asyncio
import socket
import threading

from aiohttp import web


def start_demo_upstream() -> int:
    """Serve on a free port of 127.0.0.1, in a thread that ends with the process; return the port.

    A thread of its own keeps the demo's service out of the proxy's event loop, as a real one is.
    """
    sock = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_serve, args=(sock,), name="demo-upstream", daemon=True).start()
    return int(sock.getsockname()[1])


def _serve(sock: socket.socket) -> None:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", _answer)
    loop = asyncio.new_event_loop()
    web.run_app(app, sock=sock, loop=loop, handle_signals=False, print=None, access_log=None)


async def _answer(request: web.Request) -> web.Response:
    lines = [
        "This is the demo upstream. The request that reached it:",
        "",
        f"  {request.method} {request.rel_url.raw_path_qs}",
        *(f"  {name}: {value}" for name, value in request.headers.items()),
    ]
    return web.Response(text="\n".join(lines) + "\n")
