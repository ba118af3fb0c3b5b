"""Which header fields a policy may write or remove, as types of configuration fields.

Framing and connection fields belong to the proxy: a policy that wrote them could make two
servers disagree on where a message ends (RFC 9112, section 11.2).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from policy.config_types import HEADER_COUNT_LIMIT, AtMost, HeaderName, HeaderValue, refusal
from policy.forwarding import ERROR_CODE_FIELD, FORWARDED, HOP_BY_HOP, folded

MANAGED = HOP_BY_HOP | {"content-length", ERROR_CODE_FIELD}
# Another spelling of these would be taken for a forgery and dropped on the way.
SPELLED_ONE_WAY = MANAGED | {"authorization", "cookie", "host", *FORWARDED}


def check_written(name: str) -> str:
    """Refuse names that only the proxy itself writes."""
    plain = folded(name)
    if plain in MANAGED:
        raise _reserved(f"{name!r} is written by the proxy itself")
    if plain != name.lower() and plain in SPELLED_ONE_WAY:
        raise _reserved(f"{name!r} is another spelling of {plain!r}", hint=f"write {plain!r}")
    return name


def check_added(name: str) -> str:
    """Refuse names that add-headers leaves alone."""
    if name.lower() == "user-agent":
        raise _reserved("'user-agent' can be neither added nor removed")
    return check_written(name)


def check_removed(name: str) -> str:
    """Refuse names that remove-headers leaves alone."""
    lowered = name.lower()
    if lowered == "user-agent":
        raise _reserved("'user-agent' can be neither added nor removed")
    if lowered == "host":
        raise refusal(
            "header-required",
            "'host' can't be removed: every request names its host",
            reference="ERR_NGROK_398",
            hint="add-headers replaces 'host'",
        )
    if lowered in MANAGED:
        raise _reserved(f"{name!r} is written by the proxy itself")
    return name


def _reserved(message: str, *, hint: str | None = None) -> Exception:
    return refusal("header-reserved", message, reference="ERR_NGROK_2219", hint=hint)


AddedName = Annotated[HeaderName, AfterValidator(check_added)]
RemovedName = Annotated[HeaderName, AfterValidator(check_removed)]
ResponseHeaders = Annotated[
    dict[Annotated[HeaderName, AfterValidator(check_written)], HeaderValue],
    AtMost(HEADER_COUNT_LIMIT, "ERR_NGROK_2212", "too-many-headers"),
]
