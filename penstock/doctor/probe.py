"""Tries a client's credentials with a code that nobody has given out."""

from __future__ import annotations

import secrets
from typing import Any

from actions.oauth2.token_endpoint import Granted, NotGranted, TokenEndpoint, redeem_code
from policy.effect import Fetch
from proxy.fetcher import Fetcher


async def probe(
    fetcher: Fetcher, endpoint: TokenEndpoint, redirect_uri: str
) -> Granted | NotGranted:
    """Send the request of a login; no code is used up, because there is none."""
    asking = redeem_code(
        endpoint,
        code=f"penstock-doctor-{secrets.token_urlsafe(16)}",
        verifier=secrets.token_urlsafe(32),
        redirect_uri=redirect_uri,
    )
    reply: Any = None
    try:
        while True:
            effect = asking.send(reply)
            if not isinstance(effect, Fetch):
                raise TypeError(f"a token endpoint is asked by Fetch, not {type(effect).__name__}")
            reply = await fetcher.fetch(effect)
    except StopIteration as end:
        answer: Granted | NotGranted = end.value
        return answer
