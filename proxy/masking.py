"""Keeps credentials out of events (security P8, T-LG-1). Masks too much rather than too little."""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import isfinite
from typing import Any
from urllib.parse import unquote_plus

from policy.exchange import Exchange
from policy.fields import Fields
from policy.forwarding import Line

MASK = "***"
# Names whose values open doors: tokens, keys, passwords, signatures, login codes, session ids.
SECRET_NAME = re.compile(
    r"token|secret|passw|pwd|api[-_.]?key|credential|signature|authorization|assertion|"
    r"cookie|saml|jwt|session|otp|(?:^|[-_.])(?:auth|code|key|sid|sig|state|pin|nonce)$",
    re.IGNORECASE,
)
CREDENTIAL_FIELDS = ("authorization", "proxy-authorization", "cookie")
# Shorter values are no credentials, and replacing them everywhere would eat ordinary text.
SHORTEST_SECRET = 6


def masked_query(query: str) -> str:
    """Return a raw query with the values of telling names masked, everything else as sent."""
    if "=" not in query:
        return query
    return "&".join(_masked_pair(pair) for pair in query.split("&"))


def masked_url(url: str) -> str:
    """Return a raw URL with its query masked."""
    place, mark, query = url.partition("?")
    return f"{place}?{masked_query(query)}" if mark else url


def _masked_pair(pair: str) -> str:
    name, equals, value = pair.partition("=")
    if value and SECRET_NAME.search(unquote_plus(name)):
        return f"{name}{equals}{MASK}"
    return pair


def masked_logs(logs: list[dict[str, Any]], exchange: Exchange) -> list[Any]:
    """Return what `log` actions recorded, without credentials of this exchange.

    An author may well log a whole header map; what the client sent as credential, and what the
    upstream set as cookie, is masked wherever it turns up.
    """
    pattern = secrets_pattern(exchange)
    return [_masked_value(entry, pattern) for entry in logs]


def secrets_pattern(exchange: Exchange, *others: Iterable[Line]) -> re.Pattern[str] | None:
    """Match every credential of an exchange, and of other header lines; None without any."""
    found = _secrets(exchange)
    for lines in others:
        found.update(_field_secrets(Fields(lines), (*CREDENTIAL_FIELDS, "set-cookie")))
    # The longest first: it may contain another.
    longest_first = sorted(found, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first))) if found else None


def masked_strings(value: Any, secrets: re.Pattern[str] | None) -> Any:
    """Return JSON with every credential masked in whatever text it stands, names aside."""
    if secrets is None:
        return value
    if isinstance(value, str):
        return secrets.sub(MASK, value)
    if isinstance(value, dict):
        return {name: masked_strings(item, secrets) for name, item in value.items()}
    if isinstance(value, list):
        return [masked_strings(item, secrets) for item in value]
    return value


def masked_text(text: str, secrets: re.Pattern[str] | None) -> str:
    """Return text with every credential masked."""
    return text if secrets is None else secrets.sub(MASK, text)


def _secrets(exchange: Exchange) -> set[str]:
    found: set[str] = set()
    if exchange.request is not None:
        found.update(_field_secrets(exchange.request.headers, CREDENTIAL_FIELDS))
        found.update(_query_secrets(exchange.request.url.query))
    if exchange.response is not None:
        found.update(_field_secrets(exchange.response.headers, ("set-cookie",)))
    return found


def _query_secrets(query: str) -> Iterable[str]:
    for pair in query.split("&") if "=" in query else ():
        name, _, value = pair.partition("=")
        if len(value) >= SHORTEST_SECRET and SECRET_NAME.search(unquote_plus(name)):
            yield value
            yield unquote_plus(value)


def _field_secrets(headers: Fields, names: Iterable[str]) -> Iterable[str]:
    for name in names:
        for value in headers.all(name):
            yield from _credential_parts(value)


def _credential_parts(value: str) -> Iterable[str]:
    """Split `Bearer abc` and `a=b; c=d` into what must not be seen, the whole value included."""
    _, _, credential = value.partition(" ")
    cookies = [pair.partition("=")[2].strip() for pair in value.split(";")]
    for part in (value, credential.strip(), *cookies):
        if len(part) >= SHORTEST_SECRET:
            yield part


def _masked_value(value: Any, secrets: re.Pattern[str] | None) -> Any:
    if isinstance(value, str):
        return secrets.sub(MASK, value) if secrets else value
    if isinstance(value, dict):
        return {str(name): _masked_entry(name, item, secrets) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_masked_value(item, secrets) for item in value]
    if isinstance(value, float) and not isfinite(value):
        # JSON has no word for these numbers, and a line that is no JSON is a lost line.
        return str(value)
    return value


def _masked_entry(name: Any, value: Any, secrets: re.Pattern[str] | None) -> Any:
    if value and not isinstance(value, bool) and SECRET_NAME.search(str(name)):
        return MASK
    return _masked_value(value, secrets)
