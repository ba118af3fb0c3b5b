"""Where a request shows a token: in a header field, or in a field of its body."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from actions.jose.strict_json import JsonError, parse_object
from actions.jwt_validation.claims import ClaimCheck
from actions.jwt_validation.refusals import (
    BODY_NOT_FORM,
    BODY_NOT_JSON,
    BODY_TOO_LARGE,
    CONTENT_TYPE_UNSUPPORTED,
    HEADER_MISSING,
    METHOD_WITHOUT_BODY,
    PREFIX_MISSING,
    TOKEN_MISSING,
    TOKEN_REPEATED,
    Refused,
)
from policy.exchange import Request
from policy.fields import Fields
from policy.media_type import media_type

MAX_BODY: Final = 1024 * 1024
MAX_BODY_VALUES: Final = 20_000
MAX_FORM_FIELDS: Final = 1_000
METHODS_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})

BodyFields = Mapping[str, list[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPlace:
    """One configured place; `name` is in lower case, `written_name` as in the document.

    `checks` are those of the claims. `fingerprint` stands for all that is checked of a token found
    here, so that a result for one place is none for another.
    """

    kind: str
    location: str
    in_header: bool
    name: str
    prefix: str
    written_name: str
    checks: tuple[ClaimCheck, ...]
    fingerprint: bytes


def token_in_header(place: TokenPlace, headers: Fields) -> str | Refused:
    """Return the text that should be a token."""
    values = headers.by_name.get(place.name)
    if not values:
        return HEADER_MISSING
    if len(values) > 1:
        return TOKEN_REPEATED
    value, prefix = values[0], place.prefix
    if not prefix:
        return value
    # An authentication scheme may be written in any case (RFC 9110, section 11.1).
    if not value.startswith(prefix) and value[: len(prefix)].lower() != prefix.lower():
        return PREFIX_MISSING
    return value[len(prefix) :].strip(" ")


def body_fields(request: Request, body: bytes | None) -> BodyFields | Refused:
    """Return a body's fields by lower-case name; None stands for a body that is too large."""
    if body is None:
        return BODY_TOO_LARGE
    match media_type(request.headers.first("content-type") or ""):
        case "application/json":
            return _json_fields(body)
        case "application/x-www-form-urlencoded":
            return _form_fields(body)
        case _:
            return CONTENT_TYPE_UNSUPPORTED


def token_in_body(place: TokenPlace, fields: BodyFields) -> str | Refused:
    """Return the text that should be a token."""
    values = fields.get(place.name, [])
    if not values:
        return TOKEN_MISSING
    if len(values) > 1:
        return TOKEN_REPEATED
    value = values[0]
    if not isinstance(value, str):
        return TOKEN_MISSING
    if not value.startswith(place.prefix):
        return PREFIX_MISSING
    return value.removeprefix(place.prefix)


def has_body(request: Request) -> Refused | None:
    """Refuse requests whose method has no use for a body."""
    return None if request.method in METHODS_WITH_BODY else METHOD_WITHOUT_BODY


def _json_fields(body: bytes) -> BodyFields | Refused:
    try:
        return _by_name(parse_object(body, max_values=MAX_BODY_VALUES).items())
    except JsonError:
        return BODY_NOT_JSON


def _form_fields(body: bytes) -> BodyFields | Refused:
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=MAX_FORM_FIELDS,
        )
    except ValueError:
        return BODY_NOT_FORM
    return _by_name(pairs)


def _by_name(pairs: Iterable[tuple[str, object]]) -> BodyFields:
    fields: dict[str, list[object]] = {}
    for name, value in pairs:
        fields.setdefault(name.lower(), []).append(value)
    return fields
