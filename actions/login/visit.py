"""One request, as a login sees it: which login, how it is configured, where it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from actions.login import pages
from actions.login.cookie_names import NONCE, SESSION
from actions.login.cookies import drop_cookie, set_cookie, shown_secrets
from actions.login.protocol import LoginProtocol
from actions.login.public_origin import PublicOrigin, can_be_in, public_origin
from actions.login.session import Session
from actions.login.settings import LoginSettings
from policy.action import Respond
from policy.exchange import Exchange, Login, Request
from policy.store import StoreUnavailable

STORE_UNAVAILABLE: Final = "store-unavailable"
ORIGIN_UNKNOWN: Final = "public-url-unknown"
DOMAIN_FOREIGN: Final = "cookie-domain-foreign"

SET_UP_CODE: Final = "ERR_NGROK_2300"
READ_FAILED_CODE: Final = "ERR_NGROK_3150"
DOMAIN_CODE: Final = "ERR_NGROK_3313"
RETRY: Final = ("retry-after", "5")


# Not frozen, which would take three times as long to make, and there is one for each request.
@dataclass(slots=True)
class Visit:
    """A request with the login that looks at it. `origin` is the endpoint's, as browsers see it."""

    protocol: LoginProtocol[Any]
    config: LoginSettings
    exchange: Exchange
    request: Request
    origin: PublicOrigin

    @property
    def scope(self) -> str:
        """What a login and its session have to have been made for."""
        return self.protocol.scope(self.config, self.exchange)

    @property
    def now_ns(self) -> int:
        """The time, in nanoseconds since the epoch."""
        return self.exchange.surroundings.now_ns()

    @property
    def session_secrets(self) -> tuple[str, ...]:
        """What the browser shows as its session."""
        is_https = self.origin.is_https
        return shown_secrets(self.exchange, self.config, SESSION, is_https=is_https)

    @property
    def browser_secrets(self) -> tuple[str, ...]:
        """What the browser is recognised by during a login."""
        is_https = self.origin.is_https
        return shown_secrets(self.exchange, self.config, NONCE, is_https=is_https)

    def note(self, session: Session | None) -> None:
        """Say in the completion event who is let in; None for nobody."""
        login = None if session is None else session.results.get(Login)
        if login is None:
            login = self._login(session)
            if session is not None:
                # A session is of one login action and one client, which its scope tells.
                session.results[Login] = login
        self.exchange.login = login

    def _login(self, session: Session | None) -> Login:
        return Login(
            kind=self.protocol.event_name,
            client_id=self.protocol.client_id(self.config),
            is_allowed=session is not None,
            user_id="" if session is None else session.identity_id,
            user_name="" if session is None else session.person.name,
        )

    def give_session(self, secret: str, *, max_age_s: int) -> tuple[str, str]:
        """Return the field line that gives the browser its session."""
        is_https = self.origin.is_https
        return set_cookie(self.config, SESSION, secret, is_https=is_https, max_age_s=max_age_s)

    def give_browser(self, secret: str, *, max_age_s: int) -> tuple[str, str]:
        """Return the field line by which the browser is recognised when it comes back."""
        return set_cookie(
            self.config,
            NONCE,
            secret,
            is_https=self.origin.is_https,
            max_age_s=max_age_s,
            crosses_sites=self.protocol.crosses_sites,
        )

    def take_session(self) -> tuple[str, str]:
        """Return the field line that takes the session's cookie away."""
        return drop_cookie(self.config, SESSION, is_https=self.origin.is_https)

    def without_store(self, unavailable: StoreUnavailable) -> Respond[Any]:
        """Answer 503 while the store can't be asked: nobody can be told from anybody (P1)."""
        self.note(None)
        self.exchange.warnings.append(f"store: {unavailable.reason}")
        body = pages.page(pages.REFUSED[503], reference=pages.reference_of(self.exchange))
        return pages.respond(
            503, STORE_UNAVAILABLE, body, headers=(RETRY,), error_code=READ_FAILED_CODE
        )


def visit(
    protocol: LoginProtocol[Any], config: LoginSettings, exchange: Exchange
) -> Visit | Respond[Any]:
    """Return the request as a login sees it, or the answer that its set-up lacks something."""
    request = exchange.request
    origin = None if request is None else public_origin(exchange)
    if request is None or origin is None:
        exchange.warnings.append(
            "the login needs the endpoint's public URL: give the endpoint a 'url'"
        )
        return _set_up_wrong(exchange, ORIGIN_UNKNOWN, SET_UP_CODE)
    domain = config.auth_cookie_domain
    if domain is not None and not can_be_in(origin.host, domain):
        exchange.warnings.append(f"{origin.host!r} is not in auth_cookie_domain {domain!r}")
        return _set_up_wrong(exchange, DOMAIN_FOREIGN, DOMAIN_CODE)
    return Visit(protocol, config, exchange, request, origin)


def _set_up_wrong(exchange: Exchange, reason: str, error_code: str) -> Respond[Any]:
    """Answer 500 where the operator has to look at the configuration."""
    body = pages.page(pages.REFUSED[500], reference=pages.reference_of(exchange))
    return pages.respond(500, reason, body, error_code=error_code)
