"""What a policy may say about a login with an OpenID provider."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from actions.openid_connect.lint import documents, lint
from actions.openid_connect.metadata import metadata_request
from actions.openid_connect.settings import OpenIdSettings
from policy.cel import Limits
from policy.config import decode_config
from policy.phase import Phase
from policy.source import parse_source
from policy.variables import environment
from tests.openid_provider import ISSUER, settings


@pytest.mark.parametrize(
    "url",
    [
        "https://login.example.com",
        "https://login.example.com/",
        "https://login.example.com:8443/realms/a",
        "http://127.0.0.1:9000",
        "http://[::1]:9000/a",
        "https://10.0.0.5/",
    ],
)
def test_an_issuer_is_a_safe_url(url: str) -> None:
    assert settings(issuer_url=url).issuer_url == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "login.example.com",
        "http://login.example.com",
        "http://localhost:9000",
        "http://127.0.0.1.evil.example",
        "https://user@login.example.com",
        "https://login.example.com?x=1",
        "https://login.example.com#x",
        "https://login.example.com/.well-known/openid-configuration",
        "https://login.example.com/a b",
        "https://login.example.com\\@evil.example",
        "https://login.example.com:99999",
        "https://[::1",
        "https://",
        "https://login.example.com/" + "a" * 3000,
        "ftp://login.example.com",
    ],
)
def test_what_nobody_can_be_sure_of_is_no_issuer(url: str) -> None:
    with pytest.raises(ValidationError) as raised:
        settings(issuer_url=url)
    assert raised.value.errors()[0]["type"] == "issuer-url-invalid"


@pytest.mark.parametrize(
    ("scopes", "asked"),
    [
        (None, ("openid", "profile", "email")),
        ([], ("openid",)),
        (["email"], ("openid", "email")),
        (["email", "openid"], ("email", "openid")),
    ],
)
def test_openid_is_always_asked_for(scopes: Any, asked: tuple[str, ...]) -> None:
    assert settings(scopes=scopes).asked_scopes == asked


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a secret with a line break": ({"client_secret": "a\nb"}, "client-secret-invalid"),
    "no secret": ({"client_secret": ""}, "client-secret-invalid"),
    "a client id beyond ASCII": ({"client_id": "\u00e9"}, "client-id-invalid"),
    "two scopes in one": ({"scopes": ["openid email"]}, "scope-invalid"),
    "an endless scope": ({"scopes": ["a" * 300]}, "scope-too-long"),
    "too many scopes": ({"scopes": [f"s{number}" for number in range(65)]}, "too-many-scopes"),
    "a scope twice": ({"scopes": ["a", "a"]}, "duplicate-value"),
    "our state": ({"authz_url_params": {"state": "x"}}, "parameter-reserved"),
    "a request object": ({"authz_url_params": {"request_uri": "x"}}, "parameter-reserved"),
    "another way back": ({"authz_url_params": {"response_mode": "fragment"}}, "parameter-reserved"),
    "a name that is none": ({"authz_url_params": {"a b": "x"}}, "parameter-invalid"),
    "too many parameters": (
        {"authz_url_params": {f"p{number}": "x" for number in range(33)}},
        "too-many-entries",
    ),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_values_that_are_refused(case: Any) -> None:
    changes, code = case
    with pytest.raises(ValidationError) as raised:
        settings(**changes)
    assert code in [each["type"] for each in raised.value.errors()]
    assert "a\nb" not in raised.value.errors()[0]["msg"]


@pytest.mark.parametrize(
    ("missing", "code"), [("client_id", "ERR_NGROK_385"), ("client_secret", "ERR_NGROK_386")]
)
def test_a_client_has_an_id_and_a_secret(missing: str, code: str) -> None:
    members = {"issuer_url": ISSUER, "client_id": "a", "client_secret": "b"}
    lines = [f"{name}: {value}" for name, value in members.items() if name != missing]
    root: Any = parse_source("\n".join(lines), name="policy")
    config, problems = decode_config(root, OpenIdSettings, None, owner=root)
    assert config is None
    assert [(each.code, each.reference) for each in problems] == [("missing-field", code)]


def test_a_secret_from_a_vault_is_not_warned_of() -> None:
    text = (
        f"issuer_url: {ISSUER}\nclient_id: a\n"
        "client_secret: ${secrets.get('main', 'client_secret')}\n"
    )
    root: Any = parse_source(text, name="policy")
    scope = environment(Phase.ON_HTTP_REQUEST, (), Limits())
    config, problems = decode_config(root, OpenIdSettings, scope, owner=root)
    assert problems == ()
    assert config is not None
    assert config.sample is not None
    assert lint(config.sample) == ()


def test_what_is_weaker_than_it_could_be_is_warned_of() -> None:
    config = settings(authz_url_params={"max_age": "soon"}, accept_unverified_email=True)
    assert [(each.code, each.severity.name) for each in lint(config)] == [
        ("client-secret-in-clear-text", "WARNING"),
        ("max-age-invalid", "ERROR"),
        ("unverified-email-accepted", "WARNING"),
    ]
    assert config.max_age_s is None
    assert settings(authz_url_params={"max_age": "0"}).max_age_s == 0


def test_metadata_are_fetched_ahead_of_time() -> None:
    assert documents(settings()) == (metadata_request(ISSUER),)


def test_a_secret_is_in_no_representation() -> None:
    assert settings().client_secret not in repr(settings())
