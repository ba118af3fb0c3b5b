"""A browser in front of a policy with a login whose provider does as it is told."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

from actions import LANGUAGE
from actions.login.gate import guard
from actions.login.protocol import (
    Challenge,
    Ended,
    Farewell,
    Kept,
    LoggedIn,
    LoginProtocol,
    LoginRefused,
    LogoutNotice,
    Renewal,
)
from actions.login.result import Result, make_result
from actions.login.session import PendingLogin, Person, Session, Tokens
from actions.login.settings import LoginSettings
from actions.login.site import login_site
from policy.action import Action
from policy.compiled import Policy
from policy.effect import Effect, Now
from policy.evaluation import Contents, Evaluation, UpstreamAnswer, evaluate, no_content
from policy.exchange import Endpoint, Exchange
from policy.load import Language, load_policy
from policy.memory_store import MemoryStore
from policy.phase import Phase
from policy.store import Kind, Record
from tests import exchanges

PROVIDER = "https://id.example.net"
ORIGIN = "https://orders.example.com"
SECOND_NS = 1_000_000_000
NAVIGATION = (
    ("Accept", "text/html,*/*;q=0.8"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-Dest", "document"),
    ("Sec-Fetch-Site", "none"),
)

ALICE = Person(subject="alice", email="alice@example.com", name="Alice", username="al")


@dataclass
class Provider:
    """What the provider says next, and what it was asked."""

    finish: LoggedIn | LoginRefused = field(
        default_factory=lambda: LoggedIn(
            person=ALICE,
            tokens=Tokens(access_token="access-1", refresh_token="refresh-1"),
            provider_session="sid-1",
        )
    )
    begin: LoginRefused | None = None
    renewal: Renewal = field(default_factory=lambda: Kept(reason="not-asked"))
    notice: LogoutNotice | LoginRefused = field(default_factory=LogoutNotice)
    logout_url: str | None = None
    agreed: str = "v1"
    challenges: list[Challenge] = field(default_factory=list)
    finished: list[tuple[PendingLogin, Mapping[str, str]]] = field(default_factory=list)
    renewals: int = 0

    def protocol(self) -> LoginProtocol[LoginSettings]:
        return LoginProtocol(
            provider=lambda _config, _exchange: ("test", PROVIDER),
            client_id=lambda _config: "client-1",
            agreed=lambda _config: self.agreed,
            begin=self._begin,
            finish=self._finish,
            renew=self._renew,
            end=self._end,
            logout_notice=self._notice,
        )

    def _begin(
        self, _config: LoginSettings, _exchange: Exchange, challenge: Challenge
    ) -> Generator[Effect, Any, str | LoginRefused]:
        yield Now()
        self.challenges.append(challenge)
        return self.begin or f"{PROVIDER}/authorize?state={challenge.state}"

    def _finish(
        self,
        _config: LoginSettings,
        _exchange: Exchange,
        pending: PendingLogin,
        parameters: Mapping[str, str],
    ) -> Generator[Effect, Any, LoggedIn | LoginRefused]:
        yield Now()
        self.finished.append((pending, parameters))
        return self.finish

    def _renew(
        self, _config: LoginSettings, _exchange: Exchange, _session: Session
    ) -> Generator[Effect, Any, Renewal]:
        yield Now()
        self.renewals += 1
        return self.renewal

    def _end(
        self, _config: LoginSettings, _exchange: Exchange, _session: Session, farewell: Farewell
    ) -> Generator[Effect, Any, str | None]:
        yield Now()
        if self.logout_url is None:
            return None
        return f"{self.logout_url}?state={farewell.state}&return_to={farewell.return_to}"

    def _notice(
        self, _config: LoginSettings, _exchange: Exchange, _body: bytes
    ) -> Generator[Effect, Any, LogoutNotice | LoginRefused]:
        yield Now()
        return self.notice


def login_language(provider: Provider) -> Language:
    """The language with one more action, `test-login`."""
    protocol = provider.protocol()
    action: Action[LoginSettings] = Action(
        name="test-login",
        phases=frozenset({Phase.ON_HTTP_REQUEST}),
        config=LoginSettings,
        result=Result,
        run=lambda config, exchange: guard(protocol, config, exchange, make_result),
        effects=True,
        site=login_site(protocol),
    )
    return Language(actions={**LANGUAGE.actions, action.name: action})


POLICY = "on_http_request: [{actions: [{type: test-login}]}]"


class Site:
    """One endpoint with a policy and a store, on a clock that is set by hand."""

    # Whether records can be read without asking for them, as in the proxy with a store of its own.
    has_records_at_hand = False

    def __init__(
        self,
        text: str = POLICY,
        *,
        provider: Provider | None = None,
        store: Any = None,
        url: str = ORIGIN,
    ) -> None:
        self.provider = provider or Provider()
        self.policy: Policy = load_policy(
            text, name="policy.yml", language=login_language(self.provider)
        )
        self.now_ns = exchanges.NOON_NS
        self.store = store or MemoryStore(now=lambda: self.now_ns / SECOND_NS)
        self.counted: list[tuple[str, str]] = []
        self._counter = itertools.count(1)
        self.surroundings = exchanges.surroundings(
            now_ns=lambda: self.now_ns,
            random_bytes=self.random_bytes,
            record_at_hand=self.record_at_hand,
            count=lambda what, outcome: self.counted.append((what, outcome)),
        )
        self.contents: Contents = no_content
        parts = urlsplit(url)
        self.endpoint = Endpoint(
            id="ep_1",
            name="orders",
            url=url,
            protocol=parts.scheme,
            host=parts.hostname or "",
            port=parts.port or {"https": 443, "http": 80}[parts.scheme],
        )

    def random_bytes(self, count: int) -> bytes:
        return next(self._counter).to_bytes(count, "big")

    def record_at_hand(self, kind: Kind[Any], key: str) -> Record[Any] | None:
        found: Record[Any] | None = None
        if self.has_records_at_hand and isinstance(self.store, MemoryStore):
            found = self.store.at_hand(kind, key)
        return found

    def pass_time(self, seconds: float) -> None:
        self.now_ns += int(seconds * SECOND_NS)


@dataclass
class Browser:
    """Keeps cookies, and asks one site."""

    site: Site
    cookies: dict[str, str] = field(default_factory=dict)
    last: Evaluation | None = None

    def get(self, target: str = "/", **more: Any) -> Evaluation:
        return self.ask("GET", target, **more)

    def ask(
        self,
        method: str,
        target: str = "/",
        *,
        headers: tuple[tuple[str, str], ...] = NAVIGATION,
        body: bytes = b"",
        host: str = "",
        upstream: UpstreamAnswer | None = None,
        change: Callable[[Exchange], None] = lambda _exchange: None,
        client_ip: str = "203.0.113.7",
    ) -> Evaluation:
        lines = list(headers)
        if self.cookies:
            shown = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            lines.append(("Cookie", shown))
        request = exchanges.request(
            target,
            method=method,
            headers=lines,
            host=host or self.site.endpoint.host,
            scheme=self.site.endpoint.protocol,
        )
        exchange = Exchange(
            connection=exchanges.connection(client_ip),
            endpoint=self.site.endpoint,
            surroundings=self.site.surroundings,
        )
        change(exchange)
        self.last = evaluate(
            self.site.policy,
            exchange,
            request,
            body,
            upstream or UpstreamAnswer(body=b"the app"),
            store=self.site.store,
            contents=self.site.contents,
        )
        for name, value in self.last.response.headers if self.last.response else ():
            if name.lower() == "set-cookie":
                self._take(value)
        return self.last

    def _take(self, value: str) -> None:
        for name, morsel in SimpleCookie(value).items():
            if morsel["max-age"] == "0":
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = morsel.value

    def log_in(self, target: str = "/") -> Evaluation:
        """Go to a page, to the provider, and back."""
        self.get(target)
        return self.come_back()

    def come_back(self, **more: str) -> Evaluation:
        parameters = {"state": self.state, "code": "code-1", **more}
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        return self.get(f"/ngrok/oauth2/callback?{query}")

    @property
    def state(self) -> str:
        """The state that the browser was last sent away with."""
        return parse_qs(urlsplit(location(self.last)).query)["state"][0]


def status(evaluation: Evaluation) -> int:
    assert evaluation.response is not None
    return evaluation.response.status_code


def reason(evaluation: Evaluation) -> str | None:
    return None if evaluation.decision is None else evaluation.decision.reason


def field_of(evaluation: Evaluation | None, name: str) -> str:
    assert evaluation is not None
    assert evaluation.response is not None
    values = [value for key, value in evaluation.response.headers if key.lower() == name]
    return values[0] if values else ""


def location(evaluation: Evaluation | None) -> str:
    return field_of(evaluation, "location")


__all__ = ["ALICE", "Browser", "Ended", "Kept", "LoggedIn", "Provider", "Site"]
