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
from actions.login.result import Circumstances, IdentityResult, common_parts, token_parts
from actions.login.session import Session
from actions.login.site import login_site
from actions.openid_connect.lint import documents, lint
from actions.openid_connect.protocol import PROTOCOL
from actions.openid_connect.settings import OpenIdSettings
from policy.action import Action, ActionError, Doc, Exchange, Outcome, Steps
from policy.phase import Phase


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Result:
    access_token: Annotated[str, Doc("The provider's access token.")] = ""
    refresh_token: Annotated[str, Doc("The provider's refresh token.")] = ""
    identity_token: Annotated[str, Doc("The provider's ID token.")] = ""
    expires_at: Annotated[str, Doc("When the access token ends (RFC 3339).")] = ""
    session_timed_out: Annotated[bool, Doc("The session had lain idle for too long.")] = False
    session_max_duration_reached: Annotated[bool, Doc("The session was at its end.")] = False
    userinfo_refreshed: Annotated[bool, Doc("The provider was just asked about the user.")] = False
    user_info_refreshed: Annotated[bool, Doc("The same under its other name.")] = False
    identity: Annotated[IdentityResult, Doc("Who is logged in.")]
    error: Annotated[ActionError | None, Doc("Why nobody is logged in.")] = None


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
