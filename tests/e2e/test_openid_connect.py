"""Logins with a certified OpenID provider, through Penstock, in processes of their own."""

from __future__ import annotations

import asyncio
import base64
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web

from tests.e2e import debian
from tests.e2e.openid_provider import CLIENT_SECRET, OpenIdProvider, login_policy, openid_provider
from tests.e2e.processes import free_port, penstock, running
from tests.e2e.visitor import Visitor

LOOPBACK = "127.0.0.1"
PATIENCE_S = 20
TOGETHER = 50


@dataclass(frozen=True)
class Guarded:
    """Penstock with a login in front of an application. `logs` is all that it has said."""

    origins: tuple[str, ...]
    provider: OpenIdProvider
    logs: tuple[Path, ...]

    @property
    def origin(self) -> str:
        return self.origins[0]

    def said(self) -> str:
        return "".join(log.read_text() for log in self.logs)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - what changes is in another process
            await asyncio.sleep(0.02)


@asynccontextmanager
async def application(port: int) -> AsyncIterator[None]:
    """An upstream that tells whom it was told about."""

    async def who(request: web.Request) -> web.Response:
        cookies = request.headers.get("Cookie", "")
        return web.json_response({"user": request.headers.get("x-user"), "cookies": cookies})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", who)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, port).start()
    try:
        yield
    finally:
        await runner.cleanup()


def config(origin: str, upstream_port: int, policy: Path, *, listen: int, more: str) -> str:
    return f"""
version: 3
listeners: [{{address: "{LOOPBACK}:{listen}"}}]
endpoints:
  - name: orders
    url: {origin}
    upstream: {{url: "http://{LOOPBACK}:{upstream_port}"}}
    traffic_policy_file: {policy}
{more}
"""


@contextmanager
def guarded(
    folder: Path,
    upstream_port: int,
    *,
    more: str = "workers: 1",
    policy_more: str = "",
    replicas: int = 1,
    access_token_s: int = 3600,
    needs_par: bool = False,
) -> Iterator[Guarded]:
    """Run a provider, and Penstock as its client; replicas answer for one and the same origin."""
    ports = [free_port() for _ in range(replicas)]
    origin = f"http://{LOOPBACK}:{ports[0]}"
    policy = folder / "policy.yml"
    logs = tuple(folder / f"penstock-{number}.log" for number in range(replicas))
    with ExitStack() as stack:
        provider = stack.enter_context(
            openid_provider(folder, [origin], access_token_s=access_token_s, needs_par=needs_par)
        )
        policy.write_text(login_policy(provider, policy_more))
        for number, port in enumerate(ports):
            file = folder / f"penstock-{number}.yml"
            file.write_text(config(origin, upstream_port, policy, listen=port, more=more))
            file.chmod(0o600)
            command = penstock("start", "--config", str(file))
            stack.enter_context(running(command, port=port, log=logs[number]))
        origins = tuple(f"http://{LOOPBACK}:{port}" for port in ports)
        yield Guarded(origins=origins, provider=provider, logs=logs)


@contextmanager
def valkey(folder: Path) -> Iterator[str]:
    """Run the server that replicas share."""
    server = debian.path_of("valkey-server") or debian.need("redis-server", "redis-server")
    port = free_port()
    command = [server, "--port", str(port), "--bind", LOOPBACK, "--save", "", "--dir", str(folder)]
    with running(command, port=port, log=folder / "valkey.log"):
        yield f"redis://{LOOPBACK}:{port}/0"


async def test_a_login_a_page_and_a_logout(tmp_path: Path) -> None:
    upstream = free_port()
    async with application(upstream):
        with guarded(tmp_path, upstream) as site:
            async with Visitor() as alice:
                assert await alice.status(f"{site.origin}/api") == 401
                status, text, url = await alice.open(f"{site.origin}/orders?page=2")
                assert (status, url) == (200, f"{site.origin}/orders?page=2")
                assert '"user": "alice@example.com"' in text
                assert "ngrok" not in text
                assert await alice.status(f"{site.origin}/api") == 200

                status, text, url = await alice.open(f"{site.origin}/ngrok/logout")
                assert status == 200
                assert "You are signed out" in text
                assert await alice.status(f"{site.origin}/api") == 401
                # The provider has forgotten her too: it asks again who she is.
                await alice.open(f"{site.origin}/")
                assert any("/interaction/" in step for step in alice.steps)
            kinds = [event["type"] for event in site.provider.events("granted")]
            assert kinds == ["authorization_code", "authorization_code"]
            assert site.provider.events("fault") == []
            for secret in (CLIENT_SECRET, "eyJ", "code=", "id_token_hint=e"):
                said = site.said().replace("code=***", "")
                assert secret not in said, secret


async def test_a_pushed_authorization_request_where_the_provider_wants_one(tmp_path: Path) -> None:
    upstream = free_port()
    async with application(upstream):
        with guarded(tmp_path, upstream, needs_par=True) as site:
            async with Visitor() as alice:
                status, _, _ = await alice.open(f"{site.origin}/")
                assert status == 200
            assert site.provider.events("not-authorized") == []


async def test_the_provider_s_own_logout_ends_the_session_here(tmp_path: Path) -> None:
    upstream = free_port()
    async with application(upstream):
        with guarded(tmp_path, upstream) as site:
            async with Visitor() as alice:
                await alice.open(f"{site.origin}/")
                assert await alice.status(f"{site.origin}/") == 200
                await alice.open(f"{site.provider.issuer}/session/end")
                await until(lambda: len(site.provider.events("notified")) == 1)
                assert await alice.status(f"{site.origin}/") == 401
                assert "backchannel-logout" in site.said()


async def expired(alice: Visitor, site: Guarded, access_token_s: int) -> None:
    """Log in, and let the access token run out."""
    await alice.open(f"{site.origin}/")
    end = time.monotonic() + access_token_s + 0.1
    await until(lambda: time.monotonic() >= end)


async def together(alice: Visitor, origins: tuple[str, ...]) -> set[int]:
    """Ask many times at once, at every replica in turn."""
    urls = [f"{origins[number % len(origins)]}/api/{number}" for number in range(TOGETHER)]
    return set(await asyncio.gather(*map(alice.status, urls)))


STORES = {
    "one process": "workers: 1",
    "two workers over SQLite": "workers: 2\nstore: sqlite:state.db",
    "two workers in memory": "workers: 2",
}


@pytest.mark.parametrize("more", STORES.values(), ids=STORES)
async def test_oa_14_fifty_requests_with_an_expired_token_are_one_refresh(
    tmp_path: Path, more: str
) -> None:
    upstream = free_port()
    async with application(upstream):
        with guarded(tmp_path, upstream, more=more, access_token_s=1) as site:
            async with Visitor() as alice:
                await expired(alice, site, 1)
                assert await together(alice, site.origins) == {200}
                assert site.provider.refreshes() == 1
                assert await together(alice, site.origins) == {200}
                assert site.provider.refreshes() == 1
            assert site.provider.events("refused") == []


async def test_oa_14_two_replicas_over_one_server_are_one_refresh(tmp_path: Path) -> None:
    upstream = free_port()
    key = tmp_path / "store.key"
    key.write_bytes(base64.b64encode(os.urandom(32)))
    key.chmod(0o600)
    with valkey(tmp_path) as url:
        store = f"workers: 1\nstore: {{url: '{url}', key_files: [store.key]}}"
        async with application(upstream):
            with guarded(tmp_path, upstream, more=store, replicas=2, access_token_s=1) as site:
                async with Visitor() as alice:
                    await expired(alice, site, 1)
                    assert await together(alice, site.origins) == {200}
                    assert site.provider.refreshes() == 1
                    assert await together(alice, site.origins) == {200}
                    assert site.provider.refreshes() == 1
                assert site.provider.events("refused") == []


async def test_a_session_survives_a_restart_over_sqlite(tmp_path: Path) -> None:
    upstream, port = free_port(), free_port()
    origin = f"http://{LOOPBACK}:{port}"
    policy, file = tmp_path / "policy.yml", tmp_path / "penstock.yml"
    async with application(upstream):
        with openid_provider(tmp_path, [origin]) as provider:
            policy.write_text(login_policy(provider))
            more = "workers: 1\nstore: sqlite:state.db"
            file.write_text(config(origin, upstream, policy, listen=port, more=more))
            file.chmod(0o600)
            command = penstock("start", "--config", str(file))
            async with Visitor() as alice:
                with running(command, port=port, log=tmp_path / "first.log"):
                    await alice.open(f"{origin}/")
                    assert await alice.status(f"{origin}/") == 200
                with running(command, port=port, log=tmp_path / "second.log"):
                    assert await alice.status(f"{origin}/") == 200
            for each in (tmp_path / "state.db", tmp_path / "state.db-wal"):
                content = each.read_bytes() if each.exists() else b""
                assert b"alice" not in content
                assert b"eyJ" not in content


async def test_a_provider_that_is_down_at_the_start_is_used_when_it_is_there(
    tmp_path: Path,
) -> None:
    upstream, port = free_port(), free_port()
    origin = f"http://{LOOPBACK}:{port}"
    policy, file = tmp_path / "policy.yml", tmp_path / "penstock.yml"
    async with application(upstream):
        with openid_provider(tmp_path, [origin]) as down:
            policy.write_text(login_policy(down))
        provider_port = int(down.issuer.rpartition(":")[2])
        file.write_text(config(origin, upstream, policy, listen=port, more="workers: 1"))
        file.chmod(0o600)
        command = penstock("start", "--config", str(file))
        with running(command, port=port, log=tmp_path / "penstock.log"):
            async with Visitor() as alice:
                status, text, _ = await alice.open(f"{origin}/")
                assert status == 503
                assert "Reference" in text
                with openid_provider(tmp_path, [origin], port=provider_port):
                    async with asyncio.timeout(PATIENCE_S):
                        while (await alice.open(f"{origin}/"))[0] != 200:  # noqa: ASYNC110
                            await asyncio.sleep(0.1)
