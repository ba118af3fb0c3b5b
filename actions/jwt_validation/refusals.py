"""Why a token is not accepted: what the operator reads, and the little that the client gets.

Statuses and numbers are the language's (section 6.4); the error attribute of the challenge is
RFC 6750's (section 3.1), which has none for a request that shows no token at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

INVALID: Final = "ERR_NGROK_3401"
FORBIDDEN: Final = "ERR_NGROK_3403"
ABSENT: Final = "ERR_NGROK_3406"
HEADER_ABSENT: Final = "ERR_NGROK_3408"
BAD_JSON: Final = "ERR_NGROK_3411"
BAD_FORM: Final = "ERR_NGROK_3412"
PREFIX_ABSENT: Final = "ERR_NGROK_3413"
BAD_CONTENT_TYPE: Final = "ERR_NGROK_3414"
BAD_METHOD: Final = "ERR_NGROK_3415"
MALFORMED: Final = "ERR_NGROK_3416"
NO_KEYS: Final = "ERR_NGROK_3422"

BEARER_ERRORS: Final = {400: "invalid_request", 401: "invalid_token", 403: "insufficient_scope"}
RETRY_AFTER_S: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """One reason not to accept a token. `shown` is false when there was no token to look at."""

    reason: str
    error_code: str
    message: str
    status_code: int = 401
    shown: bool = True

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """The challenge, or when to come again."""
        if self.status_code == 503:
            return (("retry-after", str(RETRY_AFTER_S)),)
        error = f' error="{BEARER_ERRORS[self.status_code]}"' if self.shown else ""
        return (("www-authenticate", f"Bearer{error}"),)


HEADER_MISSING = Refused(
    reason="header_missing",
    error_code=HEADER_ABSENT,
    message="the header for the token is not there",
    shown=False,
)
PREFIX_MISSING = Refused(
    reason="prefix_missing",
    error_code=PREFIX_ABSENT,
    message="the value does not begin with the configured prefix",
    shown=False,
)
TOKEN_MISSING = Refused(
    reason="token_missing",
    error_code=ABSENT,
    message="the body has no such field",
    shown=False,
)
TOKEN_REPEATED = Refused(
    reason="token_repeated",
    error_code=INVALID,
    message="the token stands there more than once",
    status_code=400,
)
METHOD_WITHOUT_BODY = Refused(
    reason="method_without_body",
    error_code=BAD_METHOD,
    message="a token in the body needs POST, PUT or PATCH",
    shown=False,
)
CONTENT_TYPE_UNSUPPORTED = Refused(
    reason="content_type_unsupported",
    error_code=BAD_CONTENT_TYPE,
    message="a token in the body needs JSON or a form",
    shown=False,
)
BODY_TOO_LARGE = Refused(
    reason="body_too_large",
    error_code=ABSENT,
    message="the body is too large to look for a token in it",
    shown=False,
)
BODY_NOT_JSON = Refused(
    reason="body_not_json",
    error_code=BAD_JSON,
    message="the body is no JSON object",
    shown=False,
)
BODY_NOT_FORM = Refused(
    reason="body_not_form", error_code=BAD_FORM, message="the body is no form", shown=False
)
TOKEN_MALFORMED = Refused(
    reason="token_malformed", error_code=MALFORMED, message="the token can't be read"
)
CRITICAL_EXTENSION = Refused(
    reason="critical_extension",
    error_code=INVALID,
    message="the token wants an extension to be understood",
)
ALG_NOT_ALLOWED = Refused(
    reason="alg_not_allowed", error_code=INVALID, message="the token's algorithm is not allowed"
)
SIGNATURE_INVALID = Refused(
    reason="signature_invalid",
    error_code=INVALID,
    message="none of the issuer's keys has signed the token",
)
KEYS_UNAVAILABLE = Refused(
    reason="keys_unavailable",
    error_code=NO_KEYS,
    message="the issuer's keys can't be had",
    status_code=503,
)
TYPE_NOT_ALLOWED = Refused(
    reason="type_not_allowed", error_code=INVALID, message="it is another kind of token"
)
TOKEN_EXPIRED = Refused(reason="token_expired", error_code=INVALID, message="the token has expired")
EXPIRY_MISSING = Refused(
    reason="expiry_missing", error_code=INVALID, message="the token never expires"
)
NOT_YET_VALID = Refused(
    reason="token_not_yet_valid", error_code=INVALID, message="the token is not valid yet"
)
TOKEN_TOO_OLD = Refused(
    reason="token_too_old", error_code=INVALID, message="the token was issued too long ago"
)
INVALID_CLAIMS = Refused(
    reason="invalid_claims", error_code=INVALID, message="a claim is missing or makes no sense"
)
ISSUER_NOT_ALLOWED = Refused(
    reason="issuer_not_allowed",
    error_code=FORBIDDEN,
    message="the token's issuer is not allowed",
    status_code=403,
)
AUDIENCE_NOT_ALLOWED = Refused(
    reason="audience_not_allowed",
    error_code=FORBIDDEN,
    message="the token is for another audience",
    status_code=403,
)
