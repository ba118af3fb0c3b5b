"""The code that a browser brings back from the provider (RFC 6749, section 4.1.2; RFC 9207).

Nothing of it is asked of the provider before it is known whose answer it is (OA-4, D2-11, D2-12).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from actions.login.protocol import LoginRefused
from actions.oauth2.quotation import described, error_name
from actions.oauth2.refusals import CODE_USED, WRONG_ISSUER, refused_by

MAX_CODE: Final = 4096
WHAT: Final = "the provider"

# RFC 6749, appendix A.11.
_CODE = re.compile(r"[ -~]+")


def code_of(
    parameters: Mapping[str, str], *, issuer: str | None = None, announces_issuer: bool = False
) -> str | LoginRefused:
    """Return the code of an answer to our own request; `state` has been looked at before.

    `issuer` is the provider's, None where it has none; with `announces_issuer` its metadata
    promise to name it in every answer (RFC 9207, section 3).
    """
    named = parameters.get("iss")
    if issuer is not None and named not in (None, issuer):
        return _other_issuer("the answer names another issuer")
    if "error" in parameters:
        error = error_name(parameters["error"])
        secrets = (parameters.get("code", ""), parameters.get("state", ""))
        words = described(error, parameters.get("error_description"), secrets=secrets)
        return refused_by(error, f"{WHAT}: {words}")
    if announces_issuer and named is None:
        return _other_issuer("the answer names no issuer, as the metadata promise")
    code = parameters.get("code", "")
    if len(code) > MAX_CODE or not _CODE.fullmatch(code):
        return LoginRefused(
            status_code=400,
            reason="code-missing",
            error_code=CODE_USED,
            detail="the answer has no code, or none that can be one",
        )
    return code


def _other_issuer(detail: str) -> LoginRefused:
    return LoginRefused(
        status_code=400, reason="callback-of-other-issuer", error_code=WRONG_ISSUER, detail=detail
    )
