"""Asks whether a token was made for us: one that was made for another application is no login.

Without this, whoever runs any application at the same provider could log in here as its users,
with the tokens they gave it (token substitution, D2-25). Microsoft has nobody to ask: there the
code, which only we can redeem, is what binds the token.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeAlias
from urllib.parse import quote, urlencode

from actions.login.protocol import Asking
from actions.oauth.api import (
    PERMISSION_MISSING,
    ApiError,
    Fields,
    ask,
    bearer,
    foreign_token,
    get_object,
    token_refused,
)
from actions.oauth.profile import Grant
from actions.oauth2.client_authentication import Client, authenticated

TokenCheck: TypeAlias = Callable[[Grant], Asking[None]]

FORM: Fields = (("content-type", "application/x-www-form-urlencoded"),)


def no_check(_grant: Grant) -> Asking[None]:
    """Ask nobody."""
    return
    yield


def check_amazon(grant: Grant) -> Asking[None]:
    """Amazon: `aud` is the client."""
    return _check_audience(grant, "auth/o2/tokeninfo")


def check_google(grant: Grant) -> Asking[None]:
    """Google: `aud` is the client."""
    return _check_audience(grant, "oauth2/v3/tokeninfo")


def _check_audience(grant: Grant, path: str) -> Asking[None]:
    query = urlencode({"access_token": grant.token})
    answer = yield from ask(f"{grant.endpoints.api_url}/{path}?{query}", ())
    _check(answer.value.get("aud"), grant)


def check_application(grant: Grant) -> Asking[None]:
    """GitLab: `application.uid` is the client."""
    answer = yield from get_object(f"{grant.endpoints.api_url}/oauth/token/info", grant.token)
    application = answer.get("application")
    _check(application.get("uid") if isinstance(application, dict) else None, grant)


def check_validation(grant: Grant) -> Asking[None]:
    """Twitch, which has a scheme of its own: `client_id` is the client."""
    fields = (("authorization", f"OAuth {grant.token}"),)
    answer = yield from ask(beside(grant.endpoints.tokens_url, "validate"), fields)
    _check(answer.value.get("client_id"), grant)


def check_introspection(grant: Grant) -> Asking[None]:
    """LinkedIn, almost as in RFC 7662: `active`, and `client_id` is the client."""
    client = Client(id=grant.client_id, secret=grant.client_secret, method="client_secret_post")
    url = beside(grant.endpoints.tokens_url, "introspectToken")
    fields, body = authenticated(client, url, urlencode({"token": grant.token}))
    answer = yield from ask(url, fields, method="POST", body=body)
    if answer.value.get("active") is not True:
        raise token_refused("introspection: the token is not active")
    _check(answer.value.get("client_id"), grant)


def check_debug(grant: Grant) -> Asking[None]:
    """Facebook: `data.is_valid`, and `data.app_id` is the client."""
    query = urlencode({"input_token": grant.token})
    fields = bearer(f"{grant.client_id}|{grant.client_secret}")
    answer = yield from ask(f"{grant.endpoints.api_url}/debug_token?{query}", fields)
    data = answer.value.get("data")
    if not isinstance(data, dict) or data.get("is_valid") is not True:
        raise token_refused("debug_token: the token is not valid")
    _check(data.get("app_id"), grant)


def check_authorization(grant: Grant) -> Asking[None]:
    """GitHub: knows its tokens by client and token, and answers 404 for another client's."""
    client = Client(id=grant.client_id, secret=grant.client_secret)
    url = f"{grant.endpoints.api_url}/applications/{quote(grant.client_id, safe='')}/token"
    authorization = dict(authenticated(client, url, "")[0])["Authorization"]
    fields = (
        ("authorization", authorization),
        ("accept", "application/vnd.github+json"),
        ("content-type", "application/json"),
    )
    body = json.dumps({"access_token": grant.token}).encode()
    try:
        answer = yield from ask(url, fields, method="POST", body=body)
    except ApiError as error:
        if error.refused.reason == PERMISSION_MISSING:
            raise foreign_token() from None
        raise
    app = answer.value.get("app")
    _check(app.get("client_id") if isinstance(app, dict) else None, grant)


def beside(url: str, name: str) -> str:
    """Return the address next to another one: its last part replaced."""
    return f"{url.rpartition('/')[0]}/{name}"


def _check(client_id: object, grant: Grant) -> None:
    if client_id != grant.client_id:
        raise foreign_token()
