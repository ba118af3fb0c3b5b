"""Exchanges a code, or a refresh token, for tokens (RFC 6749, sections 4.1.3, 5 and 6).

    not connected                     unreachable (a refused login: 503)
    too slow, too large, encoded      senseless (502)
    a redirect, HTML, no JSON object  senseless
    an error in JSON, also with 200   refused, with the provider's error code
    429, 503                          unreachable, for as long as the provider says
    token_type other than Bearer      senseless (D2-13)

There is one request for each code: an answer that can't be used is never asked for again (OA-8).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from actions.jose.strict_json import JsonError, parse_object
from actions.login.protocol import Asking, LoginRefused
from actions.login.session import Tokens
from actions.oauth2.client_authentication import Client, authenticated
from actions.oauth2.quotation import described, error_name
from actions.oauth2.refusals import not_fetched, refused_by, unexpected_status, unusable
from policy.effect import Fetch, Fetched, FetchFailed

TIMEOUT_S: Final = 10.0
LIMIT_BYTES: Final = 256 * 1024
MAX_TOKEN: Final = 16_384
MAX_EXPIRES_IN_S: Final = 10 * 366 * 86_400
NS_PER_S: Final = 1_000_000_000
WHAT: Final = "the token endpoint"

# RFC 6749, appendix A.12, without the space: it goes into a header field (RFC 6750).
_ACCESS_TOKEN = re.compile(r"[!-~]+")
_REFRESH_TOKEN = re.compile(r"[ -~]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenEndpoint:
    """Where tokens are given to a client."""

    url: str
    client: Client
    is_host_trusted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Granted:
    """A checked answer; "" for what it does not have. Has no representation: it is all secret.

    `expires_in_s` is how long the access token lasts, None if the provider does not say.
    """

    access_token: str
    refresh_token: str = ""
    id_token: str = ""
    expires_in_s: int | None = None
    scope: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotGranted:
    """No tokens. `refused` is what it means for a login; shows no secret.

    `kind` tells a provider that says no (`error` is its code, RFC 6749, section 5.2) from one that
    did not answer and one that answered nonsense.
    """

    kind: Literal["refused", "unreachable", "senseless"]
    refused: LoginRefused
    error: str = ""


def redeem_code(
    endpoint: TokenEndpoint, *, code: str, verifier: str, redirect_uri: str
) -> Asking[Granted | NotGranted]:
    """Exchange the code of a login."""
    return _ask(
        endpoint,
        "authorization_code",
        {"code": code, "redirect_uri": redirect_uri, "code_verifier": verifier},
    )


def refresh(endpoint: TokenEndpoint, *, refresh_token: str) -> Asking[Granted | NotGranted]:
    """Exchange a refresh token. Providers that rotate them give a new one (see `kept_tokens`)."""
    return _ask(endpoint, "refresh_token", {"refresh_token": refresh_token})


def kept_tokens(granted: Granted, *, now_ns: int, before: Tokens | None = None) -> Tokens:
    """Return the tokens of a session; what an answer leaves out stays as it was `before`."""
    lasts_s = granted.expires_in_s
    return Tokens(
        access_token=granted.access_token,
        refresh_token=granted.refresh_token or (before.refresh_token if before else ""),
        id_token=granted.id_token or (before.id_token if before else ""),
        expires_ns=None if lasts_s is None else now_ns + lasts_s * NS_PER_S,
    )


def _ask(
    endpoint: TokenEndpoint, grant_type: str, parameters: Mapping[str, str]
) -> Asking[Granted | NotGranted]:
    # Imported with the first login: that takes a while, and most policies have none.
    from authlib.oauth2.rfc6749.parameters import prepare_token_request

    form = str(prepare_token_request(grant_type, **parameters))
    fields, body = authenticated(endpoint.client, endpoint.url, form)
    answer: Fetched | FetchFailed = yield Fetch(
        url=endpoint.url,
        method="POST",
        headers=fields,
        body=body,
        limit_bytes=LIMIT_BYTES,
        timeout_s=TIMEOUT_S,
        is_host_trusted=endpoint.is_host_trusted,
    )
    return read_answer(answer, secrets=(*parameters.values(), endpoint.client.secret))


def read_answer(
    answer: Fetched | FetchFailed, *, secrets: tuple[str, ...] = ()
) -> Granted | NotGranted:
    """Read an answer; whatever is not exactly one grant is not one. `secrets` are never shown."""
    if isinstance(answer, FetchFailed):
        refused = not_fetched(WHAT, answer)
        return NotGranted(kind=_kind(refused), refused=refused)
    try:
        members = parse_object(answer.body)
    except JsonError:
        members = {}
    is_ok = answer.status_code == 200
    if "error" in members and (is_ok or 400 <= answer.status_code < 500):
        return _error(members, is_ok=is_ok, secrets=secrets)
    if not is_ok:
        refused = unexpected_status(WHAT, answer)
        return NotGranted(kind=_kind(refused), refused=refused)
    finding = _finding(members)
    if finding:
        return NotGranted(kind="senseless", refused=unusable(WHAT, finding))
    return Granted(
        access_token=members["access_token"],
        refresh_token=members.get("refresh_token") or "",
        id_token=members.get("id_token") or "",
        expires_in_s=_seconds(members.get("expires_in")),
        scope=_scope(members.get("scope")),
    )


def _kind(refused: LoginRefused) -> Literal["unreachable", "senseless"]:
    return "unreachable" if refused.status_code == 503 else "senseless"


def _error(members: Mapping[str, Any], *, is_ok: bool, secrets: tuple[str, ...]) -> NotGranted:
    error = error_name(members["error"])
    words = described(error, members.get("error_description"), secrets=secrets)
    detail = f"{WHAT}: {words}"
    if is_ok:
        # RFC 6749 has errors with 400 and 401: with 200, nobody knows what else is wrong (OA-8).
        return NotGranted(kind="refused", error=error, refused=unusable(WHAT, f"200, {words}"))
    return NotGranted(kind="refused", error=error, refused=refused_by(error, detail))


def _finding(members: Mapping[str, Any]) -> str:
    """Return what is wrong with an answer that should be a grant; "" for nothing."""
    if not members:
        return "no JSON object"
    kind = members.get("token_type")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        return "its token_type is not Bearer"
    if not _is_token(members.get("access_token"), _ACCESS_TOKEN):
        return "no access_token, or none that can be sent"
    for name in ("refresh_token", "id_token"):
        value = members.get(name)
        # Some have an empty member for what there is none of.
        if value not in (None, "") and not _is_token(value, _REFRESH_TOKEN):
            return f"its {name} is no token"
    expires_in = members.get("expires_in")
    if expires_in is not None and _seconds(expires_in) is None:
        return "its expires_in is no number of seconds"
    return ""


def _is_token(value: object, pattern: re.Pattern[str]) -> bool:
    return isinstance(value, str) and len(value) <= MAX_TOKEN and bool(pattern.fullmatch(value))


def _seconds(value: object) -> int | None:
    """Return a duration; None for what is none. Some write the number as a text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 10:
        return _seconds(int(value))
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return int(value) if 0 <= value <= MAX_EXPIRES_IN_S else None


def _scope(value: object) -> str:
    """Return the granted scopes with spaces between them. Some give a list."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return " ".join(value)
    return value if isinstance(value, str) else ""
