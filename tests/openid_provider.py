"""An OpenID provider that plays effects: no sockets, real keys, and one bad habit at a time.

It remembers what it gave to whom, as a real one does: codes are good for once, for the client,
redirect URI and verifier that they were asked with; refresh tokens rotate.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote_plus, urlsplit

from actions.login.protocol import Challenge
from actions.login.session import Browser, PendingLogin, Session, digest
from actions.openid_connect.settings import OpenIdSettings
from policy.effect import (
    Document,
    Effect,
    Fetch,
    Fetched,
    FetchFailed,
    GetDocument,
    Unavailable,
)
from policy.exchange import Exchange
from policy.store import StoreGet, StorePut
from tests import exchanges
from tests.tokens import NOON_S, RS256, Signer, b64, key_set

ISSUER = "https://login.example.com"
CLIENT_ID = "orders web"
CLIENT_SECRET = "s3cr3t:with%odd&parts-0123456789"
REDIRECT_URI = "https://orders.example.com/ngrok/oauth2/callback"
STATE = "state-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
NONCE = "nonce-BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
VERIFIER = "verifier-CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC"
USER = "user-7"

A = TypeVar("A")
Change = Callable[[Any], Any]


def settings(**changes: Any) -> OpenIdSettings:
    values = {
        "issuer_url": ISSUER,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        **changes,
    }
    return OpenIdSettings.model_validate(values)


def challenge(**changes: Any) -> Challenge:
    made = Challenge(state=STATE, nonce=NONCE, verifier=VERIFIER, redirect_uri=REDIRECT_URI)
    return replace(made, **changes)


def pending(**changes: Any) -> PendingLogin:
    made = PendingLogin(
        scope="s",
        auth_id="default",
        endpoint_id="ep_orders",
        browser="b",
        target="/",
        redirect_uri=REDIRECT_URI,
        started_ns=exchanges.NOON_NS,
        nonce_digest=digest(NONCE),
        verifier=VERIFIER,
    )
    return replace(made, **changes)


def session_of(logged_in: Any, **changes: Any) -> Session:
    made = Session(
        id="as_1",
        scope="s",
        auth_id="default",
        endpoint_id="ep_orders",
        public_url="https://orders.example.com",
        provider_name="login.example.com",
        provider_url=ISSUER,
        identity_id="id_1",
        person=logged_in.person,
        tokens=logged_in.tokens,
        browser=Browser(user_agent="", ip_address="203.0.113.7"),
        agreed="",
        created_ns=exchanges.NOON_NS,
        last_active_ns=exchanges.NOON_NS,
        refreshed_ns=exchanges.NOON_NS,
        ends_ns=exchanges.NOON_NS + 86_400 * 10**9,
        provider_session=logged_in.provider_session,
        details=logged_in.details,
    )
    return replace(made, **changes)


def half_hash(text: str, name: str = "sha256") -> str:
    whole = hashlib.new(name, text.encode()).digest()
    return b64(whole[: len(whole) // 2])


def json_answer(value: Any, status_code: int = 200) -> Fetched:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Fetched(
        status_code=status_code, headers=(("Content-Type", "application/json"),), body=body
    )


def without_unset(members: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is `...`."""
    return {name: value for name, value in members.items() if value is not ...}


@dataclass
class Provider:
    """A provider in good order; `changes` and `answers` make it a bad one.

    `changes` by "metadata", "id_token", "header", "userinfo", "token" and "logout_token" are
    members to set, or to leave out with `...`. `answers` by a path stand in for the real answer:
    an answer as it is, or a function of the real one.
    """

    issuer: str = ISSUER
    signer: Signer = RS256
    keys: list[Any] = field(default_factory=lambda: [RS256])
    newer_keys: list[Any] = field(default_factory=list)
    now_s: float = NOON_S
    changes: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)
    gives_refresh_token: bool = True
    rotates: bool = True
    asked: list[Effect] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    refresh_tokens: set[str] = field(default_factory=set)
    given: list[str] = field(default_factory=list)
    stored: dict[str, Any] = field(default_factory=dict)

    # --- what others ask ------------------------------------------------------------------

    def play(self, steps: Generator[Effect, Any, A]) -> A:
        """Answer every effect, and return what comes of it."""
        answer: Any = None
        try:
            while True:
                answer = self.answer(steps.send(answer))
        except StopIteration as end:
            result: A = end.value
            return result

    def answer(self, effect: Effect) -> Any:
        self.asked.append(effect)
        match effect:
            case GetDocument():
                return self.document(effect)
            case Fetch():
                return self.fetch(effect)
            case StoreGet():
                return self.stored.get(effect.key)
            case StorePut():
                assert effect.ttl_s > 0
                self.stored[effect.key] = effect
                return 1
        raise AssertionError(effect)

    def document(self, request: GetDocument) -> Document | Unavailable:
        path = urlsplit(request.url).path
        if path in self.down:
            return Unavailable(reason="not-connected")
        version = 2 if request.newer_than and self.newer_keys else 1
        if path == "/jwks":
            content = key_set(*(self.newer_keys if version == 2 else self.keys))
        else:
            content = json.dumps(self.metadata()).encode()
            version = 1
        replaced = self.answers.get(path, content)
        try:
            return Document(value=request.parse(replaced), version=version)
        except ValueError as error:
            return Unavailable(reason=str(error))

    def fetch(self, fetch: Fetch) -> Fetched | FetchFailed:
        path = urlsplit(fetch.url).path
        if path in self.down:
            return FetchFailed(reason="not-connected")
        handlers = {"/token": self.token, "/userinfo": self.userinfo, "/par": self.pushed}
        answer = handlers[path](fetch)
        replaced = self.answers.get(path, answer)
        found: Fetched | FetchFailed = replaced(answer) if callable(replaced) else replaced
        return found

    def fetches(self, path: str) -> list[Fetch]:
        fetched = [each for each in self.asked if isinstance(each, Fetch)]
        return [each for each in fetched if urlsplit(each.url).path == path]

    # --- what it is -----------------------------------------------------------------------

    def metadata(self) -> dict[str, Any]:
        return without_unset(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "jwks_uri": f"{self.issuer}/jwks",
                "end_session_endpoint": f"{self.issuer}/logout",
                "response_types_supported": ["code", "id_token"],
                "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
                "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": True,
                **self.changes.get("metadata", {}),
            }
        )

    def authorize(self, url: str) -> dict[str, str]:
        """Let the user log in; returns the parameters that the browser comes back with."""
        asked = dict(parse_qsl(urlsplit(url).query))
        code = f"code-{len(self.given)}-DDDDDDDDDDDDDDDDDDDDDDDDD"
        self.codes[code] = asked
        self.given.append(code)
        return {"code": code, "state": asked["state"], "iss": self.issuer}

    def token(self, fetch: Fetch) -> Fetched:
        form = dict(parse_qsl(fetch.body.decode(), strict_parsing=True))
        if client_of(fetch, form) != (CLIENT_ID, CLIENT_SECRET):
            return json_answer({"error": "invalid_client"}, 401)
        if form["grant_type"] == "refresh_token":
            if form["refresh_token"] not in self.refresh_tokens:
                return json_answer({"error": "invalid_grant"}, 400)
            if self.rotates:
                self.refresh_tokens.remove(form["refresh_token"])
            return self.tokens({})
        asked = self.codes.pop(form["code"], None)
        if asked is None or not is_proved(asked, form):
            return json_answer({"error": "invalid_grant"}, 400)
        return self.tokens({"nonce": asked["nonce"], "auth_time": int(self.now_s) - 5})

    def tokens(self, about_login: dict[str, Any]) -> Fetched:
        access_token = self.secret("access")
        members: dict[str, Any] = {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": self.id_token(access_token, about_login),
        }
        if self.gives_refresh_token:
            members["refresh_token"] = self.secret("refresh")
            self.refresh_tokens.add(members["refresh_token"])
        return json_answer(without_unset({**members, **self.changes.get("token", {})}))

    def id_token(self, access_token: str, about_login: dict[str, Any]) -> str:
        claims = {
            "iss": self.issuer,
            "sub": USER,
            "aud": CLIENT_ID,
            "iat": int(self.now_s),
            "exp": int(self.now_s) + 300,
            "at_hash": half_hash(access_token),
            "sid": "sid-9",
            **about_login,
        }
        token = self.sign(without_unset({**claims, **self.changes.get("id_token", {})}))
        self.given.append(token)
        return token

    def sign(self, claims: Mapping[str, Any]) -> str:
        return self.signer.token(
            claims, header=self.signer.header(**self.changes.get("header", {}))
        )

    def logout_body(self, **changes: Any) -> bytes:
        """Return what it posts when a user logs out."""
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": USER,
            "sid": "sid-9",
            "iat": int(self.now_s),
            "exp": int(self.now_s) + 120,
            "jti": "logout-1",
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
            **changes,
        }
        return b"logout_token=" + self.sign(without_unset(claims)).encode()

    def userinfo(self, fetch: Fetch) -> Fetched:
        assert fetch.method == "GET"
        shown = dict(fetch.headers)["Authorization"].removeprefix("Bearer ")
        if shown not in self.given:
            return json_answer({"error": "invalid_token"}, 401)
        claims = {
            "sub": USER,
            "name": "Robin Example",
            "preferred_username": "robin",
            "email": "robin@Example.com",
            "email_verified": True,
            **self.changes.get("userinfo", {}),
        }
        return json_answer(without_unset(claims))

    def pushed(self, fetch: Fetch) -> Fetched:
        form = dict(parse_qsl(fetch.body.decode(), strict_parsing=True))
        assert client_of(fetch, form) == (CLIENT_ID, CLIENT_SECRET)
        return json_answer({"request_uri": "urn:request:1", "expires_in": 60}, 201)

    def secret(self, kind: str) -> str:
        token = f"{kind}-{len(self.given)}-EEEEEEEEEEEEEEEEEEEEEEEE"
        self.given.append(token)
        return token


def client_of(fetch: Fetch, form: Mapping[str, str]) -> tuple[str, str]:
    """Return who sent a form, by whichever method it is proved."""
    fields = dict(fetch.headers)
    assert fields["Accept"] == "application/json"
    if "Authorization" not in fields:
        return form["client_id"], form["client_secret"]
    assert "client_secret" not in form
    kind, _, encoded = fields["Authorization"].partition(" ")
    assert kind == "Basic"
    name, _, secret = b64decode(encoded, validate=True).decode().partition(":")
    return unquote_plus(name), unquote_plus(secret)


def is_proved(asked: Mapping[str, str], form: Mapping[str, str]) -> bool:
    """Tell whether a code is redeemed by whom it was given to (RFC 7636, section 4.6)."""
    hashed = hashlib.sha256(form["code_verifier"].encode()).digest()
    shown = urlsafe_b64encode(hashed).rstrip(b"=").decode()
    return (
        form["grant_type"] == "authorization_code"
        and asked["code_challenge_method"] == "S256"
        and asked["code_challenge"] == shown
        and asked["redirect_uri"] == form["redirect_uri"]
    )


def secrets_shown(provider: Provider, exchange: Exchange, outcome: Any) -> list[str]:
    """Return which secrets stand in what is logged: there must be none (OA-22)."""
    logged = repr([exchange.warnings, exchange.logs, exchange.checks, exchange.results])
    told = [getattr(outcome, name, "") for name in ("reason", "detail", "error_code")]
    text = logged + repr(told) + repr(outcome)
    secrets = [*provider.given, CLIENT_SECRET, STATE, NONCE, VERIFIER]
    return [each for each in secrets if each and each in text]
