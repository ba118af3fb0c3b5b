"""Plays the browser that comes back from a SAML provider, in `penstock eval`.

The browser has the cookie that it was sent away with, and what it brings answers the request that
we have sent: so that everything else about it can be looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import typer

from actions.login.begin import PENDING_S, pending_key
from actions.login.cookie_names import NONCE
from actions.login.cookies import cookie_name
from actions.login.paths import AUTH_ID, with_auth_id
from actions.login.session import PENDING_LOGINS, PendingLogin, digest
from actions.saml.paths import ASSERTION_CONSUMER, RELAY_STATE, RESPONSE
from actions.saml.protocol import PROTOCOL
from penstock.saml_response import answered_request
from penstock.sample_request import request_from_flags
from policy.compiled import OwnPath, Policy
from policy.config import InterpolationError
from policy.exchange import Exchange, Request
from policy.media_type import FORM
from policy.memory_store import MemoryStore
from policy.own_paths import meant_by
from policy.phase import Phase
from policy.store import StorePut
from policy.variables import activation
from proxy.failure import Failure

# Any secrets will do, where nobody else is.
STATE: Final = "relay-state-of-penstock-eval" + "-" * 15
BROWSER: Final = "browser-of-penstock-eval" + "-" * 19
NS_PER_S: Final = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """A response that is shown to a policy; `request_id` None for one that nobody asked for."""

    own: OwnPath
    encoded: str
    request_id: str | None
    url: str

    def request(self) -> tuple[bytes, str]:
        """Write down what the browser sends; returns its bytes and its scheme."""
        fields = {RESPONSE: self.encoded}
        headers = [f"content-type: {FORM}"]
        if self.request_id is not None:
            fields[RELAY_STATE] = STATE
            name = cookie_name(self._sample, NONCE, is_https=self.url.startswith("https:"))
            headers.append(f"cookie: {name}={BROWSER}")
        return request_from_flags(
            method="POST", url=self.url, headers=headers, body=urlencode(fields)
        )

    def remembered(self, exchange: Exchange, request: Request) -> MemoryStore:
        """Return a store that knows our request, which the response answers.

        `exchange` is one like that in which the `request` will be played.
        """
        exchange.request, exchange.phase = request, Phase.ON_HTTP_REQUEST
        now_ns = exchange.surroundings.now_ns()
        store = MemoryStore(now=lambda: now_ns / NS_PER_S)
        if self.request_id is None:
            return store
        try:
            config = self.own.step.config.static or self.own.step.config.resolve(
                activation(exchange)
            )
        except InterpolationError:
            # The policy will say so itself.
            return store
        pending = PendingLogin(
            scope=PROTOCOL.scope(config, exchange),
            auth_id=config.login_name,
            endpoint_id=exchange.endpoint.id,
            browser=digest(BROWSER),
            target="/",
            redirect_uri=self.url,
            # As long ago as it may be: the provider has not been slower than allowed.
            started_ns=now_ns - PENDING_S * NS_PER_S + 1,
            # The ids of our requests begin so. One that does not can't be ours, nor be met.
            nonce_digest=self.request_id.removeprefix("_"),
        )
        key = pending_key(STATE, BROWSER)
        store.answer(StorePut(kind=PENDING_LOGINS, key=key, value=pending, ttl_s=PENDING_S))
        return store

    @property
    def _sample(self) -> Any:
        return self.own.step.config.static or self.own.step.config.sample


def rehearsal(
    policy: Policy, encoded: str, *, url: str | None, request_id: str | None
) -> Rehearsal:
    """Prepare to show a response to the login that `url` means.

    Of the URL, origin and `auth_id` count. Without `request_id` the response answers whatever
    request it says. Raises typer.BadParameter and Failure.
    """
    origin, auth_id = "http://localhost", None
    if url is not None:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        auth_id = parse_qs(parts.query).get(AUTH_ID)
        if not parts.netloc:
            raise typer.BadParameter(
                "a whole URL is needed, such as https://app.example.com", param_hint="--url"
            )
    meant = meant_by(policy.own_paths.get(ASSERTION_CONSUMER, ()), auth_id)
    if not meant:
        raise Failure("the policy has no such login by SAML", hint="it is meant by --saml-response")
    if request_id is None:
        request_id = answered_request(encoded)
    own = meant[0]
    return Rehearsal(
        own=own,
        encoded=encoded,
        request_id=request_id,
        url=origin + with_auth_id(ASSERTION_CONSUMER, own.auth_id),
    )
