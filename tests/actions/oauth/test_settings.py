from __future__ import annotations

from typing import Any, get_args

import pytest
from pydantic import ValidationError

from actions.oauth.providers import PROVIDERS
from actions.oauth.settings import Config, ProviderName, lint
from policy.config_types import Pending
from policy.problem import Severity
from tests.actions.oauth.scripts import SECRET, settings


def test_every_provider_of_the_language_is_there() -> None:
    assert set(get_args(ProviderName)) == set(PROVIDERS)


@pytest.mark.parametrize(
    ("given", "reference"),
    [
        ({"client_id": "a"}, "ERR_NGROK_384"),
        ({"client_secret": "b"}, "ERR_NGROK_383"),
        ({}, "ERR_NGROK_389"),
    ],
)
def test_both_credentials_are_needed(given: dict[str, str], reference: str) -> None:
    [found, *_] = lint(Config.model_validate({"provider": "github", **given}))
    assert (found.code, found.severity) == ("missing-field", Severity.ERROR)
    assert found.reference == reference


def test_a_complete_configuration_has_nothing_to_it() -> None:
    kept = settings("github", client_secret=Pending("${secrets.get('main', 'github')}"))
    assert list(lint(kept)) == []


def test_a_secret_in_the_policy_is_warned_of() -> None:
    [found] = lint(settings("github"))
    assert (found.code, found.severity) == ("client-secret-in-clear-text", Severity.WARNING)


def test_addresses_that_are_not_verified_are_warned_of() -> None:
    [_, found] = lint(settings("amazon", accept_unverified_email=True))
    assert (found.code, found.severity) == ("unverified-email-accepted", Severity.WARNING)


def test_the_secret_is_not_shown() -> None:
    assert SECRET not in repr(settings("github"))


SCOPES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "amazon": ({}, ("profile",)),
    "facebook": ({}, ("email",)),
    "github": ({"scopes": ["repo", "read:user"]}, ("read:user", "read:org", "user:email", "repo")),
    "gitlab": ({}, ("openid", "profile", "email")),
    "microsoft": (
        {"scopes": ["openid", "email"], "userinfo_refresh_interval": "1h"},
        ("User.Read", "openid", "email", "offline_access"),
    ),
    "twitch": ({"scopes": ["openid"]}, ("user:read:email", "openid")),
}


@pytest.mark.parametrize("name", SCOPES)
def test_a_policys_scopes_come_on_top(name: str) -> None:
    changes, expected = SCOPES[name]
    assert settings(name, **changes).all_scopes == expected


REFUSED: dict[str, dict[str, Any]] = {
    "unknown provider": {"provider": "githob"},
    "empty client": {"client_id": ""},
    "empty secret": {"client_secret": ""},
    "line break in the secret": {"client_secret": "a\n"},
    "two scopes in one": {"scopes": ["a b"]},
    "our own parameter": {"authz_url_params": {"state": "x"}},
    "redirect of another": {"authz_url_params": {"redirect_uri": "https://evil.example"}},
    "unknown field": {"issuer_url": "https://a.example"},
}


@pytest.mark.parametrize("changes", REFUSED.values(), ids=REFUSED)
def test_what_can_not_be_used_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**{"provider": "github", **changes})
