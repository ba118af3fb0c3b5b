"""What the action leaves behind for expressions (language spec, section 3.12)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from policy.action import ActionError, Doc


# Not frozen, but never changed: to make a frozen one takes five times as long, and each new token
# has one of both.
@dataclass(slots=True, kw_only=True)
class TokenResult:
    header: Annotated[dict[str, Any], Doc("The token's header.")]
    payload: Annotated[dict[str, Any], Doc("Its claims; believe them only if verified.")]
    signature: Annotated[str, Doc("Its signature, as base64url.")]
    location: Annotated[str, Doc("`header` or `body`.")]
    location_property: Annotated[str, Doc("The name of the field it stood in.")]
    verified: Annotated[bool, Doc("Whether everything about it was in order.")]


@dataclass(slots=True, kw_only=True)
class Result:
    tokens: Annotated[list[TokenResult], Doc("The tokens, in the order of their places.")]
    error: Annotated[ActionError | None, Doc("Why a token was not accepted.")] = None
