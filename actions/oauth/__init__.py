"""oauth: let in who is logged in with one of the providers that everybody knows.

Phases  on_http_request
Reads   the session cookie; nothing else that a client sends makes anybody anyone
Ends    the phase without a session: a page is led to the provider (302), anything else is told
        to log in (401); 403 for a WebSocket of another origin; 502 and 503 pages while the
        provider is of no use, 503 while the store can't be asked
Answers /ngrok/login, /ngrok/logout and /ngrok/oauth2/callback by itself, wherever its rule stands

Who a user is comes from the provider's own API, asked with the token just received (D2-25); what
each of them is asked is in `providers`. The session is what all logins have in common:
`actions.login`.
"""

from __future__ import annotations

from typing import Final

from actions.login.gate import guard
from actions.login.result import Result, make_result
from actions.login.site import login_site
from actions.oauth.protocol import PROTOCOL
from actions.oauth.settings import Config, lint
from policy.action import Action, Exchange, Lint, Outcome, Steps
from policy.phase import Phase


def run(config: Config, exchange: Exchange) -> Outcome[Result] | Steps[Result]:
    """Decide one request; yields effects for the session, and for what the provider knows."""
    return guard(PROTOCOL, config, exchange, make_result)


def find_lint(config: Config) -> tuple[Lint, ...]:
    """Look at a configuration as a whole."""
    return tuple(lint(config))


ACTION: Final = Action(
    name="oauth",
    phases=frozenset({Phase.ON_HTTP_REQUEST}),
    config=Config,
    result=Result,
    run=run,
    effects=True,
    lint=find_lint,
    site=login_site(PROTOCOL),
)
