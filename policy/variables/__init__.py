"""The variables of the language (section 3), each computed when an expression first reads it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from policy.action import Action, namespace_of
from policy.cel import STANDARD_FUNCTIONS, Environment, Limits, Variable
from policy.cel.secret_references import KnownSecret
from policy.cel.types import DYN, INT, STRING, MapType, ObjectType
from policy.exchange import Exchange
from policy.phase import ALL_PHASES, Phase
from policy.variables.connection import ConnectionVariables
from policy.variables.cookie_functions import COOKIE_FUNCTIONS
from policy.variables.lazy import declared, stored, variable
from policy.variables.pod import PodVariables
from policy.variables.request import RequestVariables
from policy.variables.response import ResponseVariables
from policy.variables.results import result_type
from policy.variables.tls import TlsVariables
from policy.variables.wall_clock import rfc3339

RESULTS = "actions.ngrok"


class Activation(
    ConnectionVariables, TlsVariables, PodVariables, RequestVariables, ResponseVariables
):
    """The values of all variables for one exchange in its present state.

    Dropped whenever the request or response changes; never shared between exchanges.
    """

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange

    endpoint_id = stored(
        "endpoint.id", STRING, "Opaque id of the endpoint.", "exchange.endpoint.id"
    )

    endpoint_url = stored(
        "endpoint.url",
        STRING,
        "Public URL, such as `https://app.example.com`.",
        "exchange.endpoint.url",
    )

    @variable("endpoint.addr", STRING, "`host:port`.")
    def endpoint_addr(self) -> str:
        return f"{self.exchange.endpoint.host}:{self.exchange.endpoint.port}"

    endpoint_host = stored("endpoint.host", STRING, "Public host.", "exchange.endpoint.host")

    endpoint_port = stored("endpoint.port", INT, "Public port.", "exchange.endpoint.port")

    endpoint_protocol = stored(
        "endpoint.protocol", STRING, "`http` or `https`.", "exchange.endpoint.protocol"
    )

    @variable("time.now", STRING, "Now, as RFC 3339 in UTC; read anew each time.", fresh=True)
    def time_now(self) -> str:
        return rfc3339(self.exchange.surroundings.now_ns())

    def random_fraction(self) -> float:
        """Answer `rand.double()`."""
        return self.exchange.surroundings.random_fraction()

    def random_integer(self, low: int, high: int) -> int:
        """Answer `rand.int()`."""
        return self.exchange.surroundings.random_integer(low, high)

    def secret(self, vault: str, name: str) -> str | None:
        """Answer `secrets.get()`."""
        return self.exchange.surroundings.secret(vault, name)

    vars = stored(
        "vars",
        MapType(STRING, DYN, missing=None),
        "Variables set by `set-vars` in this phase; null until set.",
        "exchange.vars",
    )


VARIABLES = declared(Activation)


def activation(exchange: Exchange) -> Activation:
    """Return the exchange's variables, making them anew after a change."""
    if exchange.computed is None:
        exchange.computed = Activation(exchange)
    values: Activation = exchange.computed
    return values


def declarations(actions: Iterable[Action[Any]]) -> tuple[Variable, ...]:
    """Declare every variable, with the results of the given actions."""
    results: dict[str, ObjectType] = {
        action.result_namespace: result_type(action.result, action.result_namespace)
        for action in actions
        if action.result is not None
    }
    return (
        *(member.declaration() for member in VARIABLES),
        *(
            Variable(
                name=f"{RESULTS}.{namespace}",
                type=declared_type,
                doc="Result of the action's last run; null before it.",
                phases=ALL_PHASES,
                attribute="exchange.results",
                entry=namespace,
            )
            for namespace, declared_type in results.items()
        ),
    )


def environment(
    phase: Phase,
    actions: Iterable[Action[Any]],
    limits: Limits,
    *,
    known_secret: KnownSecret | None = None,
    not_built: Iterable[str] = (),
) -> Environment:
    """Return the names that expressions of a phase may use.

    `not_built` names actions of the language that have no results here.
    """
    return Environment(
        variables=declarations(actions),
        functions=(*STANDARD_FUNCTIONS, *COOKIE_FUNCTIONS),
        phase=phase,
        limits=limits,
        known_secret=known_secret,
        hints={
            f"{RESULTS}.{namespace_of(name)}": f"the action {name!r} is not supported yet"
            for name in not_built
        },
    )
