"""Turns the record of a finished request into one line of JSON (language spec, section 6.5).

Field names are the language's; what it has no name for (who decided, and why) stands in
`decision`, `endpoint`, `policy`, `upstream` and `timing`. Header values are not logged.

A line is written for every request, so its fixed parts are text with the values in between,
which takes a quarter of the time of building objects for `json.dumps`. Tests parse each line.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from policy.exchange import Connection, Exchange
from policy.phase import Phase
from proxy.completion import Completion
from proxy.masking import masked_logs, masked_query, masked_url

HTTP_EVENT = "http_request_complete.v0"
TCP_EVENT = "tcp_connection_closed.v0"
NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000


def event_ids(prefix: str) -> Callable[[], str]:
    """Return a source of event ids; `prefix` is unique to this process."""
    numbers: Iterator[int] = itertools.count(1)
    return lambda: f"ev_{prefix}_{next(numbers)}"


def render_event(completion: Completion, event_id: str) -> bytes:
    """Return the event as one line of ASCII JSON, its line feed included."""
    is_tcp = completion.phase == Phase.ON_TCP_CONNECT
    line = (
        f'{{"event_id":{quoted(event_id)},"event_type":"{TCP_EVENT if is_tcp else HTTP_EVENT}",'
        f'"event_timestamp":"{timestamp(completion.ended_ns)}","account_id":"",'
        f'"object":{{{_tcp_members(completion) if is_tcp else _http_members(completion)}'
        f"{_policy_members(completion.exchange)}{_login_members(completion.exchange)}}}}}\n"
    )
    if "\\udc" in line:
        # Bytes that are no UTF-8 came through as lone surrogates, which many readers refuse.
        line = json.dumps(_without_surrogates(json.loads(line)), separators=(",", ":")) + "\n"
    return line.encode("ascii")


def timestamp(time_ns: int) -> str:
    """Write nanoseconds since the epoch as RFC 3339 in UTC, to the millisecond."""
    seconds, rest = divmod(time_ns, NS_PER_S)
    return f"{_second(seconds)}.{rest // NS_PER_MS:03d}Z"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


def _http_members(completion: Completion) -> str:
    return (
        f'"conn":{{{_connection_members(completion.connection)}}},'
        f'"http":{{"request":{{{_request_members(completion)}}},'
        f'"response":{{"status_code":{_number(completion.status)},'
        f'"body_length":{completion.response_body_bytes}}}}},'
        f"{_decision_members(completion)},"
        f'"timing":{{"duration_ms":{_milliseconds(completion, completion.ended_ns)},'
        f'"upstream_ms":{_milliseconds(completion, completion.upstream_head_ns)}}}'
        f"{_transport_members(completion)}"
    )


def _tcp_members(completion: Completion) -> str:
    connection = completion.connection
    return (
        f'"conn":{{{_connection_members(connection)},"bytes_in":{connection.bytes_in},'
        f'"bytes_out":{connection.bytes_out},"end_ts":"{timestamp(completion.ended_ns)}"}},'
        f"{_decision_members(completion)}"
    )


def _connection_members(connection: Connection) -> str:
    name = connection.tls.sni if connection.tls else ""
    return (
        f'"client_ip":{quoted(connection.client_ip)},"peer_ip":{quoted(connection.peer_ip)},'
        f'"server_ip":{quoted(connection.server_ip)},"server_port":{connection.server_port},'
        f'"server_name":{quoted(name)},"start_ts":"{timestamp(connection.started_ns)}"'
    )


def _request_members(completion: Completion) -> str:
    length = f'"body_length":{completion.request_body_bytes}'
    exchange = completion.exchange
    if exchange is None or exchange.request is None:
        return length
    request = exchange.request
    url = request.url
    return (
        f'"method":{quoted(request.method)},"url":{{"scheme":{quoted(url.scheme)},'
        f'"host":{quoted(url.host)},"path":{quoted(url.path)},'
        f'"query":{quoted(masked_query(url.query))},"raw":{quoted(masked_url(url.raw))}}},'
        f'"user_agent":{quoted(request.headers.first("user-agent") or "")},{length}'
    )


def _decision_members(completion: Completion) -> str:
    rule = "null"
    if completion.rule is not None:
        rule = f'{{"index":{completion.rule},"name":{_text(completion.rule_name)}}}'
    return (
        f'"endpoint":{_text(completion.endpoint)},"policy":{_text(completion.policy)},'
        f'"decision":{{"phase":{_text(completion.phase)},"rule":{rule},'
        f'"action":{_text(completion.action)},"reason":{_text(completion.reason)},'
        f'"error_code":{_text(completion.error_code)}}}'
    )


def _transport_members(completion: Completion) -> str:
    members = ""
    tls = completion.connection.tls
    if tls is not None:
        suite = quoted(tls.cipher_suite)
        members = f',"tls":{{"version":{quoted(tls.version)},"cipher_suite":{suite}}}'
    if completion.upstream is not None:
        reused = "true" if completion.upstream_connection_reused else "false"
        members += (
            f',"backend":{{"connection_reused":{reused}}},'
            f'"upstream":{{"address":{quoted(completion.upstream)},'
            f'"status_code":{_number(completion.upstream_status)}}}'
        )
    if completion.upgraded:
        members += ',"upgraded":true'
    if completion.client_aborted:
        members += ',"client_aborted":true'
    return members


def _policy_members(exchange: Exchange | None) -> str:
    """Add what actions left for the event; most requests have none of it."""
    if exchange is None or not (exchange.logs or exchange.results or exchange.warnings):
        return ""
    members: dict[str, Any] = {}
    if exchange.logs:
        members["traffic_policy"] = {"logs": masked_logs(exchange.logs, exchange)}
    if exchange.warnings:
        members["warnings"] = exchange.warnings
    results = exchange.results
    if (addresses := results.get("restrict_ips")) is not None:
        members["ip_policy"] = {"decision": "allow" if addresses.action == "allow" else "block"}
    if (login := results.get("basic_auth")) is not None:
        credentials = login.credentials
        members["basic_auth"] = {
            "decision": "allow" if credentials.authorized else "block",
            "username": credentials.username,
        }
    if not members:
        return ""
    return "," + json.dumps(members, default=_json_value, separators=(",", ":"))[1:-1]


def _login_members(exchange: Exchange | None) -> str:
    """Add who was let in by a login, and what a person can quote from a page of ours."""
    if exchange is None:
        return ""
    members = ""
    if (login := exchange.login) is not None:
        client = f'"app_client_id":{quoted(login.client_id)},' if login.client_id else ""
        members = (
            f",{quoted(login.kind)}:{{{client}"
            f'"decision":"{"allow" if login.is_allowed else "block"}",'
            f'"user":{{"id":{quoted(login.user_id)},"name":{quoted(login.user_name)}}}}}'
        )
    if exchange.reference:
        members += f',"reference":{quoted(exchange.reference)}'
    return members


def _text(value: str | None) -> str:
    return "null" if value is None else quoted(value)


def _number(value: int | None) -> str:
    return "null" if value is None else str(value)


def _milliseconds(completion: Completion, end_ns: int | None) -> str:
    if end_ns is None:
        return "null"
    # The machine's clock may have been set back meanwhile, and no request takes less than nothing.
    return f"{max(0, end_ns - completion.started_ns) / NS_PER_MS:.3f}"


def _json_value(value: Any) -> Any:
    """Give a form to the values of the language that JSON has none for."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return str(value)


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    return value
