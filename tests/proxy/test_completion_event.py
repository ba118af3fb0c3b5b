"""T-LG-1: one valid line of JSON per request, with the language's field names, without secrets."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.exchange import Connection, Endpoint, Exchange, Login, Request, Response, TlsSession
from policy.fields import Fields
from policy.url import Url
from proxy.completion import Completion
from proxy.completion_event import event_ids, render_event, timestamp
from tests import exchanges

START_NS = 1_700_000_000_123_456_789
BASIC = "Basic dXNlcjpodW50ZXIy"


@dataclass
class Credentials:
    username: str
    authorized: bool


@dataclass
class BasicAuth:
    credentials: Credentials


@dataclass
class RestrictIps:
    action: str


def completion(
    *,
    path: str = "/orders",
    query: str = "",
    headers: list[tuple[str, str]] | None = None,
    response_headers: list[tuple[str, str]] | None = None,
    logs: list[dict[str, Any]] | None = None,
    results: dict[str, Any] | None = None,
    **others: Any,
) -> Completion:
    connection = Connection(
        client_ip="203.0.113.7", client_port=4711, server_ip="10.0.0.1", server_port=443,
        started_ns=START_NS, peer_ip="10.9.9.9", tls=TlsSession(version="1.3", sni="app.test"),
    )  # fmt: skip
    target = f"{path}?{query}" if query else path
    exchange = Exchange(
        connection=connection,
        endpoint=Endpoint(
            id="ep_1", name="app", url="https://app.test", protocol="https", host="app.test",
            port=443,
        ),
        surroundings=exchanges.surroundings(now_ns=lambda: START_NS),
        request=Request(
            method="GET", version="1.1", url=Url("https", "app.test", None, path, query, target),
            headers=Fields(headers or []), received_ns=START_NS,
        ),
        response=Response(status_code=200, headers=Fields(response_headers or [])),
        results=results,
    )  # fmt: skip
    exchange.logs = logs or []
    return Completion(
        connection=connection,
        exchange=exchange,
        endpoint="app",
        policy="app.yml",
        status=403,
        started_ns=START_NS,
        ended_ns=START_NS + 1_500_000,
        **others,
    )


def rendered(done: Completion) -> dict[str, Any]:
    line = render_event(done, "ev_1")
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert line.isascii()
    event: dict[str, Any] = json.loads(line)
    return event


def test_a_request_has_the_languages_field_names_and_who_decided() -> None:
    event = rendered(
        completion(
            headers=[("User-Agent", "curl/8")],
            reason="denied",
            phase="on_http_request",
            rule=2,
            rule_name="no admin",
            action="deny",
            upstream="127.0.0.1:8080",
            upstream_status=200,
            upstream_head_ns=START_NS + 1_000_000,
            response_body_bytes=5,
            results={
                "basic_auth": BasicAuth(Credentials("ada", authorized=True)),
                "restrict_ips": RestrictIps("deny"),
            },
            logs=[{"metadata": {"team": "web"}}],
        )
    )
    assert event["event_type"] == "http_request_complete.v0"
    assert event["event_id"] == "ev_1"
    assert event["object"] == {
        "conn": {
            "client_ip": "203.0.113.7", "peer_ip": "10.9.9.9", "server_ip": "10.0.0.1",
            "server_port": 443, "server_name": "app.test", "start_ts": "2023-11-14T22:13:20.123Z",
        },
        "http": {
            "request": {
                "method": "GET",
                "url": {
                    "scheme": "https", "host": "app.test", "path": "/orders", "query": "",
                    "raw": "https://app.test/orders",
                },
                "user_agent": "curl/8",
                "body_length": 0,
            },
            "response": {"status_code": 403, "body_length": 5},
        },
        "endpoint": "app",
        "policy": "app.yml",
        "decision": {
            "phase": "on_http_request", "rule": {"index": 2, "name": "no admin"},
            "action": "deny", "reason": "denied", "error_code": None,
        },
        "timing": {"duration_ms": 1.5, "upstream_ms": 1.0},
        "tls": {"version": "1.3", "cipher_suite": ""},
        "backend": {"connection_reused": False},
        "upstream": {"address": "127.0.0.1:8080", "status_code": 200},
        "traffic_policy": {"logs": [{"metadata": {"team": "web"}}]},
        "ip_policy": {"decision": "block"},
        "basic_auth": {"decision": "allow", "username": "ada"},
    }  # fmt: skip


def test_a_login_is_told_as_the_language_has_it() -> None:
    done = completion()
    assert done.exchange is not None
    done.exchange.login = Login(
        client_id="orders", is_allowed=True, user_id="au_1", user_name='Ada "\u001b\udcff"'
    )
    assert rendered(done)["object"]["oauth"] == {
        "app_client_id": "orders",
        "decision": "allow",
        "user": {"id": "au_1", "name": 'Ada "\x1b\\xff"'},
    }
    assert "reference" not in rendered(done)["object"]


def test_a_login_that_lets_nobody_in_has_the_reference_of_its_page() -> None:
    done = completion()
    assert done.exchange is not None
    done.exchange.login, done.exchange.reference = Login(client_id="orders"), "ABCD2345"
    event = rendered(done)["object"]
    assert event["reference"] == "ABCD2345"
    assert event["oauth"] == {
        "app_client_id": "orders",
        "decision": "block",
        "user": {"id": "", "name": ""},
    }


def test_a_refused_connection_is_an_event_of_its_own() -> None:
    event = rendered(completion(phase="on_tcp_connect", reason="denied", rule=0))
    assert event["event_type"] == "tcp_connection_closed.v0"
    assert event["object"]["conn"]["end_ts"] == "2023-11-14T22:13:20.124Z"
    assert event["object"]["conn"]["bytes_in"] == 0
    assert "http" not in event["object"]


def test_bytes_that_were_no_request_still_leave_a_line() -> None:
    done = completion()
    done.exchange = None
    assert rendered(done)["object"]["http"]["request"] == {"body_length": 0}


HOSTILE = [
    pytest.param('/a\r\n{"forged": 1}', id="line end"),
    pytest.param("/\x1b[2J\x07", id="terminal escape"),
    pytest.param('/"\\', id="quotes"),
    pytest.param("/\u2028\x7f\x85", id="other line ends"),
    pytest.param("/\udcff\udc80", id="bytes that are no UTF-8"),
    pytest.param("/\U0001f600é", id="plain Unicode"),
]


@pytest.mark.parametrize("path", HOSTILE)
def test_whatever_a_client_writes_stays_inside_its_string(path: str) -> None:
    agent = path.replace("/", "agent ")
    event = rendered(completion(path=path, headers=[("user-agent", agent)]))
    expected = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    assert event["object"]["http"]["request"]["url"]["path"] == expected
    json.dumps(event).encode("utf-8")


@given(st.text(max_size=80), st.binary(max_size=40))
def test_any_text_makes_one_line(text: str, data: bytes) -> None:
    raw = data.decode("utf-8", "surrogateescape")
    safe = text.encode("utf-8", "ignore").decode()
    event = rendered(completion(path=f"/{safe}", query=raw, logs=[{"metadata": {safe: raw}}]))
    json.dumps(event).encode("utf-8")


SECRETS = [
    pytest.param({"headers": [("Authorization", BASIC)]}, "dXNlcjpodW50ZXIy", id="authorization"),
    pytest.param({"headers": [("Cookie", "sid=s3cr3t-value")]}, "s3cr3t-value", id="cookie"),
    pytest.param(
        {"response_headers": [("Set-Cookie", "sid=s3cr3t-value; Path=/")]}, "s3cr3t-value",
        id="set-cookie",
    ),
    pytest.param({"query": "access_token=s3cr3t-value&x=1"}, "s3cr3t-value", id="query"),
    pytest.param({"query": "acce%73s_token=s3cr3t-value"}, "s3cr3t-value", id="query, encoded"),
    pytest.param({"query": "code=s3cr3t-value&state=xyz"}, "s3cr3t-value", id="login code"),
    pytest.param(
        {"headers": [("Authorization", BASIC)],
         "logs": [{"metadata": {"all": {"authorization": [BASIC]}}}]},
        "dXNlcjpodW50ZXIy", id="header map logged by the policy",
    ),
    pytest.param(
        {"headers": [("Authorization", BASIC)],
         "logs": [{"metadata": {"note": f"sent {BASIC} today"}}]},
        "dXNlcjpodW50ZXIy", id="credential inside a logged text",
    ),
    pytest.param(
        {"logs": [{"metadata": {"user": {"password": "s3cr3t-value"}}}]}, "s3cr3t-value",
        id="telling name in what the policy logs",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "secret"), SECRETS)
def test_credentials_are_masked_wherever_they_stand(parts: dict[str, Any], secret: str) -> None:
    line = render_event(completion(**parts), "ev_1")
    assert secret.encode() not in line


def test_ordinary_parameters_are_not_masked() -> None:
    event = rendered(completion(query="page=2&sort=name&flag"))
    assert event["object"]["http"]["request"]["url"]["query"] == "page=2&sort=name&flag"


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), b"\xff", 2**70, {1: {2: 3}}, (1, 2), None, object()]
)
def test_any_logged_value_makes_valid_json(value: object) -> None:
    rendered(completion(logs=[{"metadata": {"value": value}}]))


def test_times_are_rfc_3339_in_utc() -> None:
    assert timestamp(0) == "1970-01-01T00:00:00.000Z"
    assert timestamp(START_NS) == "2023-11-14T22:13:20.123Z"


def test_event_ids_differ() -> None:
    next_id = event_ids("a1")
    assert [next_id(), next_id()] == ["ev_a1_1", "ev_a1_2"]
