"""What a SAML login answers by itself, beside what every login does: its three paths."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Final

from actions.login import pages
from actions.login.lint import lint_endpoint
from actions.login.public_origin import is_own_machine
from actions.login.site import login_site
from actions.login.visit import Visit
from actions.saml.parties import ServiceProvider
from actions.saml.paths import ASSERTION_CONSUMER, METADATA, SINGLE_LOGOUT
from actions.saml.protocol import PROTOCOL
from actions.saml.service import service_of
from actions.saml.settings import Config
from actions.saml.sign_in import sign_in
from actions.saml.single_logout import single_logout
from policy.action import Lint, Respond
from policy.effect import Compute, Effect
from policy.exchange import Endpoint

SERVED: Final = "saml-metadata"
METHOD_NOT_ALLOWED: Final = "saml-metadata-method"


def own_metadata(at: Visit) -> Generator[Effect, Any, Respond[Any]]:
    """Answer with what a provider has to know about us; none of it is secret."""
    config = at.config
    assert isinstance(config, Config)
    if at.request.method not in ("GET", "HEAD"):
        body = pages.data(METHOD_NOT_ALLOWED, pages.reference_of(at.exchange))
        allow = (("allow", "GET, HEAD"),)
        return pages.respond(405, METHOD_NOT_ALLOWED, body, fields=pages.DATA_FIELDS, headers=allow)
    xml: bytes = yield Compute(run=partial(_rendered, service_of(config, at.exchange)))
    return Respond(
        status_code=200,
        reason=SERVED,
        headers=(
            ("content-type", "application/samlmetadata+xml"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-cache"),
        ),
        body=xml,
    )


def _rendered(service: ServiceProvider) -> bytes:
    from actions.saml.service_metadata import render_service_metadata

    return render_service_metadata(service)


def lint_place(config: Config, endpoint: Endpoint) -> Iterator[Lint]:
    """Look at an endpoint that has such a login: on plain http nobody could finish one."""
    yield from lint_endpoint(config, endpoint)
    if endpoint.protocol == "http" and not is_own_machine(endpoint.host):
        yield Lint(
            code="saml-needs-https",
            message="browsers keep the cookie that they have to bring back for https only",
            hint="write the URL that browsers use, with https, also behind a tunnel or a balancer",
        )


SITE: Final = replace(
    login_site(
        PROTOCOL,
        {
            ASSERTION_CONSUMER: sign_in,
            SINGLE_LOGOUT: single_logout,
            METADATA: own_metadata,
        },
    ),
    lint_endpoint=lint_place,
)
