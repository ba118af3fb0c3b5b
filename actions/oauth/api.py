"""Asks a provider's API about whoever a token is for; a bad answer is an ApiError.

Only the token that was just received is shown, and only to the provider's own API (D2-25).
Answers are bounded in size, time and number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from actions.jose.strict_json import JsonError, parse_list, parse_object
from actions.login.protocol import Asking, LoginRefused
from actions.oauth2.refusals import (
    THROTTLED,
    TOKEN_REJECTED,
    not_fetched,
    retry_after_s,
    unexpected_status,
    unusable,
)
from policy.effect import Fetch, Fetched, FetchFailed

TIMEOUT_S: Final = 10.0
MAX_ANSWER: Final = 2 * 1024 * 1024
MAX_VALUES: Final = 100_000
MAX_PAGES: Final = 10
WHAT: Final = "the provider's API"

TOKEN_REFUSED: Final = "token-refused"  # noqa: S105 - a code
TOKEN_OF_OTHER_CLIENT: Final = "token-of-other-client"  # noqa: S105 - a code
PERMISSION_MISSING: Final = "permission-missing"
TOO_MANY_GROUPS: Final = "too-many-groups"
NO_PERMISSION_CODE: Final = "ERR_NGROK_3101"
NOT_PERMITTED_CODE: Final = "ERR_NGROK_3105"

_NEXT_LINK = re.compile(r'<([^<>\s]+)>((?:\s*;\s*[\w*]+="?[^",;]*"?)*)')
_REL_NEXT = re.compile(r';\s*rel="?next"?(?:\s|;|$)', re.IGNORECASE)

Fields: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A good answer; `next_url` leads to the next page of a list, "" at its end."""

    value: Any
    next_url: str = ""


class ApiError(Exception):
    """An answer that gives no identity; `refused` says so at a login.

    With 400 and 403 it is about the user, with 502 and 503 about the provider.
    """

    def __init__(self, refused: LoginRefused) -> None:
        self.refused = refused
        super().__init__(refused.reason)


def get_object(url: str, token: str, *, headers: Fields = ()) -> Asking[dict[str, Any]]:
    """Ask for a JSON object with a token; raises ApiError."""
    answer = yield from ask(url, bearer(token, headers), parse=_object)
    value: dict[str, Any] = answer.value
    return value


def get_pages(
    url: str,
    token: str,
    items: Callable[[Answer], tuple[list[Any], str]],
    *,
    headers: Fields = (),
    parse: Callable[[bytes], Any] | None = None,
) -> Asking[list[Any]]:
    """Ask for a list in all its pages; raises ApiError, also for more than MAX_PAGES of them.

    A list that is cut off would say that somebody is no member who is one: rules that keep
    members out would not see it. Pages of another server are not followed.
    """
    found: list[Any] = []
    following = url
    for _ in range(MAX_PAGES):
        answer = yield from ask(following, bearer(token, headers), parse=parse or _list)
        page, following = items(answer)
        found += page
        if not following:
            return found
        if origin(following) != origin(url):
            raise invalid_answer("the next page is on another server", url=url)
    raise ApiError(
        LoginRefused(
            status_code=403,
            reason=TOO_MANY_GROUPS,
            error_code=NOT_PERMITTED_CODE,
            detail=f"{WHAT}: a list has more than {MAX_PAGES} pages",
        )
    )


def linked_page(answer: Answer) -> tuple[list[Any], str]:
    """Take a page whose successor is in its `Link` field (RFC 8288)."""
    return answer.value, answer.next_url


def bearer(token: str, headers: Fields = ()) -> Fields:
    """Show a token (RFC 6750)."""
    return (("authorization", f"Bearer {token}"), *headers)


def ask(
    url: str,
    headers: Fields,
    *,
    method: str = "GET",
    body: bytes = b"",
    parse: Callable[[bytes], Any] | None = None,
) -> Asking[Answer]:
    """Make one request; raises ApiError for any answer that is no good one."""
    fetched: Fetched | FetchFailed = yield Fetch(
        url=url,
        method=method,
        headers=(("accept", "application/json"), *headers),
        body=body,
        limit_bytes=MAX_ANSWER,
        timeout_s=TIMEOUT_S,
        is_host_trusted=True,
    )
    if isinstance(fetched, FetchFailed):
        raise ApiError(not_fetched(place(url), fetched))
    check_status(url, fetched)
    try:
        value = (parse or _object)(fetched.body)
    except JsonError as error:
        raise invalid_answer(f"{error}", url=url) from None
    return Answer(value=value, next_url=next_page(fetched))


def check_status(url: str, fetched: Fetched) -> None:
    """Raise the ApiError that a status stands for; 200 has none."""
    status = fetched.status_code
    if status == 200:
        return
    if status == 401:
        raise token_refused(f"{place(url)}: status 401")
    if status in (403, 404):
        # GitHub has 403 for too many requests, and others 404 for a scope that is missing.
        raise (
            _throttled(url, fetched)
            if _is_throttled(fetched)
            else permission_missing(f"{place(url)}: status {status}")
        )
    raise ApiError(unexpected_status(place(url), fetched))


def invalid_answer(finding: str, *, url: str = WHAT) -> ApiError:
    """Say that the provider answers what can't be used."""
    return ApiError(unusable(place(url), finding))


def token_refused(detail: str) -> ApiError:
    """Say that the provider does not take its own token (any more)."""
    return _about_token(502, TOKEN_REFUSED, detail)


def foreign_token() -> ApiError:
    """Say that a token was made for another application: it proves nothing here (D2-25)."""
    return _about_token(400, TOKEN_OF_OTHER_CLIENT, f"{WHAT}: the token is another client's")


def permission_missing(detail: str) -> ApiError:
    """Say that the user, or an administrator, has not granted what the login needs."""
    return ApiError(
        LoginRefused(
            status_code=403,
            reason=PERMISSION_MISSING,
            error_code=NO_PERMISSION_CODE,
            detail=detail,
        )
    )


def _about_token(status_code: int, reason: str, detail: str) -> ApiError:
    return ApiError(
        LoginRefused(
            status_code=status_code, reason=reason, error_code=TOKEN_REJECTED, detail=detail
        )
    )


def _throttled(url: str, fetched: Fetched) -> ApiError:
    return ApiError(
        LoginRefused(
            status_code=503,
            reason="provider-too-busy",
            error_code=THROTTLED,
            detail=f"{place(url)}: status {fetched.status_code}, too many requests",
            retry_after_s=retry_after_s(fetched),
        )
    )


def place(url: str) -> str:
    """Name a URL in a message: never with its query, where secrets may be."""
    return url.partition("?")[0]


def origin(url: str) -> tuple[str, str]:
    """Return scheme and authority."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def next_page(fetched: Fetched) -> str:
    """Return the `rel="next"` of a Link field; "" where there is none."""
    for value in _values(fetched, "link"):
        for link in _NEXT_LINK.finditer(value):
            if _REL_NEXT.search(link[2]):
                return link[1]
    return ""


def _is_throttled(fetched: Fetched) -> bool:
    remaining = next(_values(fetched, "x-ratelimit-remaining"), "")
    return remaining == "0" or next(_values(fetched, "retry-after"), "") != ""


def _values(fetched: Fetched, name: str) -> Iterator[str]:
    return (value for field, value in fetched.headers if field.lower() == name)


def _object(data: bytes) -> Any:
    return parse_object(data, max_values=MAX_VALUES)


def _list(data: bytes) -> Any:
    return parse_list(data, max_values=MAX_VALUES)
