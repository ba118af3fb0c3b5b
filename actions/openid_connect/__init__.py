"""openid-connect: let in who is logged in with an OpenID provider.

Phases  on_http_request
Reads   the session cookie; nothing else that a client sends makes anybody anyone
Ends    the phase without a session: a page is led to the provider (302), anything else is told
        to log in (401); 403 for a WebSocket of another origin; 502 and 503 pages while the
        provider is of no use, 503 while the store can't be asked
Answers /ngrok/login, /ngrok/logout, /ngrok/oauth2/callback and /ngrok/backchannel-logout by
        itself, wherever its rule stands

OpenID Connect Core 1.0 with PKCE (RFC 7636) and RFC 9207; what is checked is in `protocol` and
its modules. The session is what all logins have in common: `actions.login`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from actions.login.gate import guard
from actions.login.result import Circumstances, common_parts, token_parts
from actions.login.result import Result as LoginResult
from actions.login.session import Session
from actions.login.site import login_site
from actions.openid_connect.lint import documents, lint
from actions.openid_connect.protocol import PROTOCOL
from actions.openid_connect.settings import OpenIdSettings
from policy.action import Action, Doc, Exchange, Outcome, Steps
from policy.phase import Phase


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Result(LoginResult):
    identity_token: Annotated[str, Doc("The provider's ID token.")] = ""


def run(config: OpenIdSettings, exchange: Exchange) -> Outcome[Result] | Steps[Result]:
    """Decide one request; yields effects for the session, and for what the provider knows."""
    return guard(PROTOCOL, config, exchange, make_result)


def make_result(session: Session | None, circumstances: Circumstances) -> Result:
    """Say who is logged in, and with what."""
    return Result(
        identity_token="" if session is None else session.tokens.id_token,
        **common_parts(session, circumstances),
        **token_parts(session, circumstances),
    )


ACTION: Final = Action(
    name="openid-connect",
    phases=frozenset({Phase.ON_HTTP_REQUEST}),
    config=OpenIdSettings,
    result=Result,
    run=run,
    effects=True,
    lint=lint,
    documents=documents,
    site=login_site(PROTOCOL),
)
