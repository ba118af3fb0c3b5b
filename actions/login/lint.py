"""What is found at load about a login, by itself and on the endpoint that it guards."""

from __future__ import annotations

from collections.abc import Iterator

from actions.login.public_origin import can_be_in, is_own_machine
from actions.login.settings import LoginSettings
from policy.action import Lint
from policy.exchange import Endpoint
from policy.problem import Severity


def lint_login(config: LoginSettings) -> Iterator[Lint]:
    """Warn of what is weaker than it could be."""
    if config.auth_cookie_domain is not None:
        yield Lint(
            code="login-shared",
            message=f"every host below {config.auth_cookie_domain!r} gets the session's cookie",
            path=("auth_cookie_domain",),
            hint="leave it out unless several endpoints share a login, and all hosts are yours",
        )


def lint_endpoint(config: LoginSettings, endpoint: Endpoint) -> Iterator[Lint]:
    """Look at an endpoint that has this login."""
    domain = config.auth_cookie_domain
    if domain is not None and not can_be_in(endpoint.host, domain):
        yield Lint(
            code="cookie-domain-foreign",
            message=f"{endpoint.host!r} is not in the domain {domain!r}",
            path=("auth_cookie_domain",),
            hint="write a domain that the endpoint's host is in, or remove this line",
            severity=Severity.ERROR,
            reference="ERR_NGROK_2241",
        )
    if endpoint.protocol == "http" and not is_own_machine(endpoint.host):
        yield Lint(
            code="login-without-tls",
            message=f"sessions of {endpoint.url} can be read and taken on the way",
            hint="write the URL that browsers use, with https, also behind a tunnel or a balancer",
        )
