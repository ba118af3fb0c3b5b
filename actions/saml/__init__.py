"""saml: let in who has signed in with a SAML identity provider.

Phases  on_http_request
Reads   the session cookie; nothing else that a client sends makes anybody anyone
Ends    the phase without a session: a page is led to the provider (302), anything else is told
        to log in (401); 403 for a WebSocket of another origin; 502 and 503 pages while the
        provider's metadata is of no use, 503 while the store can't be asked
Answers /ngrok/login, /ngrok/logout, /ngrok/saml/metadata, /ngrok/saml/acs and /ngrok/saml/slo by
        itself, wherever its rule stands

SAML 2.0, Web browser single sign-on and single logout; we are the service provider. Messages are
judged by plain functions in a thread, for signatures take milliseconds. Identity is read from
nothing but canonical bytes whose digest is what the identity provider signed, parsed once more
(D3-7). The session is what all logins have in common: `actions.login`. XML libraries are imported
where they are needed, since most policies have no such login.
"""

from __future__ import annotations

from typing import Final

from actions.login.gate import guard
from actions.saml.protocol import PROTOCOL
from actions.saml.provider import metadata_request
from actions.saml.result import Result, make_result
from actions.saml.settings import Config, lint
from actions.saml.site import SITE
from policy.action import Action, Exchange, Lint, Outcome, Steps
from policy.effect import GetDocument
from policy.phase import Phase


def run(config: Config, exchange: Exchange) -> Outcome[Result] | Steps[Result]:
    """Decide one request; yields effects for the session, and for what the provider is."""
    return guard(PROTOCOL, config, exchange, make_result)


def documents(config: Config) -> tuple[GetDocument, ...]:
    """Name the metadata, to be fetched ahead of time and kept fresh."""
    request = metadata_request(config)
    return () if request is None else (request,)


def lints(config: Config) -> tuple[Lint, ...]:
    """Refuse combinations that make no sense, and warn of what weakens a login."""
    return tuple(lint(config))


ACTION: Final = Action(
    name="saml",
    phases=frozenset({Phase.ON_HTTP_REQUEST}),
    config=Config,
    result=Result,
    run=run,
    effects=True,
    lint=lints,
    documents=documents,
    site=SITE,
)
