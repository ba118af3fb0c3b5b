"""A login in front of an upstream, over sockets, with a provider and a browser that tests play."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp

from actions.login.session import SESSIONS
from policy.store import Kind, StoreFind
from tests.openid_provider import CLIENT_ID, CLIENT_SECRET, Provider
from tests.proxy.provider_on_a_port import ServedProvider, served_provider
from tests.proxy.serving import LOOPBACK, Running, plan_for, serving, upstream

POLICY = """
on_http_request:
  - actions:
      - type: openid-connect
        config:
          issuer_url: {issuer}
          client_id: {client_id}
          client_secret: "{client_secret}"
"""
NAVIGATION = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@dataclass
class Gate:
    """Penstock in front of an upstream, a provider behind it."""

    running: Running
    served: ServedProvider
    browser: aiohttp.ClientSession
    heads: list[str] = field(default_factory=list)

    @property
    def provider(self) -> Provider:
        return self.served.provider

    @property
    def origin(self) -> str:
        return f"http://{LOOPBACK}:{self.running.port}"

    async def get(self, path: str, **headers: str) -> tuple[int, str, str]:
        """Return status, Location and text."""
        shown = {**NAVIGATION, **headers}
        async with self.browser.get(
            f"{self.origin}{path}", allow_redirects=False, headers=shown
        ) as answer:
            return answer.status, answer.headers.get("Location", ""), await answer.text()

    async def leave(self, path: str = "/") -> dict[str, str]:
        """Open a page and let the provider agree; return what the browser comes back with."""
        status, location, _ = await self.get(path)
        assert status == 302
        return self.provider.authorize(location)

    async def come_back(self, parameters: dict[str, str]) -> tuple[int, str, str]:
        return await self.get(f"/ngrok/oauth2/callback?{urlencode(parameters)}")

    def sessions(self) -> int:
        return len(self.stored(SESSIONS))

    def stored(self, kind: Kind[Any]) -> tuple[Any, ...]:
        store = self.running.server._data_plane.service.store
        found: tuple[Any, ...] = store.answer(StoreFind(kind=kind, limit=100_000))
        return found

    async def reason(self) -> str:
        event = await self.running.event(
            lambda each: each["object"]["http"]["request"]["url"]["path"].endswith("/callback")
        )
        decided: str = event["object"]["decision"]["reason"]
        return decided


@asynccontextmanager
async def gate(
    provider: Provider | None = None, more: str = "", *, config: str = "", app_port: int = 0
) -> AsyncIterator[Gate]:
    """Serve; `more` are further rules, `config` more of the login's, an `app_port` is a test's."""
    async with served_provider(provider) as served, upstream() as app:
        policy = POLICY.format(
            issuer=served.issuer, client_id=CLIENT_ID, client_secret=CLIENT_SECRET
        )
        indented = f"          {config}\n" if config else ""
        async with (
            serving(plan_for(app_port or app.port, policy + indented + more)) as running,
            aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser,
        ):
            yield Gate(running, served, browser, app.heads)
