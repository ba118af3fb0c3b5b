"""Users, their sessions, and an admin listener that shows them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from actions.login.session import (
    IDENTITIES,
    SESSIONS,
    Browser,
    Identity,
    Person,
    Session,
    Tokens,
    digest,
)
from actions.login.sessions import groups_of
from policy.store import StorePut
from proxy.admin import start_admin
from proxy.admin_people import People
from proxy.admin_token import AdminToken
from proxy.deadlines import Deadlines
from proxy.endpoint_table import EndpointTable
from proxy.listener import open_sockets
from proxy.service import Runtime, Service
from proxy.status import Status
from proxy.store.interface import Store
from proxy.trusted_proxies import TrustedProxies
from proxy.upstream_pool import UpstreamPool
from tests import exchanges
from tests.proxy.serving import LOOPBACK

TOKEN = "mK3ySmk2x0rJt4pUQ1ZkVw8vBzGdN7eLhXcRfTyAo5I="
SHOWN = {"Authorization": f"Bearer {TOKEN}"}
NOON_NS, DAY_NS = exchanges.NOON_NS, 86_400 * 10**9
ISSUER = "https://id.example.net"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
)
ADA = Person(subject="ada", email="ada@example.com", name="Ada", username="ada.l")


def session(
    session_id: str,
    *,
    user: str = "au_1",
    person: Person = ADA,
    agent: str = PHONE,
    place: bool = True,
    now_ns: int = NOON_NS,
    lasts_ns: int = DAY_NS,
) -> Session:
    where = {"country_code": "DE", "latitude": "52.5", "longitude": "13.4", "radius_km": "20"}
    return Session(
        id=session_id,
        scope="s",
        auth_id="default",
        endpoint_id="ep_orders",
        public_url="https://orders.example.com",
        provider_name="id.example.net",
        provider_url=ISSUER,
        identity_id=user,
        person=person,
        tokens=Tokens(
            access_token="secret-access", refresh_token="secret-refresh", id_token="secret-id"
        ),
        browser=Browser(user_agent=agent, ip_address="203.0.113.7", **(where if place else {})),
        agreed="",
        created_ns=now_ns,
        last_active_ns=now_ns,
        refreshed_ns=now_ns,
        ends_ns=now_ns + lasts_ns,
        provider_session=f"secret-sid-{session_id}",
    )


def identity(user: str = "au_1", person: Person = ADA) -> Identity:
    return Identity(
        id=user,
        provider_name="id.example.net",
        provider_url=ISSUER,
        person=person,
        created_ns=NOON_NS,
        last_active_ns=NOON_NS,
        last_login_ns=NOON_NS,
    )


SESSION = session("as_1")
IDENTITY = identity()


def put_session(record: Session) -> StorePut:
    key = digest(f"secret-cookie-{record.id}")
    return StorePut(kind=SESSIONS, key=key, value=record, ttl_s=3600, groups=groups_of(record))


def put_identity(record: Identity) -> StorePut:
    return StorePut(kind=IDENTITIES, key=record.id, value=record, ttl_s=3600)


@dataclass
class Admin:
    """An admin listener, and whoever asks it with the token."""

    service: Service
    port: int
    client: aiohttp.ClientSession

    async def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any
    ) -> tuple[int, Any]:
        """Return the status, and what JSON there is."""
        url = path if path.startswith("http") else f"http://{LOOPBACK}:{self.port}{path}"
        shown = SHOWN if headers is None else headers
        async with self.client.request(method, url, headers=shown, **more) as answer:
            is_json = answer.content_type == "application/json"
            return answer.status, await (answer.json() if is_json else answer.text())

    async def get(self, path: str) -> Any:
        status, content = await self.ask("GET", path)
        assert status == 200, content
        return content


@asynccontextmanager
async def admin(store: Store, token: str | None = TOKEN) -> AsyncIterator[Admin]:
    """Run the admin listener alone, over a store."""
    deadlines = Deadlines()
    surroundings = exchanges.surroundings(now_ns=time.time_ns)
    runtime = Runtime(
        endpoints=EndpointTable(()), trusted_proxies=TrustedProxies(), surroundings=surroundings
    )
    service = Service(
        runtime=runtime,
        pool=UpstreamPool(deadlines),
        completed=lambda _: None,
        now_ns=lambda: NOON_NS,
        deadlines=deadlines,
        store=store,
    )

    async def status() -> Status:
        return Status(ready=True, last_reload={}, metrics=())

    known = None if token is None else AdminToken.of(token)
    sockets = open_sockets(LOOPBACK, 0)
    port = sockets[0].getsockname()[1]
    runner = await start_admin(sockets, status, People(service, lambda: known))
    try:
        async with aiohttp.ClientSession() as client:
            yield Admin(service, port, client)
    finally:
        await runner.cleanup()
        service.calculator.close()
        service.pool.close()
