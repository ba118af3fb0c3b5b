from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from actions.restrict_ips import (
    ACTION,
    ADDRESS_DENIED,
    ADDRESS_UNKNOWN,
    MAX_REMEMBERED,
    POLICY_UNKNOWN,
    Config,
    Result,
    prepare,
)
from policy.action import Close, Continue, Outcome, Respond
from policy.exchange import Exchange
from policy.ip_policy import IpPolicy
from policy.net import parse_network
from policy.phase import Phase
from tests import exchanges


def config(**fields: Any) -> Config:
    return Config.model_validate(fields)


def run(config: Config, exchange: Exchange) -> Outcome[Result]:
    return ACTION.run(prepare(config), exchange)  # type: ignore[return-value]  # has no effects


def allowed(cidr: str = "") -> Result:
    return Result(action="allow", matched_cidr=cidr)


def denied(cidr: str = "") -> Result:
    return Result(action="deny", matched_cidr=cidr)


DECISIONS: dict[str, tuple[str, dict[str, Any], Result]] = {
    "listed": ("203.0.113.9", {"allow": ["203.0.113.0/24"]}, allowed("203.0.113.0/24")),
    "not listed": ("198.51.100.1", {"allow": ["203.0.113.0/24"]}, denied()),
    "denied": ("10.1.2.3", {"deny": ["10.0.0.0/8"]}, denied("10.0.0.0/8")),
    "deny list only": ("192.0.2.1", {"deny": ["10.0.0.0/8"]}, allowed()),
    "empty allow list": ("192.0.2.1", {"allow": [], "deny": ["10.0.0.0/8"]}, allowed()),
    "deny wins": (
        "10.1.2.3",
        {"allow": ["10.1.2.3"], "deny": ["10.0.0.0/8"]},
        denied("10.0.0.0/8"),
    ),
    "narrowest network": (
        "10.1.2.3",
        {"allow": ["10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0"]},
        allowed("10.1.0.0/16"),
    ),
    "bare address": ("10.1.2.3", {"allow": ["10.1.2.3"]}, allowed("10.1.2.3/32")),
    "mapped peer": ("::ffff:10.0.0.1", {"allow": ["10.0.0.0/8"]}, allowed("10.0.0.0/8")),
    "mapped rule": ("10.0.0.1", {"deny": ["::ffff:10.0.0.0/104"]}, denied("10.0.0.0/8")),
    "loopback is not loopback": ("::1", {"allow": ["127.0.0.0/8"]}, denied()),
    "zone": ("fe80::1%eth0", {"allow": ["fe80::/10"]}, allowed("fe80::/10")),
    "one family": ("2001:db8::1", {"allow": ["0.0.0.0/0"]}, denied()),
    "IPv6": ("2001:db8::1", {"allow": ["2001:db8::/32"]}, allowed("2001:db8::/32")),
    "named list allows": ("192.0.2.7", {"ip_policies": ["vendor"]}, allowed("192.0.2.0/24")),
    "named list denies": ("192.0.2.66", {"ip_policies": ["vendor"]}, denied("192.0.2.66/32")),
    "named list and own": (
        "198.51.100.1",
        {"ip_policies": ["vendor"], "allow": ["198.51.100.0/24"]},
        allowed("198.51.100.0/24"),
    ),
    "named list narrower than own": (
        "192.0.2.7",
        {"ip_policies": ["vendor"], "allow": ["0.0.0.0/0"]},
        allowed("192.0.2.0/24"),
    ),
    "named list of denials": ("192.0.2.7", {"ip_policies": ["bad"]}, allowed()),
    "nothing listed": ("192.0.2.7", {}, allowed()),
}


@pytest.fixture
def vendors(exchange: Exchange) -> Exchange:
    policies = {
        "vendor": IpPolicy.of(
            [(parse_network("192.0.2.0/24"), "allow"), (parse_network("192.0.2.66"), "deny")]
        ),
        "bad": IpPolicy.of([(parse_network("198.51.100.0/24"), "deny")]),
    }
    exchange.surroundings = exchanges.surroundings(ip_policies=policies)
    return exchange


@pytest.mark.parametrize(("client_ip", "fields", "expected"), DECISIONS.values(), ids=DECISIONS)
def test_the_lists_decide(
    vendors: Exchange, client_ip: str, fields: dict[str, Any], expected: Result
) -> None:
    vendors.connection.client_ip = client_ip
    outcome = run(config(**fields), vendors)
    assert outcome.result == expected
    assert isinstance(outcome, Continue) == (expected.action == "allow")


@pytest.mark.parametrize("phase", [Phase.ON_HTTP_REQUEST, Phase.ON_HTTP_RESPONSE])
def test_a_denied_request_gets_403(exchange: Exchange, phase: Phase) -> None:
    exchange.phase = phase
    outcome = run(config(allow=["10.0.0.0/8"]), exchange)
    assert outcome == Respond(
        status_code=403, reason=ADDRESS_DENIED, error_code="ERR_NGROK_3203", result=denied()
    )


def test_a_denied_connection_is_closed(exchange: Exchange) -> None:
    exchange.phase = Phase.ON_TCP_CONNECT
    outcome = run(config(allow=["10.0.0.0/8"]), exchange)
    assert outcome == Close(reason=ADDRESS_DENIED, error_code="ERR_NGROK_3203", result=denied())


def test_enforce_false_records_a_denial(exchange: Exchange) -> None:
    outcome = run(config(allow=["10.0.0.0/8"], enforce=False), exchange)
    assert outcome == Continue(denied())


@pytest.mark.parametrize("client_ip", ["", "unknown", "@", "010.0.0.1"])
@pytest.mark.parametrize("fields", [{"deny": ["10.0.0.0/8"]}, {"allow": ["0.0.0.0/0", "::/0"]}])
def test_a_client_without_address_is_denied(
    exchange: Exchange, client_ip: str, fields: dict[str, Any]
) -> None:
    exchange.connection.client_ip = client_ip
    outcome = run(config(**fields), exchange)
    assert isinstance(outcome, Respond)
    assert outcome.reason == ADDRESS_UNKNOWN
    assert outcome.result is not None
    assert outcome.result.error is not None


def test_forwarding_fields_decide_nothing(exchange: Exchange) -> None:
    assert exchange.request is not None
    exchange.request.headers.add("X-Forwarded-For", "10.0.0.1")
    assert isinstance(run(config(allow=["10.0.0.0/8"]), exchange), Respond)


@pytest.mark.parametrize(
    "network", ["010.0.0.1", "10.1", "0x0a000001", "10.0.0.0/33", " 10.0.0.1", "10.0.0.0/255.0.0.0"]
)
@pytest.mark.parametrize("field", ["allow", "deny"])
def test_a_network_that_can_be_misread_is_refused(field: str, network: str) -> None:
    with pytest.raises(ValidationError):
        config(**{field: [network]})


def test_host_bits_and_one_family_are_noted() -> None:
    written = config(allow=["0.0.0.0/0"], deny=["::1", "10.0.0.5/8"])
    assert written.allow is not None
    assert [note.code for note in written.allow.notes] == ["network-one-family"]
    assert written.deny is not None
    assert [note.path for note in written.deny.notes] == [(1,)]


def test_a_list_that_is_not_known_lets_nobody_through(exchange: Exchange) -> None:
    outcome = run(config(ip_policies=["vendor"]), exchange)
    assert isinstance(outcome, Respond)
    assert outcome.reason == POLICY_UNKNOWN
    assert outcome.result is not None
    assert outcome.result.error is not None
    assert outcome.result.error.code == "ERR_NGROK_2216"


def test_an_action_that_stops_nobody_is_warned_of() -> None:
    assert [finding.code for finding in ACTION.lint(config())] == ["restricts-nobody"]
    assert ACTION.lint(config(ip_policies=["vendor"])) == ()


def test_the_lists_it_relies_on_are_known_at_load() -> None:
    assert ACTION.ip_policy_names(config(ip_policies=["a", "b"])) == ("a", "b")


def test_who_has_passed_passes_again_and_others_are_judged(exchange: Exchange) -> None:
    gate = prepare(config(deny=["192.0.2.0/24"]))
    exchange.connection.client_ip = "198.51.100.1"
    assert ACTION.run(gate, exchange) is ACTION.run(gate, exchange)
    exchange.connection.client_ip = "192.0.2.1"
    assert isinstance(ACTION.run(gate, exchange), Respond)


def test_named_lists_are_asked_each_time(vendors: Exchange) -> None:
    gate = prepare(config(ip_policies=["vendor"]))
    vendors.connection.client_ip = "192.0.2.7"
    assert isinstance(ACTION.run(gate, vendors), Continue)
    vendors.surroundings = exchanges.surroundings()
    assert isinstance(ACTION.run(gate, vendors), Respond)


def test_only_so_many_clients_are_remembered(exchange: Exchange) -> None:
    gate = prepare(config(deny=["192.0.2.0/24"]))
    for number in range(MAX_REMEMBERED + 1):
        exchange.connection.client_ip = f"10.0.{number >> 8}.{number & 255}"
        ACTION.run(gate, exchange)
    assert len(gate.passing) == 1
