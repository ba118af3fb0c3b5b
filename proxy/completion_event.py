"""Turns the record of a finished request into one line of JSON (language spec, section 6.5).

Field names are the language's; what it has no name for (who decided, and why) stands in
`decision`, `endpoint`, `policy`, `upstream` and `timing`. Header values are not logged.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
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
    exchange = completion.exchange
    is_tcp = completion.phase == Phase.ON_TCP_CONNECT
    body = _tcp_object(completion) if is_tcp else _http_object(completion, exchange)
    event = {
        "event_id": event_id,
        "event_type": TCP_EVENT if is_tcp else HTTP_EVENT,
        "event_timestamp": timestamp(completion.ended_ns),
        "account_id": "",
        "object": body,
    }
    line = json.dumps(event, default=_json_value, separators=(",", ":"))
    if "\\udc" in line:
        # Bytes that are no UTF-8 came through as lone surrogates, which many readers refuse.
        line = json.dumps(_without_surrogates(json.loads(line)), separators=(",", ":"))
    return line.encode("ascii") + b"\n"


def timestamp(time_ns: int) -> str:
    """Write nanoseconds since the epoch as RFC 3339 in UTC, to the millisecond."""
    seconds, rest = divmod(time_ns, NS_PER_S)
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{rest // NS_PER_MS:03d}Z"


def _http_object(completion: Completion, exchange: Exchange | None) -> dict[str, Any]:
    connection = completion.connection
    event: dict[str, Any] = {
        "conn": _connection(connection),
        "http": {
            "request": _request(completion, exchange),
            "response": {
                "status_code": completion.status,
                "body_length": completion.response_body_bytes,
            },
        },
        **_decision(completion),
        "timing": {
            "duration_ms": _milliseconds(completion.started_ns, completion.ended_ns),
            "upstream_ms": _milliseconds(completion.started_ns, completion.upstream_head_ns),
        },
    }
    if connection.tls is not None:
        event["tls"] = {
            "version": connection.tls.version,
            "cipher_suite": connection.tls.cipher_suite,
        }
    if completion.upstream is not None:
        event["backend"] = {"connection_reused": completion.upstream_connection_reused}
        event["upstream"] = {
            "address": completion.upstream,
            "status_code": completion.upstream_status,
        }
    if completion.upgraded:
        event["upgraded"] = True
    if completion.client_aborted:
        event["client_aborted"] = True
    _add_policy_fields(event, exchange)
    return event


def _tcp_object(completion: Completion) -> dict[str, Any]:
    connection = completion.connection
    event: dict[str, Any] = {
        "conn": {
            **_connection(connection),
            "bytes_in": connection.bytes_in,
            "bytes_out": connection.bytes_out,
            "end_ts": timestamp(completion.ended_ns),
        },
        **_decision(completion),
    }
    _add_policy_fields(event, completion.exchange)
    return event


def _connection(connection: Connection) -> dict[str, Any]:
    return {
        "client_ip": connection.client_ip,
        "peer_ip": connection.peer_ip,
        "server_ip": connection.server_ip,
        "server_port": connection.server_port,
        "server_name": connection.tls.sni if connection.tls else "",
        "start_ts": timestamp(connection.started_ns),
    }


def _request(completion: Completion, exchange: Exchange | None) -> dict[str, Any]:
    if exchange is None or exchange.request is None:
        return {"body_length": completion.request_body_bytes}
    request = exchange.request
    url = request.url
    return {
        "method": request.method,
        "url": {
            "scheme": url.scheme,
            "host": url.host,
            "path": url.path,
            "query": masked_query(url.query),
            "raw": masked_url(url.raw),
        },
        "user_agent": request.headers.first("user-agent") or "",
        "body_length": completion.request_body_bytes,
    }


def _decision(completion: Completion) -> dict[str, Any]:
    rule = completion.rule
    return {
        "endpoint": completion.endpoint,
        "policy": completion.policy,
        "decision": {
            "phase": completion.phase,
            "rule": None if rule is None else {"index": rule, "name": completion.rule_name},
            "action": completion.action,
            "reason": completion.reason,
            "error_code": completion.error_code,
        },
    }


def _add_policy_fields(event: dict[str, Any], exchange: Exchange | None) -> None:
    if exchange is None:
        return
    if exchange.logs:
        event["traffic_policy"] = {"logs": masked_logs(exchange.logs, exchange)}
    results = exchange.results
    if (addresses := results.get("restrict_ips")) is not None:
        event["ip_policy"] = {"decision": "allow" if addresses.action == "allow" else "block"}
    if (login := results.get("basic_auth")) is not None:
        credentials = login.credentials
        event["basic_auth"] = {
            "decision": "allow" if credentials.authorized else "block",
            "username": credentials.username,
        }


def _milliseconds(start_ns: int, end_ns: int | None) -> float | None:
    return None if end_ns is None else round((end_ns - start_ns) / NS_PER_MS, 3)


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
