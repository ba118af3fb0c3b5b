"""Providers that are elsewhere, from the configuration to where a login looks for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from policy.oauth_endpoints import OauthEndpoints
from policy.problem import Problem
from policy.source import parse_source
from proxy.assembly import assemble
from proxy.config import plan_of
from proxy.plan import Plan

ENDPOINTS = "endpoints: [{upstream: {url: 80}}]\n"


def plan(text: str) -> Plan:
    root = parse_source(f"{ENDPOINTS}oauth_providers:\n{text}\n", name="penstock.yml")
    return plan_of(root, name="penstock.yml", folder=Path())


def problem(text: str) -> Problem:
    [found] = plan(text).problems
    return found


def test_an_instance_of_ones_own_is_where_the_operator_says() -> None:
    made = plan("  gitlab: {base_url: https://git.example.com/}")
    assert made.problems == ()
    expected = OauthEndpoints(
        authorization_url="https://git.example.com/oauth/authorize",
        tokens_url="https://git.example.com/oauth/token",
        api_url="https://git.example.com",
    )
    assert made.oauth_providers == {"gitlab": expected}
    assert assemble(made).runtime.surroundings.oauth_providers == {"gitlab": expected}


def test_an_address_that_is_given_counts_more_than_what_follows_from_the_base() -> None:
    made = plan(
        "  github:\n    base_url: https://github.example.com\n"
        "    api_url: https://api.github.example.com"
    )
    assert made.oauth_providers["github"] == OauthEndpoints(
        authorization_url="https://github.example.com/login/oauth/authorize",
        tokens_url="https://github.example.com/login/oauth/access_token",
        api_url="https://api.github.example.com",
    )


def test_one_address_alone_can_be_another() -> None:
    made = plan("  microsoft: {authorize_url: 'https://login.example.com/t/authorize'}")
    given = OauthEndpoints(authorization_url="https://login.example.com/t/authorize")
    assert made.oauth_providers == {"microsoft": given}


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000", "http://[::1]:9000"])
def test_a_provider_on_this_machine_needs_no_tls(url: str) -> None:
    assert plan(f"  google: {{api_url: '{url}'}}").oauth_providers["google"].api_url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://git.example.com",
        "http://localhost:9000",
        "http://127.0.0.1.example.com",
        "ftp://git.example.com",
        "git.example.com",
        "https://",
        "https://user:pw@git.example.com",
        "https://git.example.com/?a=b",
        "https://git.example.com/#x",
        "https://git.example.com/ x",
        "https://git.example.com:0",
    ],
)
def test_an_address_that_could_be_tampered_with_is_refused(url: str) -> None:
    found = problem(f"  gitlab: {{base_url: '{url}'}}")
    assert (found.code, found.reference) == ("provider-url-invalid", "ERR_NGROK_2226")


def test_a_provider_that_there_is_not_is_refused_with_the_one_that_was_meant() -> None:
    found = problem("  githob: {base_url: https://git.example.com}")
    assert found.code == "value-not-permitted"
    assert found.hint == "did you mean 'github'?"


def test_nobody_has_a_google_of_their_own() -> None:
    found = problem("  google: {base_url: https://google.example.com}")
    assert found.code == "provider-not-self-hosted"
    assert found.place.line == 3
