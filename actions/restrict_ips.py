"""restrict-ips: let only the listed networks through, or all but the listed ones.

Phases  on_tcp_connect, on_http_request, on_http_response
Reads   conn.client_ip: the socket's peer, or the client that a trusted proxy names for it; never
        a header that anybody may write (RFC 7239, section 8.1)
Ends    the phase on a denial: 403 (RFC 9110, section 15.5.4), or a closed connection in
        on_tcp_connect

An address passes when an allowed network holds it, or none is listed at all, and no denied one
does. IPv4-mapped addresses count as IPv4, and a zone (`%eth0`) is dropped. A client whose
address is not known, as on a Unix socket, is denied: "no match" would be a decision.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from policy.action import (
    Action,
    ActionConfig,
    ActionError,
    Close,
    Continue,
    Doc,
    Exchange,
    Lint,
    Outcome,
    Respond,
)
from policy.config_types import Interpolated, NetworkSet
from policy.ip_policy import IpPolicy
from policy.net import Address, AddressError, parse_address
from policy.phase import Phase

ADDRESS_DENIED = "address-denied"
ADDRESS_UNKNOWN = "address-unknown"
POLICY_UNKNOWN = "ip-policy-unknown"
BLOCKED = "ERR_NGROK_3203"
UNKNOWN_POLICY = "ERR_NGROK_2216"

# Clients whose decision is kept; when there are more, all are judged anew.
MAX_REMEMBERED = 1024


class Config(ActionConfig):
    enforce: Annotated[bool, Doc("False: record the result and continue.")] = True
    allow: Annotated[NetworkSet | None, Interpolated(), Doc("Networks that may pass.")] = None
    deny: Annotated[
        NetworkSet | None, Interpolated(), Doc("Networks refused even where allowed.")
    ] = None
    ip_policies: Annotated[list[str], Doc("Names of lists in the proxy's own configuration.")] = (
        Field(default_factory=list)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    action: Annotated[Literal["allow", "deny"], Doc("The decision.")]
    matched_cidr: Annotated[str, Doc('The narrowest network that decided; "" for none.')]
    error: Annotated[ActionError | None, Doc("Why the address could not be judged.")] = None


class Gate(NamedTuple):
    """The lists, and outcomes for clients that have passed them before; few ask only once."""

    config: Config
    passing: dict[str, Continue[Result]]


def prepare(config: Config) -> Gate:
    """Begin to remember who has passed."""
    return Gate(config, {})


def run(gate: Gate, exchange: Exchange) -> Outcome[Result]:
    """Decide on one client."""
    config, passing = gate
    passed = passing.get(exchange.connection.client_ip)
    if passed is not None:
        return passed
    result, reason = judge(config, exchange)
    if result.action == "allow":
        return remembered(gate, exchange.connection.client_ip, Continue(result))
    if not config.enforce:
        return Continue(result)
    if exchange.phase is Phase.ON_TCP_CONNECT:
        return Close(reason=reason, error_code=BLOCKED, result=result)
    return Respond(status_code=403, reason=reason, error_code=BLOCKED, result=result)


def remembered(gate: Gate, client_ip: str, passed: Continue[Result]) -> Continue[Result]:
    """Keep who passes by the configuration alone: named lists may change under it."""
    if not gate.config.ip_policies:
        if len(gate.passing) >= MAX_REMEMBERED:
            gate.passing.clear()
        gate.passing[client_ip] = passed
    return passed


def judge(config: Config, exchange: Exchange) -> tuple[Result, str]:
    """Return the decision and its reason; what can't be judged is denied."""
    named = exchange.surroundings.ip_policies
    for name in config.ip_policies:
        if name not in named:
            # A proxy refuses the document at load; an evaluation may lack the operator's lists.
            return undecided(UNKNOWN_POLICY, f"there is no IP policy {name!r}"), POLICY_UNKNOWN
    try:
        client = parse_address(exchange.connection.client_ip)
    except AddressError:
        return undecided(BLOCKED, "the client's address is not known"), ADDRESS_UNKNOWN
    return decide(config, [named[name] for name in config.ip_policies], client), ADDRESS_DENIED


def decide(config: Config, policies: list[IpPolicy], client: Address) -> Result:
    """Weigh the lists of the configuration and of the named policies as one."""
    refused = narrowest(lists(config.deny, [policy.deny for policy in policies]), client)
    if refused:
        return Result(action="deny", matched_cidr=refused)
    allowing = lists(config.allow, [policy.allow for policy in policies])
    admitted = narrowest(allowing, client)
    passes = admitted or not allowing
    return Result(action="allow" if passes else "deny", matched_cidr=admitted)


def lists(own: NetworkSet | None, named: list[NetworkSet]) -> list[NetworkSet]:
    """Return all lists of one kind that have an entry."""
    if not named:
        return [own] if own else []
    return [networks for networks in (own, *named) if networks]


def narrowest(networks: list[NetworkSet], client: Address) -> str:
    """Return the network with the longest prefix that holds an address, "" for none."""
    if len(networks) == 1:
        return networks[0].find_parsed(client) or ""
    found = [cidr for one in networks if (cidr := one.find_parsed(client))]
    return max(found, key=lambda cidr: int(cidr.rpartition("/")[2]), default="")


def undecided(code: str, message: str) -> Result:
    """Deny a client that no list can speak of."""
    return Result(action="deny", matched_cidr="", error=ActionError(code=code, message=message))


def lint(config: Config) -> tuple[Lint, ...]:
    """Warn of an action that lets everybody through."""
    if config.allow is not None or config.deny is not None or config.ip_policies:
        return ()
    message = "without 'allow', 'deny' or 'ip_policies' everybody passes"
    return (Lint(code="restricts-nobody", message=message),)


ACTION = Action(
    name="restrict-ips",
    phases=frozenset({Phase.ON_TCP_CONNECT, Phase.ON_HTTP_REQUEST, Phase.ON_HTTP_RESPONSE}),
    config=Config,
    result=Result,
    prepare=prepare,
    run=run,
    lint=lint,
    ip_policy_names=lambda config: tuple(config.ip_policies),
)
