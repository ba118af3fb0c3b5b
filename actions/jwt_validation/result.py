"""What the action leaves behind for expressions (language spec, section 3.12)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from actions.jose.strict_json import parse_object
from actions.jose.token import parse_token
from policy.action import ActionError, Doc


@dataclass(frozen=True, slots=True, kw_only=True)
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


class Verified(Result):
    """The result for one token that is in order.

    Its parts are read again when somebody asks for them, which most policies never do: thousands
    of tokens are remembered, and a text is far smaller than what stands in it.
    """

    __slots__ = ("_location", "_location_property", "_text")

    def __init__(self, text: str, location: str, location_property: str) -> None:
        # Without `tokens`, so that asking for them comes to `__getattr__`.
        self.error = None
        self._text = text
        self._location = location
        self._location_property = location_property

    def __getattr__(self, name: str) -> list[TokenResult]:
        """Read the token, the first time that `tokens` is asked for."""
        if name != "tokens":
            raise AttributeError(name)
        token = parse_token(self._text)
        self.tokens = [
            TokenResult(
                header=token.header.members,
                payload=parse_object(token.payload),
                signature=self._text.rpartition(".")[2],
                location=self._location,
                location_property=self._location_property,
                verified=True,
            )
        ]
        return self.tokens
