"""Builds exchanges for tests: a plain request that each test changes where it matters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from policy.cel import Limits, compile_expression
from policy.exchange import Connection, Endpoint, Exchange, Request, Response
from policy.fields import Fields
from policy.ip_intelligence import NO_INTELLIGENCE, IpIntelligence
from policy.phase import Phase
from policy.surroundings import Surroundings
from policy.url import parse_request_target
from policy.variables import activation, environment

NOON_NS = 1_772_366_400_000_000_000  # 2026-03-01T12:00:00Z

ENDPOINT = Endpoint(
    id="ep_orders",
    name="orders",
    url="https://orders.example.com",
    protocol="https",
    host="orders.example.com",
    port=443,
)


def surroundings(**changes: Any) -> Surroundings:
    """Surroundings in which time stands still and chance always gives the lowest."""
    values: dict[str, Any] = {
        "now_ns": lambda: NOON_NS,
        "random_fraction": lambda: 0.0,
        "random_integer": lambda low, _high: low,
        "random_bytes": bytes,
        **changes,
    }
    return Surroundings(**values)


def connection(client_ip: str = "203.0.113.7", **changes: Any) -> Connection:
    values: dict[str, Any] = {
        "client_ip": client_ip,
        "client_port": 50123,
        "server_ip": "127.0.0.1",
        "server_port": 4000,
        "started_ns": NOON_NS,
        "peer_ip": client_ip,
        **changes,
    }
    return Connection(**values)


def request(
    target: str = "/",
    *,
    method: str = "GET",
    headers: Iterable[tuple[str, str]] = (),
    host: str = "orders.example.com",
    scheme: str = "https",
    **changes: Any,
) -> Request:
    made = Request(
        method=method,
        version="HTTP/1.1",
        url=parse_request_target(target, scheme=scheme, authority=host),
        headers=Fields([("Host", host), *headers]),
        received_ns=NOON_NS,
    )
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def exchange(
    request_: Request | None = None,
    *,
    response: Response | None = None,
    client_ip: str = "203.0.113.7",
    phase: Phase = Phase.ON_HTTP_REQUEST,
    intelligence: IpIntelligence = NO_INTELLIGENCE,
    **connection_changes: Any,
) -> Exchange:
    return Exchange(
        connection=connection(client_ip, **connection_changes),
        endpoint=ENDPOINT,
        surroundings=surroundings(intelligence=intelligence),
        request=request_ or request(),
        response=response,
        phase=phase,
    )


def value(text: str, on: Exchange, actions: Iterable[Any] = ()) -> Any:
    """Evaluate an expression as a policy in the exchange's phase would."""
    compiled = compile_expression(text, environment(on.phase, actions, Limits()))
    return compiled.evaluate(activation(on))
