"""The admin listener: is it alive, does it run what its files say, how much does it do.

What is here changes nothing and shows no more than counts and the places of problems; users and
sessions are in `admin_people`, behind a token. Requests from web pages are refused wherever they
go (security T-AD-1): by their Origin, and by a Host that is no name of ours, which is what a
rebinding attack has to send.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable

from aiohttp import web
from aiohttp.typedefs import Handler

from policy.net import AddressError, parse_address
from policy.url import Authority, UrlError, parse_authority
from proxy.admin_people import People
from proxy.metrics import render
from proxy.status import AskStatus

LOCALHOST = "localhost"
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


async def start_admin(
    sockets: Iterable[socket.socket], ask: AskStatus, people: People
) -> web.AppRunner:
    """Answer on bound sockets; `cleanup` of what is returned ends it."""
    app = web.Application(middlewares=[_refuse_web_pages], client_max_size=1024)
    answers = _Answers(ask)
    app.router.add_get("/healthz", answers.health)
    app.router.add_get("/readyz", answers.readiness)
    app.router.add_get("/metrics", answers.metrics)
    app.add_routes(people.routes())
    runner = web.AppRunner(
        app, access_log=None, handle_signals=False, keepalive_timeout=15.0, shutdown_timeout=1.0
    )
    await runner.setup()
    for each in sockets:
        await web.SockSite(runner, each).start()
    return runner


class _Answers:
    def __init__(self, ask: AskStatus) -> None:
        self._ask = ask

    async def health(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readiness(self, _request: web.Request) -> web.Response:
        status = await self._ask()
        body = {"ready": status.ready, "last_reload": status.last_reload}
        return web.json_response(body, status=200 if status.ready else 503)

    async def metrics(self, _request: web.Request) -> web.Response:
        status = await self._ask()
        text = render(status.metrics)
        return web.Response(body=text.encode(), headers={"Content-Type": METRICS_TYPE})


@web.middleware
async def _refuse_web_pages(request: web.Request, handler: Handler) -> web.StreamResponse:
    if "Origin" in request.headers or not is_own_host(request.headers.get("Host", "")):
        return web.Response(status=403, text="403 Forbidden\n")
    return await handler(request)


def is_own_host(host: str) -> bool:
    """Tell whether a Host value can only have been meant for us: an address, or localhost."""
    try:
        authority: Authority = parse_authority(host)
        return authority.host == LOCALHOST or bool(parse_address(authority.host))
    except (UrlError, AddressError):
        return False
