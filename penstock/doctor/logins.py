"""Finds the logins of a policy, and fills in what waits for a request: secrets above all."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from actions.oauth.settings import Config as OauthSettings
from actions.openid_connect.settings import OpenIdSettings
from actions.saml.settings import Config as SamlSettings
from penstock.sample_exchange import LOOPBACK, exchange_for, request_of
from penstock.sample_request import parse_sample, request_from_flags
from policy.compiled import CompiledAction, CompiledRule, Policy
from policy.config_types import Pending
from policy.net import parse_address
from policy.oauth_endpoints import OauthEndpoints
from policy.phase import Phase
from policy.surroundings import Surroundings, no_secret
from policy.template import InterpolationError
from policy.variables import activation

Settings: TypeAlias = OpenIdSettings | OauthSettings | SamlSettings
EXAMINED: Final = ("openid-connect", "oauth", "saml")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Login:
    """One login action of a policy.

    `public_url` is the origin that browsers know it by, "" if nobody has said. `unresolved` names
    the field whose `${...}` has no value; then that field holds the text of the policy.
    """

    action: str
    rule: str
    settings: Settings
    public_url: str = ""
    unresolved: str = ""
    oauth_providers: Mapping[str, OauthEndpoints]

    @property
    def client_id(self) -> str | None:
        """What the provider calls us; None if it is not known here."""
        if isinstance(self.settings, SamlSettings):
            return self.settings.entity_id
        return None if isinstance(self.settings.client_id, Pending) else self.settings.client_id

    @property
    def client_secret(self) -> str | None:
        """The secret that goes with it; None if it is not known here, or there is none."""
        if isinstance(self.settings, SamlSettings):
            return None
        secret = self.settings.client_secret
        return None if isinstance(secret, Pending) else secret


def find_logins(
    policy: Policy, *, public_url: str, surroundings: Surroundings | None
) -> Iterator[Login]:
    """Find the logins of a policy. Without `surroundings` there are no secrets."""
    for rule in policy.rules.get(Phase.ON_HTTP_REQUEST, ()):
        for step in rule.actions:
            if step.action.name in EXAMINED:
                yield _login(rule, step, public_url, surroundings)


def _login(
    rule: CompiledRule, step: CompiledAction, public_url: str, surroundings: Surroundings | None
) -> Login:
    settings, unresolved = _settings(step, public_url, surroundings)
    return Login(
        action=step.action.name,
        rule=rule.name or f"rule {rule.index + 1}",
        settings=settings,
        public_url=public_url,
        unresolved=unresolved,
        oauth_providers=surroundings.oauth_providers if surroundings else {},
    )


def _settings(
    step: CompiledAction, public_url: str, surroundings: Surroundings | None
) -> tuple[Settings, str]:
    if step.config.static is not None:
        return step.config.static, ""
    try:
        return step.config.resolve(_activation(public_url, surroundings)), ""
    except InterpolationError as error:
        # All kinds of settings can be shaped without a request.
        sample: Any = step.config.sample
        return sample, error.field


def _activation(public_url: str, surroundings: Surroundings | None) -> Any:
    """Make the variables of a plain request, with the operator's secrets."""
    data, scheme = request_from_flags(
        method="GET", url=public_url or "https://localhost/", headers=(), body=None
    )
    sample = parse_sample(data, scheme=scheme)
    now_ns = time.time_ns()
    exchange = exchange_for(sample, client=parse_address(LOOPBACK), now_ns=now_ns)
    exchange.request = request_of(sample, now_ns=now_ns)
    exchange.phase = Phase.ON_HTTP_REQUEST
    secret = surroundings.secret if surroundings else no_secret
    exchange.surroundings = replace(exchange.surroundings, secret=secret)
    return activation(exchange)
