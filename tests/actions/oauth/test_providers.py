from __future__ import annotations

from dataclasses import fields
from urllib.parse import urlsplit

import pytest

from actions.oauth.providers import PROVIDERS, endpoints_at, hosted_at
from policy.oauth_endpoints import OauthEndpoints

BASE = "https://git.example.com/hub"


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_address_is_a_safe_one(name: str) -> None:
    endpoints = PROVIDERS[name].endpoints
    for url in (getattr(endpoints, each.name) for each in fields(endpoints)):
        assert urlsplit(url).scheme == "https"
        assert not url.endswith("/")


def test_only_what_the_operator_gives_is_elsewhere() -> None:
    own = {"google": OauthEndpoints(api_url="http://127.0.0.1:9000")}
    usual = PROVIDERS["google"].endpoints
    moved = endpoints_at(PROVIDERS["google"], own, "google")
    assert moved.api_url == "http://127.0.0.1:9000"
    assert moved.tokens_url == usual.tokens_url
    assert endpoints_at(PROVIDERS["gitlab"], own, "gitlab") == PROVIDERS["gitlab"].endpoints


@pytest.mark.parametrize("base", [BASE, BASE + "/"])
def test_an_instance_of_ones_own_has_everything_below_its_address(base: str) -> None:
    assert hosted_at("github", base) == OauthEndpoints(
        authorization_url=f"{BASE}/login/oauth/authorize",
        tokens_url=f"{BASE}/login/oauth/access_token",
        api_url=f"{BASE}/api/v3",
    )
    assert hosted_at("gitlab", base) == OauthEndpoints(
        authorization_url=f"{BASE}/oauth/authorize",
        tokens_url=f"{BASE}/oauth/token",
        api_url=BASE,
    )


def test_nobody_hosts_the_other_providers() -> None:
    assert {name for name in PROVIDERS if hosted_at(name, BASE)} == {"github", "gitlab"}
