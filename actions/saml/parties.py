"""Who talks to whom: the identity provider as its metadata describes it, and ourselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from actions.saml.algorithms import STRICT, Algorithms
from actions.saml.instant import NS_PER_S
from actions.saml.names import PERSISTENT

DEFAULT_SKEW_NS: Final = 60 * NS_PER_S
DEFAULT_MAX_AGE_NS: Final = 600 * NS_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutEndpoint:
    """Where logout messages go by one binding; answers may go to a place of their own."""

    binding: str
    url: str
    response_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityProvider:
    """One identity provider. Certificates are DER; all of them may sign (rollover).

    `valid_until_ns` is None for metadata that does not expire.
    """

    entity_id: str
    sign_in_url: str
    signing_certificates: tuple[bytes, ...]
    logout_endpoints: tuple[LogoutEndpoint, ...] = ()
    name_id_formats: tuple[str, ...] = ()
    wants_requests_signed: bool = False
    valid_until_ns: int | None = None

    def logout_endpoint(self, binding: str) -> LogoutEndpoint | None:
        """Return where logout messages go by a binding."""
        return next((each for each in self.logout_endpoints if each.binding == binding), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceProvider:
    """Ourselves, and what we ask of messages.

    The private key is PEM and never shown, the certificate is DER. Logouts are always signed,
    requests for a sign-in if `signs_requests` or the provider say so. `max_age_ns` is how long ago
    a message may have been issued. Without `wants_assertions_signed` the signature of the whole
    response, which covers the assertion, is enough.
    """

    entity_id: str
    assertion_url: str
    logout_url: str
    private_key: bytes | None = field(default=None, repr=False)
    certificate: bytes | None = None
    signs_requests: bool = False
    name_id_format: str = PERSISTENT
    wants_assertions_signed: bool = True
    wants_responses_signed: bool = False
    allows_cbc: bool = False
    clock_skew_ns: int = DEFAULT_SKEW_NS
    max_age_ns: int = DEFAULT_MAX_AGE_NS
    algorithms: Algorithms = STRICT
