"""Gives a login's parameters to the provider before the browser goes there (RFC 9126)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from actions.jose.strict_json import JsonError, parse_object
from actions.login.protocol import Asking, LoginRefused
from actions.oauth2.client_authentication import Client, authenticated
from actions.oauth2.quotation import described, error_name
from actions.oauth2.refusals import not_fetched, refused_by, unexpected_status, unusable
from actions.openid_connect.metadata import Place
from policy.effect import Fetch, Fetched, FetchFailed

TIMEOUT_S: Final = 10.0
LIMIT_BYTES: Final = 64 * 1024
CREATED: Final = frozenset({200, 201})
WHAT: Final = "the pushed authorization request endpoint"

_REQUEST_URI = re.compile(r"[!-~]{1,2048}")


def push_authorization(
    place: Place, client: Client, parameters: Mapping[str, str]
) -> Asking[str | LoginRefused]:
    """Return the name that the provider gives to the parameters."""
    fields, body = authenticated(client, place.url, urlencode(parameters))
    answer: Fetched | FetchFailed = yield Fetch(
        url=place.url,
        method="POST",
        headers=fields,
        body=body,
        limit_bytes=LIMIT_BYTES,
        timeout_s=TIMEOUT_S,
        is_host_trusted=place.is_host_trusted,
    )
    return read_pushed(answer, secrets=(*parameters.values(), client.secret))


def read_pushed(answer: Fetched | FetchFailed, *, secrets: tuple[str, ...]) -> str | LoginRefused:
    """Read an answer; `secrets` are never shown."""
    if isinstance(answer, FetchFailed):
        return not_fetched(WHAT, answer)
    try:
        members: Mapping[str, Any] = parse_object(answer.body)
    except JsonError:
        members = {}
    if 400 <= answer.status_code < 500 and "error" in members:
        error = error_name(members["error"])
        words = described(error, members.get("error_description"), secrets=secrets)
        return refused_by(error, f"{WHAT}: {words}")
    if answer.status_code not in CREATED:
        return unexpected_status(WHAT, answer)
    name = members.get("request_uri")
    is_name = isinstance(name, str) and _REQUEST_URI.fullmatch(name)
    return str(name) if is_name else unusable(WHAT, "no request_uri")
