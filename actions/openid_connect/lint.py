"""What is found in a configuration at load, and what it needs from its provider."""

from __future__ import annotations

from collections.abc import Iterator

from actions.login.lint import lint_login
from actions.oauth2.lint import lint_client_secret
from actions.openid_connect.metadata import metadata_request
from actions.openid_connect.settings import OpenIdSettings, is_max_age
from policy.action import Lint
from policy.effect import GetDocument
from policy.problem import Severity


def documents(config: OpenIdSettings) -> tuple[GetDocument, ...]:
    """Name the metadata, to be fetched ahead of time and kept fresh."""
    return (metadata_request(config.issuer_url),)


def lint(config: OpenIdSettings) -> tuple[Lint, ...]:
    """Refuse parameters that make no sense, and warn of what is weaker than it could be."""
    shared = lint_login(config)
    return (*shared, *lint_client_secret(config.client_secret), *_lint_own(config))


def _lint_own(config: OpenIdSettings) -> Iterator[Lint]:
    max_age = config.authz_url_params.get("max_age")
    if max_age is not None and not is_max_age(max_age):
        yield Lint(
            code="max-age-invalid",
            message="'max_age' is a number of seconds",
            path=("authz_url_params", "max_age"),
            hint='as "3600"',
            severity=Severity.ERROR,
            reference="ERR_NGROK_2204",
        )
    if config.accept_unverified_email:
        yield Lint(
            code="unverified-email-accepted",
            message="whoever can write any address into an account there gets in as its owner",
            path=("accept_unverified_email",),
            hint="only for a provider whose addresses nobody but its administrators can set",
        )
