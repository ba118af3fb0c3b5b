"""What a login costs a request that comes with a session, against the same proxy without it.

Every client has logged in before, and shows its session with each request, also where nobody looks
at it. The store is the one in memory; nothing is refreshed. `above` is the processor time beyond
that of the proxy without the action.

    python bench/login.py [--requests N] [--rounds N] [--connections N] [--json FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import uvloop
from aiohttp import web
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.data_plane import installation
from bench.data_plane.accounting import LOAD_CORE, PROXY_CORE, cpu_s
from bench.data_plane.clients import HEAD_END, browser_fields
from bench.data_plane.origin import Origin
from bench.data_plane.site import free_port

LOOPBACK, HOST = "127.0.0.1", "app.example.com"
CLIENT_ID, CLIENT_SECRET = "bench", secrets.token_urlsafe(32)
COOKIE = "ngrok.default.session"
SIZE = 1024
TARGET_US = 25.0
WITHOUT, JUDGED = "without the action", "openid-connect"


class Provider:
    """An OpenID provider that logs everybody in."""

    def __init__(self) -> None:
        self._key = RSAKey.generate_key(2048, {"kid": "rsa"})
        self._nonces: dict[str, str] = {}
        self.issuer = ""

    def code_for(self, nonce: str) -> str:
        """Return what a browser would bring back."""
        code = secrets.token_urlsafe(32)
        self._nonces[code] = nonce
        return code

    async def start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._metadata)
        app.router.add_get("/jwks", self._keys)
        app.router.add_post("/token", self._token)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        port = free_port()
        await web.TCPSite(runner, LOOPBACK, port).start()
        self.issuer = f"http://{LOOPBACK}:{port}"
        return runner

    async def _metadata(self, _request: web.Request) -> web.Response:
        metadata = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "code_challenge_methods_supported": ["S256"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }
        return web.json_response(metadata)

    async def _keys(self, _request: web.Request) -> web.Response:
        return web.json_response(KeySet([self._key]).as_dict(private=False))

    async def _token(self, request: web.Request) -> web.Response:
        form, now = await request.post(), int(time.time())
        user = secrets.token_hex(8)
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": user,
            "iat": now,
            "exp": now + 3600,
            "nonce": self._nonces.pop(str(form["code"])),
            "email": f"{user}@example.com",
            "email_verified": True,
            "name": "Ada Lovelace",
            "groups": ["engineering", "on-call"],
        }
        answer = {
            "access_token": secrets.token_urlsafe(600),
            "refresh_token": secrets.token_urlsafe(40),
            "id_token": jwt.encode({"alg": "RS256", "kid": "rsa"}, claims, self._key),
            "token_type": "Bearer",
            "expires_in": 3600,
        }
        return web.json_response(answer)


def policy(provider: Provider, secret: str) -> dict[str, Any]:
    config = {
        "issuer_url": provider.issuer,
        "client_id": CLIENT_ID,
        "client_secret": secret,
        "idle_session_duration": "1h",
    }
    return {"on_http_request": [{"actions": [{"type": "openid-connect", "config": config}]}]}


@dataclass
class Case:
    """One line of the report. `cookies` are the sessions of its clients."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    cookies: list[str] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    per_s: list[float] = field(default_factory=list)


class Client(asyncio.Protocol):
    """Asks again and again on one connection, always with the same session."""

    def __init__(self, cookie: str, requests: int) -> None:
        shown = b"theme=dark; %s=%s;" % (COOKIE.encode(), cookie.encode())
        self._fields = browser_fields(0).replace(b"theme=dark;", shown)
        self._left = requests
        self._missing = -1
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        head = (b"GET /api/orders/%d" + self._fields + b"\r\n") % (self._left, self._left)
        self._transport.write(head)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        if self._missing < 0:
            if not data.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"unexpected answer: {data[:200]!r}")
            self._missing = data.find(HEAD_END) + 4 + SIZE
        self._missing -= len(data)
        if self._missing <= 0:
            self._missing = -1
            self._left -= 1
            if self._left:
                self._ask()
            elif not self.done.done():
                self.done.set_result(None)


def start(
    home: Path, name: str, upstream: int, rules: dict[str, Any] | None
) -> tuple[subprocess.Popen[bytes], int]:
    port, config = free_port(), home / f"{name.replace(' ', '-')}.yml"
    endpoint = {
        "url": f"http://{HOST}",
        "upstream": {"url": f"http://{LOOPBACK}:{upstream}"},
        **({} if rules is None else {"traffic_policy": rules}),
    }
    settings = {
        "listeners": [{"address": f"{LOOPBACK}:{port}"}],
        "endpoints": [endpoint],
        "secrets": {"vaults": {"main": {"environment": "BENCH_"}}},
        "workers": 1,
    }
    config.write_text(json.dumps(settings), encoding="ascii")
    process = subprocess.Popen(
        [
            "taskset", "-c", str(PROXY_CORE), installation.penstock(), "start",
            "--config", str(config), "--log", "false",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "BENCH_client": CLIENT_SECRET},
    )  # fmt: skip
    return process, port


async def listening(port: int) -> None:
    for _ in range(1200):
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise SystemExit("the proxy does not listen")


async def log_in(client: aiohttp.ClientSession, provider: Provider, port: int) -> str:
    """Return the session that a browser gets, which the provider sends back at once."""
    base, fields = f"http://{LOOPBACK}:{port}", {"Host": HOST, "Accept": "text/html"}
    async with client.get(base, headers=fields, allow_redirects=False) as away:
        asked = parse_qs(urlsplit(away.headers["Location"]).query)
        fields["Cookie"] = away.headers["Set-Cookie"].partition(";")[0]
    answer = {"state": asked["state"][0], "code": provider.code_for(asked["nonce"][0])}
    callback = f"{base}/ngrok/oauth2/callback"
    async with client.get(callback, params=answer, headers=fields, allow_redirects=False) as back:
        given = back.headers["Set-Cookie"].partition(";")[0]
    name, _, session = given.partition("=")
    assert name == COOKIE
    return session


async def load(case: Case, *, requests: int) -> None:
    loop, number = asyncio.get_running_loop(), requests // len(case.cookies)
    cpu, began = cpu_s(case.process.pid), time.perf_counter()
    clients = []
    for cookie in case.cookies:
        made = partial(Client, cookie, number)
        clients.append(await loop.create_connection(made, LOOPBACK, case.port))
    await asyncio.wait_for(asyncio.gather(*(client.done for _, client in clients)), 120)
    for transport, _ in clients:
        transport.close()
    total = number * len(case.cookies)
    case.cpu_us.append((cpu_s(case.process.pid) - cpu) / total * 1e6)
    case.per_s.append(total / (time.perf_counter() - began))


async def measure(options: argparse.Namespace) -> list[Case]:
    os.sched_setaffinity(0, {LOAD_CORE})
    numbers, provider = count(1), Provider()
    server = await asyncio.get_running_loop().create_server(lambda: Origin(numbers), LOOPBACK, 0)
    upstream = server.sockets[0].getsockname()[1]
    runner = await provider.start()
    policies = {
        WITHOUT: None,
        JUDGED: policy(provider, CLIENT_SECRET),
        "secret in a vault": policy(provider, "${secrets.get('main', 'client')}"),
    }
    with tempfile.TemporaryDirectory() as home, ExitStack() as stack:
        cases = []
        for name, rules in policies.items():
            process, port = start(Path(home), name, upstream, rules)
            stack.callback(process.wait)
            stack.callback(process.terminate)
            await listening(port)
            cases.append(Case(name, port, process))
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client:
            for case in cases[1:]:
                case.cookies = [
                    await log_in(client, provider, case.port) for _ in range(options.connections)
                ]
        cases[0].cookies = cases[1].cookies
        for number in range(options.rounds + 1):
            for case in cases:
                await load(case, requests=options.requests)
                if number == 0:  # the first round only warms up
                    case.cpu_us.clear()
                    case.per_s.clear()
    await runner.cleanup()
    return cases


def report(cases: list[Case]) -> dict[str, dict[str, float]]:
    base, rows = cases[0], {}
    print(f"{'':20}{'req/s':>8}{'ratio':>7}{'CPU us':>9}{'ratio':>7}{'above':>8}")
    for case in cases:
        # Rounds are compared with their neighbours: what slows one down slows all of them.
        rate = statistics.median(a / b for a, b in zip(case.per_s, base.per_s, strict=True))
        cpu = statistics.median(b / a for a, b in zip(case.cpu_us, base.cpu_us, strict=True))
        above = statistics.median(a - b for a, b in zip(case.cpu_us, base.cpu_us, strict=True))
        per_s, cpu_us = statistics.median(case.per_s), statistics.median(case.cpu_us)
        print(f"{case.name:20}{per_s:>8.0f}{rate:>7.2f}{cpu_us:>9.1f}{cpu:>7.2f}{above:>8.1f}")
        rows[case.name] = {
            "per_s": per_s, "ratio": rate, "cpu_us": cpu_us, "cpu_ratio": cpu, "above_us": above
        }  # fmt: skip
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description="measure what a login costs")
    parser.add_argument("--requests", type=int, default=3200)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = report(uvloop.run(measure(options)))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="ascii")
    above = rows[JUDGED]["above_us"]
    met = above <= TARGET_US
    print(f"target: {JUDGED} at most {TARGET_US:g} us above: {'met' if met else 'MISSED'}")
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
