"""Looks at a client's id and secret: whether they can be right, and whether the provider agrees.

Nothing here ever shows either of them.
"""

from __future__ import annotations

import re
from typing import Final

from actions.oauth2.quotation import described
from actions.oauth2.token_endpoint import Granted, NotGranted
from penstock.doctor.finding import Finding, doubtful, fine, unseen, wrong
from penstock.doctor.logins import Login

CHECK: Final = "credentials"
PROBE: Final = "token endpoint"
SHORT_SECRET: Final = 12
# What people leave where a value should be.
PLACEHOLDER: Final = re.compile(
    r"<.*>|\{.*\}|\$.*|x{3,}|\*{3,}|\.{3,}|todo|fixme|change[-_ ]?me|replace[-_ ]?me|secret"
    r"|password|example|placeholder|dummy|test|(?:your|my|the)?[-_ ]?(?:oauth|oidc|app)?[-_ ]?"
    r"(?:client|app|application|consumer)[-_ ]?(?:id|secret|key)(?:[-_ ]?here)?",
    re.IGNORECASE,
)
NO_CLIENT: Final = frozenset(
    {"invalid_client", "incorrect_client_credentials", "unauthorized_client"}
)
# Answers of a provider that knows the client, and not the code that we have made up.
NO_CODE: Final = frozenset({"invalid_grant", "bad_verification_code", "invalid_code"})


def check_credentials(login: Login) -> Finding:
    """Look at the shape of id and secret."""
    if login.unresolved:
        return wrong(
            CHECK,
            f"the ${{...}} in {login.unresolved!r} has no value",
            "name the configuration with its vaults by --config, and check that the vault has it",
        )
    for name, value in (("client_id", login.client_id), ("client_secret", login.client_secret)):
        if not value:
            return unseen(CHECK, f"{name!r} is not known here")
        fault = _fault(value)
        if fault:
            return wrong(CHECK, f"{name!r} {fault}", "copy it anew from the provider's page")
    if login.client_id == login.client_secret:
        return wrong(CHECK, "'client_id' and 'client_secret' are the same", "one of them is wrong")
    if len(login.client_secret or "") < SHORT_SECRET:
        return doubtful(
            CHECK,
            f"'client_secret' has less than {SHORT_SECRET} characters",
            "check that all of it was copied",
        )
    return fine(CHECK, "id and secret look like ones")


def _fault(value: str) -> str:
    if value != value.strip():
        return "begins or ends with a space"
    if any(character.isspace() for character in value):
        return "has a space in it"
    if value[0] in "\"'`" or value[-1] in "\"'`":
        return "is in quotes that are part of it"
    if PLACEHOLDER.fullmatch(value):
        return "is a placeholder"
    return ""


def check_probe(login: Login, answer: Granted | NotGranted | None) -> Finding:
    """Read what the token endpoint says to a code that is none: it tells who is refused."""
    if answer is None:
        return unseen(PROBE, "not asked", "add --probe to try the credentials with a made-up code")
    if isinstance(answer, Granted):
        return wrong(PROBE, "it gives tokens for a made-up code", "do not use this provider")
    secrets = (login.client_id or "", login.client_secret or "")
    said = described(answer.error, answer.refused.detail, secrets=secrets)
    if answer.error in NO_CLIENT:
        return wrong(
            PROBE,
            f"it does not accept id and secret ({answer.error})",
            "copy both anew; check that the secret has not expired, and the client's "
            "authentication method at the provider",
        )
    if answer.error == "redirect_uri_mismatch":
        return wrong(PROBE, "it does not know the redirect URI", "register the one above")
    if answer.error == "invalid_request":
        return doubtful(PROBE, said, "it can't be told whether it accepts id and secret")
    if answer.error in NO_CODE:
        return fine(PROBE, f"it accepts id and secret, and not a made-up code ({answer.error})")
    if answer.kind == "refused":
        return doubtful(PROBE, said, "it can't be told whether it accepts id and secret")
    return wrong(PROBE, said, "look into the provider's log")
