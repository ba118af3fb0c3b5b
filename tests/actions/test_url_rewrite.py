from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actions.url_replacement import INVALID_TARGET
from actions.url_rewrite import ACTION, Config, Result, run
from policy.action import Continue, Respond
from policy.exchange import Exchange, Request
from policy.forwarding import upstream_fields
from policy.url import canonical_path, parse_request_target
from tests import exchanges

URL = "https://app.example.com/old/page?a=1"

REWRITES = {
    "path": ({"from": "/old/", "to": "/new/"}, "/new/page?a=1"),
    "groups": ({"from": r"/(\w+)/(\w+)", "to": "/$2/$1"}, "/page/old?a=1"),
    "query": ({"from": r"\?.*", "to": "?b=2&c"}, "/old/page?b=2&c"),
    "query dropped": ({"from": r"\?.*$", "to": ""}, "/old/page"),
    "whole URL": ({"to": "https://app.example.com/x?y"}, "/x?y"),
    "whole URL by a path": ({"to": "/x?y"}, "/x?y"),
    "host alone": ({"to": "https://other.example"}, "/"),
    "space": ({"from": "old", "to": "a b"}, "/a%20b/page?a=1"),
    "escape in lower case": ({"from": "old", "to": "%c3%a9"}, "/%C3%A9/page?a=1"),
    "trailing slash": ({"from": r"/page\?a=1", "to": "/"}, "/old/"),
}

REFUSED = {
    "dot segment": {"from": "/old/", "to": "/../"},
    "dot segment within": {"from": "page", "to": "../admin"},
    "encoded dot segment": {"from": "old", "to": "%2e%2e"},
    "single dot": {"from": "old", "to": "."},
    "double slash": {"from": "/old", "to": "//evil.example"},
    "scheme in the path": {"from": "/old", "to": "/https://evil.example"},
    "path of two slashes": {"to": "//evil.example/x"},
    "encoded slash": {"from": "/page", "to": "%2fpage"},
    "twice encoded dots": {"from": "old", "to": "%252e%252e"},
    "path parameter trick": {"from": "old", "to": "..;"},
    "fragment": {"from": "old", "to": "old#"},
    "line break": {"from": "old", "to": "a\r\nX: 1"},
}

NO_URL = {
    "relative": {"to": "x"},
    "no host": {"to": "https:///x"},
    "bad port": {"from": "app.example.com", "to": "app.example.com:99999"},
    "bad host": {"from": "app", "to": "a,b"},
    "bad user": {"from": "app", "to": "a@b@c"},
    "bad brackets": {"from": "app.example.com", "to": "[::1"},
}


def config(**fields: Any) -> Config:
    return Config.model_validate(fields)


@pytest.mark.parametrize(("fields", "uri"), REWRITES.values(), ids=REWRITES)
def test_the_upstream_gets_the_new_path_and_query(
    exchange: Exchange, request_: Request, fields: dict[str, Any], uri: str
) -> None:
    outcome = run(config(**fields), exchange)
    assert isinstance(outcome, Continue)
    assert request_.url.uri == uri
    assert outcome.result is not None
    assert outcome.result.url == request_.url.text
    assert outcome.result.error is None
    assert exchange.computed is None


def test_without_a_match_nothing_changes(exchange: Exchange, request_: Request) -> None:
    outcome = run(config(**{"from": "nowhere", "to": "/x"}), exchange)
    assert outcome == Continue(Result(matches=[], url=URL))
    assert request_.received_url is None
    assert exchange.computed is not None


@pytest.mark.parametrize("fields", REFUSED.values(), ids=REFUSED)
def test_a_path_that_is_not_canonical_ends_the_request(
    exchange: Exchange, request_: Request, fields: dict[str, Any]
) -> None:
    outcome = run(config(**fields), exchange)
    assert isinstance(outcome, Respond)
    assert (outcome.status_code, outcome.reason) == (500, INVALID_TARGET)
    assert outcome.error_code == "ERR_NGROK_2300"
    assert request_.url.text == URL


@pytest.mark.parametrize("fields", NO_URL.values(), ids=NO_URL)
def test_a_result_that_is_no_url_changes_nothing(
    exchange: Exchange, request_: Request, fields: dict[str, Any]
) -> None:
    outcome = run(config(**fields), exchange)
    assert isinstance(outcome, Continue)
    assert outcome.result is not None
    assert outcome.result.error is not None
    assert outcome.result.error.code == "ERR_NGROK_2300"
    assert request_.url.text == URL


def test_another_host_is_seen_by_the_policy_only(exchange: Exchange, request_: Request) -> None:
    outcome = run(config(**{"from": "https://[^/]+", "to": "http://me@other.example:81"}), exchange)
    assert isinstance(outcome, Continue)
    assert request_.url.authority == "me@other.example:81"
    assert request_.public_url.text == URL
    lines = upstream_fields(exchange)
    assert ("Host", "app.example.com") in lines
    assert ("x-forwarded-host", "app.example.com") in lines
    assert ("x-forwarded-proto", "https") in lines


def test_a_second_rewrite_keeps_what_was_received(exchange: Exchange, request_: Request) -> None:
    run(config(**{"from": "old", "to": "b"}), exchange)
    run(config(**{"from": "page", "to": "c"}), exchange)
    assert request_.url.uri == "/b/c?a=1"
    assert request_.public_url.text == URL


def test_without_a_request_there_is_nothing_to_rewrite(exchange: Exchange) -> None:
    exchange.request = None
    assert run(config(to="/x"), exchange) == Continue()


def test_nginx_words_are_warned_of() -> None:
    assert ACTION.lint(config(**{"from": "/a", "to": "/b?$args"}))


@given(to=st.text(alphabet="/.%2eEfF;\\#?a: é\r", max_size=12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_put_in_the_upstreams_path_is_canonical(exchange: Exchange, to: str) -> None:
    run(config(**{"from": "/[^?]*", "to": f"/{to}"}), exchange)
    assert exchange.request is not None
    path = exchange.request.url.path
    assert canonical_path(path) == path


def test_an_encoded_slash_is_kept_where_the_endpoint_keeps_it() -> None:
    endpoint = replace(exchanges.ENDPOINT, keeps_encoded_slashes=True)
    request = exchanges.request()
    request.url = parse_request_target(
        "/old/a%2Fb", scheme="https", authority="a.test", keeps_encoded_slashes=True
    )
    exchange = exchanges.exchange(request)
    exchange.endpoint = endpoint
    outcome = run(config(**{"from": "/old/", "to": "/new/"}), exchange)
    assert isinstance(outcome, Continue)
    assert request.url.path == "/new/a%2Fb"
    refused = run(config(**{"from": "a%2Fb", "to": "..%2Fadmin"}), exchange)
    assert isinstance(refused, Respond)
