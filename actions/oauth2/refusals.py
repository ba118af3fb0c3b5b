"""Why a login by OAuth 2.0 does not come about: statuses and codes (language spec, section 6.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from actions.login.protocol import LoginRefused
from policy.effect import Fetched, FetchFailed

PROVIDER_ERROR: Final = "ERR_NGROK_3112"
DENIED: Final = "ERR_NGROK_3113"
INTERACTION: Final = "ERR_NGROK_3114"
WRONG_REDIRECT_URI: Final = "ERR_NGROK_3115"
BAD_NONCE: Final = "ERR_NGROK_3121"
CODE_USED: Final = "ERR_NGROK_3122"
WRONG_ISSUER: Final = "ERR_NGROK_3124"
BAD_CLIENT: Final = "ERR_NGROK_3125"
BAD_SCOPE: Final = "ERR_NGROK_3126"
TOKEN_REJECTED: Final = "ERR_NGROK_3151"  # noqa: S105 - a code
UNREACHABLE: Final = "ERR_NGROK_3160"
THROTTLED: Final = "ERR_NGROK_3161"

RETRY_AFTER_S: Final = 10
MAX_RETRY_AFTER_S: Final = 3600

# Reasons of a fetch that failed because nobody was there. Whoever answers slowly, or far too
# much, is there, and asking again would only repeat it (OA-8).
NOBODY_THERE: Final = frozenset({"not-connected"})
TOO_BUSY: Final = frozenset({429, 503})


class Known(NamedTuple):
    """What an error code of a provider's means for the login."""

    status_code: int
    reason: str
    error_code: str


UNKNOWN: Final = Known(502, "provider-error", PROVIDER_ERROR)
WRONG_CLIENT: Final = Known(502, "client-refused", BAD_CLIENT)
NOT_ASKED: Final = Known(403, "interaction-required", INTERACTION)
# RFC 6749, sections 4.1.2.1 and 5.2; OpenID Connect Core, section 3.1.2.6; GitHub's own.
ERRORS: Final[Mapping[str, Known]] = {
    "access_denied": Known(403, "login-denied", DENIED),
    "account_selection_required": NOT_ASKED,
    "consent_required": NOT_ASKED,
    "interaction_required": NOT_ASKED,
    "login_required": NOT_ASKED,
    "bad_verification_code": Known(400, "code-refused", CODE_USED),
    "incorrect_client_credentials": WRONG_CLIENT,
    "invalid_client": WRONG_CLIENT,
    "invalid_grant": Known(400, "code-refused", CODE_USED),
    "invalid_scope": Known(502, "scope-refused", BAD_SCOPE),
    "redirect_uri_mismatch": Known(502, "redirect-uri-refused", WRONG_REDIRECT_URI),
    "temporarily_unavailable": Known(503, "provider-unavailable", UNREACHABLE),
    "unauthorized_client": WRONG_CLIENT,
}


def refused_by(error: str, detail: str) -> LoginRefused:
    """Refuse because of an error code that a provider names."""
    known = ERRORS.get(error, UNKNOWN)
    return LoginRefused(
        status_code=known.status_code,
        reason=known.reason,
        error_code=known.error_code,
        detail=detail,
        retry_after_s=RETRY_AFTER_S if known.status_code == 503 else None,
    )


def not_fetched(what: str, failed: FetchFailed) -> LoginRefused:
    """Refuse because `what` (as "the token endpoint") gave no usable answer."""
    is_absent = failed.reason in NOBODY_THERE
    return LoginRefused(
        status_code=503 if is_absent else 502,
        reason="provider-unreachable" if is_absent else "provider-answer-unusable",
        error_code=UNREACHABLE if is_absent else PROVIDER_ERROR,
        detail=f"{what}: {failed.reason}",
        retry_after_s=RETRY_AFTER_S if is_absent else None,
    )


def unusable(what: str, finding: str) -> LoginRefused:
    """Refuse because an answer makes no sense; `finding` shows none of it."""
    return LoginRefused(
        status_code=502,
        reason="provider-answer-unusable",
        error_code=PROVIDER_ERROR,
        detail=f"{what}: {finding}",
    )


def unexpected_status(what: str, answer: Fetched) -> LoginRefused:
    """Refuse because of the status of an answer."""
    if answer.status_code not in TOO_BUSY:
        return unusable(what, f"status {answer.status_code}")
    return LoginRefused(
        status_code=503,
        reason="provider-too-busy",
        error_code=THROTTLED,
        detail=f"{what}: status {answer.status_code}",
        retry_after_s=retry_after_s(answer),
    )


def retry_after_s(answer: Fetched) -> int:
    """Return when a provider wants to be asked again, within reason (RFC 9110, section 10.2.3)."""
    for name, value in answer.headers:
        if name.lower() == "retry-after" and value.isascii() and value.isdigit():
            return max(1, min(int(value[:9]), MAX_RETRY_AFTER_S))
    return RETRY_AFTER_S
