"""Who is logged in, and on what grounds: the records behind the session cookie.

A session is found by the digest of its cookie, so that whoever reads the store can't become
anybody. It has an id of its own, for people and interfaces. Tokens are in it because policies may
use them; a store outside this process holds them encrypted only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from policy.store import BadRecord, Kind

FORMAT: Final = 1
MAX_SESSIONS: Final = 200_000
MAX_SESSIONS_OF_A_USER: Final = 100
MAX_IDENTITIES: Final = 200_000
# Of a browser and of an address: a whole office behind one address logs in within minutes, and
# nobody can push out the logins of others (OA-13).
MAX_PENDING: Final = 20_000
MAX_PENDING_TOGETHER: Final = 500

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Tokens:
    """What a provider gave us for this user; "" for what it did not give.

    `expires_ns` is the end of the access token, None if the provider names none.
    """

    access_token: str = ""
    refresh_token: str = ""
    id_token: str = ""
    expires_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A user as the provider describes one.

    `subject` identifies the user at that provider, for ever; nothing else does. `email` is ""
    unless the provider says that it is verified. `claims` are the provider's own words, JSON.
    """

    subject: str
    email: str = ""
    name: str = ""
    username: str = ""
    claims: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Browser:
    """Where a session began."""

    user_agent: str
    ip_address: str
    country_code: str = ""
    latitude: str = ""
    longitude: str = ""
    radius_km: str = ""


# Without slots, for what is derived from it.
@dataclass(frozen=True, kw_only=True)
class Session:
    """One login of one user in one browser. Times are nanoseconds since the epoch.

    `scope` names all that the login was for: action, endpoint, provider, client. `agreed` is a
    mark of the configuration that the provider was last asked under. `provider_session` is the
    provider's own name for it (`sid`, `SessionIndex`), "" for none. `ends_ns` is its absolute
    end. `refreshed_ns` is when the provider last told us about the user, `retry_ns` before when it
    is not to be asked again because it could not tell. `details` belong to the protocol.
    """

    id: str
    scope: str
    auth_id: str
    endpoint_id: str
    public_url: str
    provider_name: str
    provider_url: str
    identity_id: str
    person: Person
    tokens: Tokens
    browser: Browser
    agreed: str
    created_ns: int
    last_active_ns: int
    refreshed_ns: int
    ends_ns: int
    provider_session: str = ""
    retry_ns: int = 0
    details: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def results(self) -> dict[Any, Any]:
        """What actions have made of this very record: by what made it, not stored with it."""
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A user, however many sessions there are (language spec, section 7)."""

    id: str
    provider_name: str
    provider_url: str
    person: Person
    created_ns: int
    last_active_ns: int
    last_login_ns: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PendingLogin:
    """A login that a browser was sent away for. `browser` is a digest of its own cookie.

    `target` is where to go afterwards, a path of ours. `nonce_digest` is what the provider's
    answer has to match, `verifier` the secret of PKCE (RFC 7636). `is_forced` tells that the
    credentials were asked for again. `sessions` are digests of those that the browser had: where
    it comes back from another site it does not show them, and they end all the same (OA-9).
    """

    scope: str
    auth_id: str
    endpoint_id: str
    browser: str
    target: str
    redirect_uri: str
    started_ns: int
    nonce_digest: str = ""
    verifier: str = ""
    is_forced: bool = False
    sessions: tuple[str, ...] = ()


def _codec(record: type[T]) -> tuple[Any, Any]:
    adapter = TypeAdapter(record)

    def encode(value: T) -> bytes:
        content = {"format": FORMAT, "record": asdict(value)}  # type: ignore[call-overload]
        return json.dumps(content, separators=(",", ":")).encode("utf-8", "surrogateescape")

    def decode(data: bytes) -> T:
        try:
            content = json.loads(data)
            if not isinstance(content, dict) or content.get("format") != FORMAT:
                raise BadRecord("unknown-format")
            return adapter.validate_python(content["record"])
        except (ValueError, KeyError, ValidationError, RecursionError):
            raise BadRecord("unreadable") from None

    return encode, decode


def _kind(
    name: str, record: type[T], *, max_entries: int, max_per_group: int | None = None
) -> Kind[T]:
    encode, decode = _codec(record)
    return Kind(
        name=name,
        encode=encode,
        decode=decode,
        max_entries=max_entries,
        max_per_group=max_per_group,
    )


SESSIONS: Final = _kind(
    "session", Session, max_entries=MAX_SESSIONS, max_per_group=MAX_SESSIONS_OF_A_USER
)
IDENTITIES: Final = _kind("identity", Identity, max_entries=MAX_IDENTITIES)
PENDING_LOGINS: Final = _kind(
    "login", PendingLogin, max_entries=MAX_PENDING, max_per_group=MAX_PENDING_TOGETHER
)


def digest(secret: str) -> str:
    """Return what a secret is known by in the store; nobody gets back from it to the secret."""
    return sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
