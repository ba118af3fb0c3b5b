"""The seam between logins in general and the ways of proving who one is.

Each function is a generator of effects, like an action's `run`. What the provider gets wrong is
a LoginRefused, never an exception.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from actions.login.pages import Words
from actions.login.paths import CALLBACK
from actions.login.public_origin import WILDCARD
from actions.login.session import PendingLogin, Person, Session, Tokens
from actions.login.settings import LoginSettings
from policy.action import Exchange
from policy.effect import Effect
from policy.store import StorePut

C = TypeVar("C", bound=LoginSettings)
A = TypeVar("A")

Asking: TypeAlias = Generator[Effect, Any, A]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRefused:
    """Why there is no session. The person sees `message`'s page, the log has `reason`.

    400 for an answer that we did not ask for or can't trust, 403 for a user who may not, 502 for
    a provider that answers nonsense, 503 for one that does not answer: then `retry_after_s`.
    `detail` is for the operator and shows no secret. `words` are for the page, None for those that
    go with the status.
    """

    status_code: int
    reason: str
    error_code: str
    detail: str = ""
    retry_after_s: int | None = None
    words: Words | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Challenge:
    """What a new login is bound to: fresh secrets, and where the answer is to come.

    `force` asks for the credentials again, even from who is logged in at the provider.
    """

    state: str
    nonce: str
    verifier: str
    redirect_uri: str
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedIn:
    """Who the provider says it is.

    `provider` is its name and URL where only the login has shown them, None for the protocol's own.
    `ends_ns` is the provider's own end of the session. `details` are for the protocol's results.
    A renewal may bring new tokens and nothing about the user: then `person` is as it was, and
    `is_person_renewed` is false.
    """

    person: Person
    tokens: Tokens = field(default_factory=Tokens)
    provider: tuple[str, str] | None = None
    provider_session: str = ""
    ends_ns: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    is_person_renewed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The provider could not be asked, or had nothing new: the session goes on as it was.

    `reason` is for the log.
    """

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The provider does not vouch for the user any more."""

    reason: str
    error_code: str


Renewal: TypeAlias = LoggedIn | Kept | Ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Farewell:
    """Where to log out at the provider too; it sends the browser back to `return_to`?`state`."""

    return_to: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a browser takes elsewhere by POST: where to, and the fields."""

    url: str
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutNotice:
    """Whose sessions a provider says are over: one of its own sessions, or all of a user's.

    `remember` writes down that this notice was carried out, for it to be good for once. It is
    for afterwards: a notice that could not be carried out may come again.
    """

    subject: str = ""
    provider_session: str = ""
    remember: StorePut | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginProtocol(Generic[C]):
    """One way to log in.

    `provider` names the provider of a configuration and its URL. `agreed` gives what of the
    configuration the provider has to agree to: a change makes it be asked again. `begin` gives
    the URL to send the browser to, `finish` takes the parameters it comes back with (each name
    once). `renew` asks about the user again, with the refresh token where there is one. `end`
    gives the URL of the provider's own logout, or what is to be posted there, None where there is
    none. `logout_notice` reads what a provider posts when a user has logged out there, None where
    providers don't. `callback_path` is where the browser comes back to; where it comes by POST it
    `crosses_sites`, and its cookie has to as well. Completion events name it by `event_name`.
    """

    provider: Callable[[C, Exchange], tuple[str, str]]
    client_id: Callable[[C], str]
    agreed: Callable[[C], str]
    begin: Callable[[C, Exchange, Challenge], Asking[str | LoginRefused]]
    finish: Callable[
        [C, Exchange, PendingLogin, Mapping[str, str]], Asking[LoggedIn | LoginRefused]
    ]
    renew: Callable[[C, Exchange, Session], Asking[Renewal]]
    end: Callable[[C, Exchange, Session, Farewell], Asking[str | Form | None]]
    logout_notice: Callable[[C, Exchange, bytes], Asking[LogoutNotice | LoginRefused]] | None = None
    callback_path: str = CALLBACK
    crosses_sites: bool = False
    event_name: str = "oauth"

    def scope(self, config: C, exchange: Exchange) -> str:
        """Name all that a login and its session have to have been made for (OA-4).

        On a wildcard endpoint that is the one host: a cookie that was carried to another is none.
        """
        where, endpoint = config.auth_cookie_domain, exchange.endpoint
        if where is None:
            where = endpoint.id
            if endpoint.host.startswith(WILDCARD) and exchange.request is not None:
                where = f"{where}/{exchange.request.public_url.host}"
        url = self.provider(config, exchange)[1]
        return f"{self.event_name} {config.login_name} {where} {url} {self.client_id(config)}"
