"""basic-auth: ask for a user name and a password (RFC 7617).

Phases  on_http_request
Reads   Authorization
Ends    the phase with 401 and a challenge (RFC 9110, section 15.5.2) unless one of the listed
        credentials is shown; with `enforce: false` nothing ends and the result is recorded

One outcome for each doubtful input (T-BA-2), and never an error: two Authorization fields, a
token over 4 KiB, strict base64 that does not decode, no colon, an empty user, or a control
character are all malformed credentials. The first colon ends the user. What is shown is compared
byte for byte, so other Unicode normal forms and bytes that are no UTF-8 just do not match.

Every listed credential is compared, as a digest and in constant time, whatever is shown: how
long it takes tells nothing about which users exist (T-BA-1). A credential from an interpolation
that breaks the rules never matches. After success the credentials stay here (T-BA-5).
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from hmac import compare_digest
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from policy.action import Action, ActionConfig, Continue, Doc, Exchange, Lint, Outcome, Respond
from policy.config_types import AtMost, Interpolated, MinLen, Parsed, Pending, Secret, refusal
from policy.exchange import Request
from policy.phase import Phase
from policy.problem import Severity

MISSING = "credentials-missing"
MALFORMED = "credentials-malformed"
WRONG = "credentials-wrong"

TOKEN_LIMIT = 4096
PASSWORD_MINIMUM = 8
PASSWORD_MAXIMUM = 128
REALM_LIMIT = 128
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def check_literals(literals: tuple[str, ...]) -> str | None:
    """Say what is wrong with a credential's fixed texts; a single expression may be all of it."""
    if len(literals) == 2 and not any(literals):
        return None
    if any(":" in literal for literal in literals):
        return None
    return "the ':' between user and password has to stand outside of '${...}'"


@dataclass(frozen=True, slots=True, repr=False)
class Credential:
    """One user and password. Has no representation that could show the password."""

    username: str
    password: str

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let pydantic read both shapes."""
        return core_schema.no_info_plain_validator_function(read_credential)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Describe both shapes in a JSON Schema."""
        text = {"type": "string"}
        names = ["username", "password"]
        pair = {"type": "object", "properties": dict.fromkeys(names, text), "required": names}
        return {"oneOf": [{"type": "string", "pattern": ":"}, pair]}

    @property
    def is_pending(self) -> bool:
        """Tell whether it only becomes known with a request."""
        return isinstance(self.username, Pending) or isinstance(self.password, Pending)


def read_credential(value: Any) -> Credential:
    """Read `user:password` or a map of both. What is inside is checked by `defects`."""
    if isinstance(value, Pending):
        return Credential(value, value)
    if isinstance(value, str):
        username, colon, password = value.partition(":")
        return Credential(username, password) if colon else Credential("", value)
    if (
        isinstance(value, dict)
        and value.keys() == {"username", "password"}
        and all(isinstance(part, str) for part in value.values())
    ):
        return Credential(value["username"], value["password"])
    raise refusal(
        "credential-shape",
        "a credential is 'user:password', or a map of 'username' and 'password'",
        reference="ERR_NGROK_2204",
        hint="quote it where YAML would read a number: '\"007:secret-one\"'",
    )


def defects(credential: Credential) -> list[tuple[str, str, str]]:
    """Return code, message and reference of every rule that a credential breaks."""
    username, password = credential.username, credential.password
    found: list[tuple[str, str, str]] = []
    if not username:
        # Without the colon there is no telling which part is the password.
        return [("username-empty", "a credential needs a user, then ':'", "ERR_NGROK_359")]
    if ":" in username or _CONTROL.search(username):
        message = "a user name has no ':' and no control characters (RFC 7617)"
        found.append(("username-invalid", message, "ERR_NGROK_2257"))
    if not PASSWORD_MINIMUM <= len(password) <= PASSWORD_MAXIMUM:
        message = f"a password has {PASSWORD_MINIMUM} to {PASSWORD_MAXIMUM} characters"
        found.append(("password-length", message, "ERR_NGROK_360"))
    if _CONTROL.search(password):
        message = "a password has no control characters (RFC 7617)"
        found.append(("password-invalid", message, "ERR_NGROK_2258"))
    return found


def _read_realm(text: str) -> str:
    if len(text) > REALM_LIMIT:
        message = f"a realm has at most {REALM_LIMIT} characters"
        raise refusal("realm-too-long", message, reference="ERR_NGROK_2221")
    if not text.isascii() or _CONTROL.search(text):
        message = "a realm is printable ASCII"
        raise refusal("realm-invalid", message, reference="ERR_NGROK_2204")
    return text


class Config(ActionConfig):
    credentials: Annotated[
        list[Credential],
        MinLen(1),
        AtMost(10),
        Interpolated(check=check_literals),
        Secret(behind=":", open_keys=frozenset({"username"})),
        Doc("Who may pass, at most 10: `user:password`, or maps of `username` and `password`."),
    ]
    realm: Annotated[str, Parsed(_read_realm, "realm"), Doc("Shown in the challenge.")] = "ngrok"
    enforce: Annotated[bool, Doc("False: record the result and continue.")] = True
    forward_authorization: Annotated[
        bool, Doc("Extension. True: the upstream gets the credentials too.")
    ] = False

    @cached_property
    def digests(self) -> tuple[bytes, ...]:
        """A digest of each usable credential."""
        return tuple(
            digest_of(f"{one.username}:{one.password}".encode("utf-8", "surrogateescape"))
            for one in self.credentials
            if not defects(one)
        )

    @cached_property
    def challenge(self) -> tuple[str, str]:
        """The field that asks for credentials; the realm is a quoted string."""
        quoted = self.realm.replace("\\", "\\\\").replace('"', '\\"')
        return "www-authenticate", f'Basic realm="{quoted}"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    presented: Annotated[bool, Doc("Whether the request shows basic credentials.")]
    username: Annotated[str, Doc("The user that is shown, verified or not.")]
    authorized: Annotated[bool, Doc("Whether the credentials are right.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    credentials: Annotated[Credentials, Doc("What was shown and what it is worth.")]


def run(config: Config, exchange: Exchange) -> Outcome[Result]:
    """Check the credentials of one request."""
    request = exchange.request
    if request is None:
        return Continue()
    sent = request.headers.all("authorization")
    token = basic_token(sent)
    shown = None if token is None else decoded(token)
    authorized = is_listed(shown, config.digests)
    result = Result(
        credentials=Credentials(
            presented=token is not None, username=username_of(shown), authorized=authorized
        )
    )
    if authorized and not config.forward_authorization:
        withhold(request)
    if authorized or not config.enforce:
        return Continue(result)
    reason = MISSING if token is None else MALFORMED if shown is None else WRONG
    return Respond(status_code=401, reason=reason, headers=(config.challenge,), result=result)


def basic_token(values: list[str]) -> str | None:
    """Return the token of basic credentials; "" stands for those that can't be told apart."""
    basic = [value for value in values if value[:6].lower() == "basic "]
    if not basic:
        return None
    return basic[0][6:].strip(" ") if len(values) == 1 else ""


def decoded(token: str) -> bytes | None:
    """Return `user:password` of a token, None when it is malformed."""
    if not token or len(token) > TOKEN_LIMIT:
        return None
    try:
        shown = b64decode(token, validate=True)
    except (Base64Error, ValueError):
        return None
    if shown.find(b":") < 1 or any(octet < 0x20 or octet == 0x7F for octet in shown):
        return None
    return shown


def is_listed(shown: bytes | None, digests: tuple[bytes, ...]) -> bool:
    """Compare with every listed credential, at equal cost whatever is shown."""
    digest = digest_of(shown or b"")
    found = False
    for listed in digests:
        found |= compare_digest(digest, listed)
    return found


def digest_of(credential: bytes) -> bytes:
    """Make credentials of any length equally long, so that length is no clue."""
    return sha256(credential).digest()


def username_of(shown: bytes | None) -> str:
    """Return what stands in front of the first colon."""
    return (shown or b"").partition(b":")[0].decode("utf-8", "surrogateescape")


def withhold(request: Request) -> None:
    """Keep the credentials from the upstream; expressions can still read them."""
    request.withheld |= {"authorization"}


def lint(config: Config) -> tuple[Lint, ...]:
    """Refuse fixed credentials that break the rules, and warn of passwords in clear text."""
    findings: list[Lint] = []
    for index, credential in enumerate(config.credentials):
        if credential.is_pending:
            continue
        path = ("credentials", index)
        findings.extend(
            Lint(code=code, message=text, path=path, severity=Severity.ERROR, reference=reference)
            for code, text, reference in defects(credential)
        )
        if not defects(credential):
            findings.append(
                Lint(
                    code="password-in-clear-text",
                    message="whoever reads the policy reads this password",
                    path=path,
                    hint="keep it outside of the policy and put it in with ${...}",
                )
            )
    return tuple(findings)


ACTION = Action(
    name="basic-auth",
    phases=frozenset({Phase.ON_HTTP_REQUEST}),
    config=Config,
    result=Result,
    run=run,
    lint=lint,
)
