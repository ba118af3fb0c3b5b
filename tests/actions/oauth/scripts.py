"""A provider that exists on paper: it answers requests by method and URL, and notes them all."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from actions.login.protocol import Challenge
from actions.login.session import Browser, PendingLogin, Person, Session, Tokens
from actions.oauth.protocol import PROTOCOL
from actions.oauth.settings import Config
from policy.effect import Fetch, Fetched, FetchFailed
from policy.exchange import Exchange
from policy.oauth_endpoints import OauthEndpoints
from tests import exchanges

CLIENT_ID = "client-1"
SECRET = "s3cret-s3cret"
CALLBACK = "https://orders.example.com/ngrok/oauth2/callback"
STATE = "state-state-state"
VERIFIER = "verifier-verifier-verifier-verifier-verifier"
TOKEN = "token-1"

CHALLENGE = Challenge(state=STATE, nonce="nonce", verifier=VERIFIER, redirect_uri=CALLBACK)
PENDING = PendingLogin(
    scope="s",
    auth_id="default",
    endpoint_id="ep_orders",
    browser="b",
    target="/",
    redirect_uri=CALLBACK,
    started_ns=exchanges.NOON_NS,
    verifier=VERIFIER,
)


def settings(provider: str, **changes: Any) -> Config:
    values = {"provider": provider, "client_id": CLIENT_ID, "client_secret": SECRET, **changes}
    return Config.model_validate(values)


def exchange(**endpoints: OauthEndpoints) -> Exchange:
    made = exchanges.exchange()
    made.surroundings = exchanges.surroundings(oauth_providers=endpoints)
    return made


def answer(
    content: Any = None, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Fetched:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Fetched(status_code=status, headers=tuple((headers or {}).items()), body=body)


def grant(**changes: Any) -> dict[str, Any]:
    return {"access_token": TOKEN, "token_type": "bearer", "expires_in": 3600, **changes}


@dataclass
class Script:
    """Answers each fetch from `answers`, by `METHOD URL` without query; a list is used up."""

    answers: dict[str, Any]
    asked: list[Fetch] = field(default_factory=list)

    def play(self, asking: Generator[Any, Any, Any]) -> Any:
        reply: Any = None
        try:
            while True:
                reply = self.reply(asking.send(reply))
        except StopIteration as end:
            return end.value

    def reply(self, fetch: Fetch) -> Fetched | FetchFailed:
        assert isinstance(fetch, Fetch)
        assert fetch.is_host_trusted
        self.asked.append(fetch)
        found = self.answers[f"{fetch.method} {fetch.url.partition('?')[0]}"]
        if isinstance(found, list) and found and isinstance(found[0], Fetched | FetchFailed):
            found = found.pop(0)
        return found if isinstance(found, Fetched | FetchFailed) else answer(found)

    def header(self, index: int, name: str) -> str:
        return next(value for field, value in self.asked[index].headers if field.lower() == name)

    def finish(
        self, config: Config, parameters: Mapping[str, str] | None = None, **changes: Any
    ) -> Any:
        shown = {"code": "code-1", "state": STATE} if parameters is None else parameters
        on = changes.get("on") or exchange()
        return self.play(PROTOCOL.finish(config, on, PENDING, shown))

    def renew(self, config: Config, session: Session, on: Exchange | None = None) -> Any:
        return self.play(PROTOCOL.renew(config, on or exchange(), session))


def session(config: Config, person: Person, **tokens: Any) -> Session:
    given = {"access_token": TOKEN, "expires_ns": exchanges.NOON_NS + 3_600 * 10**9, **tokens}
    return Session(
        id="se_1",
        scope="s",
        auth_id="default",
        endpoint_id="ep_orders",
        public_url="https://orders.example.com",
        provider_name=config.chosen_provider.title,
        provider_url="https://example.com",
        identity_id="id_1",
        person=person,
        tokens=Tokens(**given),
        browser=Browser(user_agent="", ip_address="203.0.113.7"),
        agreed=config.agreed,
        created_ns=exchanges.NOON_NS,
        last_active_ns=exchanges.NOON_NS,
        refreshed_ns=exchanges.NOON_NS,
        ends_ns=exchanges.NOON_NS + 10**15,
    )
