"""Logins across processes: workers that die, streams on other workers, notices that come twice."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from actions.login.renewal import LEASE_S
from actions.login.standing import LEASE_NS
from tests.e2e.processes import free_port, penstock, running
from tests.openid_provider import CLIENT_ID, CLIENT_SECRET
from tests.proxy.provider_on_a_port import ServedProvider, served_provider

LOOPBACK = "127.0.0.1"
NAVIGATION = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
SCRIPT = {"Accept": "application/json", "Sec-Fetch-Mode": "cors"}
MARGIN_S = 3.0
PATIENCE_S = 40
MOST_STREAMS = 400

CONFIG = """
version: 3
listeners: [{{address: "{host}:{port}"}}]
endpoints:
  - url: {origin}
    upstream: {{url: "http://{host}:{app}"}}
    traffic_policy_file: {folder}/policy.yml
workers: {workers}
store: sqlite:{folder}/state.db
"""
POLICY = """
on_http_request:
  - actions:
      - type: openid-connect
        config:
          issuer_url: {issuer}
          client_id: {client_id}
          client_secret: "{client_secret}"
"""


@dataclass
class Site:
    """Several processes with one store. `pids` are those of the supervisors."""

    origins: list[str]
    served: ServedProvider
    pids: list[int]

    @property
    def origin(self) -> str:
        return self.origins[0]

    def workers(self) -> list[int]:
        children = [Path(f"/proc/{pid}/task/{pid}/children").read_text() for pid in self.pids]
        return [int(each) for line in children for each in line.split()]


async def application(request: web.Request) -> web.StreamResponse:
    """Answer at once, or with an event stream that has no end."""
    if request.path != "/events":
        return web.Response(text="the app")
    answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await answer.prepare(request)
    await answer.write(b"data: 1\n\n")
    await asyncio.sleep(3600)
    return answer


@asynccontextmanager
async def site(folder: Path, *, workers: int = 1, replicas: int = 1) -> AsyncIterator[Site]:
    async with AsyncExitStack() as stack:
        served = await stack.enter_async_context(served_provider())
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", application)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, LOOPBACK, 0).start()
        policy = POLICY.format(
            issuer=served.issuer, client_id=CLIENT_ID, client_secret=CLIENT_SECRET
        )
        (folder / "policy.yml").write_text(policy)
        ports = [free_port() for _ in range(replicas)]
        origin, pids = f"http://{LOOPBACK}:{ports[0]}", []
        for port in ports:
            file = folder / f"penstock-{port}.yml"
            file.write_text(
                CONFIG.format(
                    host=LOOPBACK, port=port, origin=origin, folder=folder, workers=workers,
                    app=runner.addresses[0][1],
                )
            )  # fmt: skip
            file.chmod(0o600)
            command = penstock("start", "--config", str(file))
            log = folder / f"{port}.log"
            process = await asyncio.to_thread(
                stack.enter_context, running(command, port=port, log=log)
            )
            pids.append(process.pid)
        yield Site([f"http://{LOOPBACK}:{port}" for port in ports], served, pids)


async def log_in(browser: aiohttp.ClientSession, at: Site) -> None:
    async with browser.get(at.origin, headers=NAVIGATION, allow_redirects=False) as away:
        back = at.served.provider.authorize(away.headers["Location"])
    url = f"{at.origin}/ngrok/oauth2/callback?{urlencode(back)}"
    async with browser.get(url, headers=NAVIGATION, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "/")


def browser() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))


async def status(of: aiohttp.ClientSession, url: str) -> int:
    async with of.get(url, headers=SCRIPT, allow_redirects=False) as answer:
        await answer.read()
        return answer.status


class Stream(NamedTuple):
    """An event stream that is open."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


async def listen(at: Site, cookie: str) -> Stream:
    host, _, port = at.origin.removeprefix("http://").partition(":")
    stream = Stream(*await asyncio.open_connection(host, int(port)))
    head = f"GET /events HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: {cookie}\r\n"
    stream.writer.write(f"{head}Accept: text/event-stream\r\n\r\n".encode())
    await asyncio.wait_for(stream.reader.readuntil(b"data: 1\n\n"), PATIENCE_S)
    return stream


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - a clock tells nobody
            await asyncio.sleep(0.05)


def cookie_of(of: aiohttp.ClientSession) -> str:
    return "; ".join(f"{each.key}={each.value}" for each in of.cookie_jar)


def holder(workers: list[int], client_port: int) -> int:
    """Return which of the processes has accepted the connection from a port."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    remote = f"0100007F:{client_port:04X}"
    sockets = {f"socket:[{line[9]}]" for line in lines if line[2] == remote}
    [pid] = [pid for pid in workers if sockets & set(descriptors(pid))]
    return pid


def descriptors(pid: int) -> Iterator[str]:
    for each in Path(f"/proc/{pid}/fd").iterdir():
        # Some are closed while they are listed.
        with suppress(OSError):
            yield each.readlink().name


async def test_oa_14_a_worker_that_dies_while_it_refreshes_keeps_others_waiting_for_its_lease_only(
    tmp_path: Path,
) -> None:
    async with site(tmp_path, workers=2) as at, browser() as alice:
        at.served.provider.changes["token"] = {"expires_in": 1}
        await log_in(alice, at)
        at.served.provider.changes["token"] = {"expires_in": 3600}
        expired_at = time.monotonic() + 1.1
        arrived = asyncio.Event()

        async def stall(request: web.Request) -> web.StreamResponse:
            arrived.set()
            return await at.served.stall(request)

        at.served.instead["/token"] = stall
        await until(lambda: time.monotonic() >= expired_at)
        host, _, port = at.origin.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"GET / HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: {cookie_of(alice)}\r\n"
        writer.write(f"{head}Accept: application/json\r\n\r\n".encode())
        await asyncio.wait_for(arrived.wait(), PATIENCE_S)
        began = time.monotonic()
        os.kill(holder(at.workers(), writer.get_extra_info("sockname")[1]), signal.SIGKILL)
        assert await reader.read() == b""
        writer.close()
        del at.served.instead["/token"]
        asked = [status(alice, f"{at.origin}/{number}") for number in range(10)]
        assert set(await asyncio.wait_for(asyncio.gather(*asked), PATIENCE_S)) == {200}
        assert time.monotonic() - began < LEASE_S + MARGIN_S
        # The login, the one that was lost, and one for all who waited.
        assert at.served.asked("/token") == 3


async def test_t_ws_4_a_logout_ends_the_streams_of_all_workers_in_time(tmp_path: Path) -> None:
    async with site(tmp_path, workers=2) as at, browser() as alice:
        await log_in(alice, at)
        streams: list[Stream] = []
        holders: set[int] = set()
        # One worker may take all connections for as long as it is not busy.
        while len(holders) < 2 and len(streams) < MOST_STREAMS:
            more = await asyncio.gather(*(listen(at, cookie_of(alice)) for _ in range(20)))
            streams += more
            holders = {
                holder(at.workers(), each.writer.get_extra_info("sockname")[1]) for each in streams
            }
        assert len(holders) == 2
        async with alice.get(
            f"{at.origin}/ngrok/logout", headers=NAVIGATION, allow_redirects=False
        ) as answer:
            assert answer.status == 302
        async with asyncio.timeout(LEASE_NS / 1e9 + MARGIN_S):
            await asyncio.gather(*(each.reader.read() for each in streams))
        for each in streams:
            each.writer.close()


async def test_oa_17_a_logout_token_is_good_for_once_among_all_replicas(tmp_path: Path) -> None:
    async with site(tmp_path, replicas=2) as at, browser() as alice:
        await log_in(alice, at)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        body = at.served.provider.logout_body()

        async def notify(origin: str) -> int:
            url = f"{origin}/ngrok/backchannel-logout"
            async with alice.post(url, data=body, headers=form) as answer:
                return answer.status

        assert await status(alice, f"{at.origins[1]}/") == 200
        assert await notify(at.origins[0]) == 200
        assert [await status(alice, f"{origin}/") for origin in at.origins] == [401, 401]
        await log_in(alice, at)
        assert [await notify(origin) for origin in at.origins] == [400, 400]
        assert [await status(alice, f"{origin}/") for origin in at.origins] == [200, 200]
