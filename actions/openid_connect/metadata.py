"""What an issuer publishes about itself (OpenID Connect Discovery 1.0, section 3).

    issuer      is exactly the configured one, else nothing in the document counts (D2-8)
    endpoints   https; http only between loopback addresses
    addresses   an endpoint on the issuer's own host may be a private one, as the policy names
                that host; any other leads to public addresses only (T-SS-1)
    algorithms  not read: which ones we accept is not the provider's to say (OA-5)

The document is kept fresh; one that is not in order never replaces one that is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from actions.jose.strict_json import JsonError, parse_object
from actions.login.protocol import Asking, LoginRefused
from actions.oauth2.authorization_request import RESERVED
from actions.oauth2.client_authentication import BASIC, POST, Method
from actions.oauth2.pkce import METHOD
from actions.oauth2.refusals import PROVIDER_ERROR, RETRY_AFTER_S, UNREACHABLE
from actions.openid_connect.settings import MAX_URL, WELL_KNOWN, is_loopback, is_plain_url
from policy.effect import BadDocument, Document, GetDocument, Unavailable

NO_METADATA: Final = "no-metadata"
ISSUER_MISMATCH: Final = "issuer-mismatch"
ENDPOINT_MISSING: Final = "endpoint-missing"
ENDPOINT_INVALID: Final = "endpoint-invalid"
NO_CODE_FLOW: Final = "no-code-flow"
NO_CLIENT_AUTHENTICATION: Final = "no-client-authentication"
# The provider answers, but no second try will make that answer better.
REJECTED: Final = frozenset(
    {NO_METADATA, ISSUER_MISMATCH, ENDPOINT_MISSING, ENDPOINT_INVALID, NO_CODE_FLOW,
     NO_CLIENT_AUTHENTICATION}
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An endpoint that we call. `is_host_trusted` lets its address be a private one."""

    url: str
    is_host_trusted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """A provider, checked; None and "" for what it does not have.

    `pushed_authorization` is there if it is required (RFC 9126). `announces_issuer` promises that
    answers name the issuer (RFC 9207). `has_pkce` is false if the provider says which methods it
    knows, and S256 is not among them.
    """

    issuer: str
    authorization_url: str
    token: Place
    keys: Place
    userinfo: Place | None
    pushed_authorization: Place | None
    end_session_url: str
    client_authentication: Method
    announces_issuer: bool
    has_pkce: bool


@dataclass(frozen=True, slots=True)
class MetadataReader:
    """Reads the metadata of one issuer; two readers for the same one are equal."""

    issuer: str

    def __call__(self, data: bytes) -> Metadata:
        """Read a document; raises BadDocument."""
        try:
            members = parse_object(data)
        except JsonError:
            raise BadDocument(NO_METADATA) from None
        if members.get("issuer") != self.issuer:
            raise BadDocument(ISSUER_MISMATCH)
        if "code" not in _names(members, "response_types_supported", default=("code",)):
            raise BadDocument(NO_CODE_FLOW)
        methods = _names(members, "code_challenge_methods_supported", default=(METHOD,))
        end_session_url = self._url(members, "end_session_endpoint", is_required=False)
        return Metadata(
            issuer=self.issuer,
            authorization_url=_for_browsers(self._url(members, "authorization_endpoint")),
            token=self._place(members, "token_endpoint"),
            keys=self._place(members, "jwks_uri"),
            userinfo=self._optional(members, "userinfo_endpoint"),
            pushed_authorization=self._pushed_authorization(members),
            end_session_url=_for_browsers(end_session_url),
            client_authentication=_client_authentication(members),
            announces_issuer=members.get("authorization_response_iss_parameter_supported") is True,
            has_pkce=METHOD in methods,
        )

    def _url(self, members: Mapping[str, Any], name: str, *, is_required: bool = True) -> str:
        url = members.get(name)
        if url is None:
            if is_required:
                raise BadDocument(ENDPOINT_MISSING)
            return ""
        if not isinstance(url, str) or len(url) > MAX_URL or not is_plain_url(url):
            raise BadDocument(ENDPOINT_INVALID)
        is_local = is_loopback(self.issuer)
        if is_loopback(url) and not is_local:
            # From elsewhere to services of this machine that nobody else can reach (T-SS-1).
            raise BadDocument(ENDPOINT_INVALID)
        if not url.startswith("https://") and not (
            url.startswith("http://") and is_local and is_loopback(url)
        ):
            raise BadDocument(ENDPOINT_INVALID)
        return url

    def _place(self, members: Mapping[str, Any], name: str) -> Place:
        url = self._url(members, name)
        return Place(url=url, is_host_trusted=self._is_host_trusted(url))

    def _optional(self, members: Mapping[str, Any], name: str) -> Place | None:
        return None if members.get(name) is None else self._place(members, name)

    def _pushed_authorization(self, members: Mapping[str, Any]) -> Place | None:
        # Where it is only offered, plain requests are as good, and do not let everybody who asks
        # for a page make us call the provider.
        if members.get("require_pushed_authorization_requests") is not True:
            return None
        return self._place(members, "pushed_authorization_request_endpoint")

    def _is_host_trusted(self, url: str) -> bool:
        is_own = urlsplit(url).hostname == urlsplit(self.issuer).hostname
        return is_own or (is_loopback(url) and is_loopback(self.issuer))


def metadata_request(issuer: str) -> GetDocument:
    """Ask for the metadata of an issuer that a policy names."""
    return GetDocument(url=issuer.removesuffix("/") + WELL_KNOWN, parse=MetadataReader(issuer))


def get_metadata(issuer: str) -> Asking[Metadata | LoginRefused]:
    """Return what is known of a provider; it may be down, now or when we started."""
    answer: Document | Unavailable = yield metadata_request(issuer)
    if isinstance(answer, Document):
        metadata: Metadata = answer.value
        return metadata
    is_rejected = answer.reason in REJECTED
    return LoginRefused(
        status_code=502 if is_rejected else 503,
        reason="metadata-rejected" if is_rejected else "metadata-unavailable",
        error_code=PROVIDER_ERROR if is_rejected else UNREACHABLE,
        detail=f"the metadata of {issuer}: {answer.reason}",
        retry_after_s=None if is_rejected else RETRY_AFTER_S,
    )


def _for_browsers(url: str) -> str:
    """Check an address that gets parameters of ours: it must not have them already."""
    if any(name in RESERVED for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)):
        raise BadDocument(ENDPOINT_INVALID)
    return url


def _names(members: Mapping[str, Any], name: str, *, default: tuple[str, ...]) -> tuple[str, ...]:
    values = members.get(name)
    if values is None:
        return default
    return tuple(values) if isinstance(values, list) else ()


def _client_authentication(members: Mapping[str, Any]) -> Method:
    offered = _names(members, "token_endpoint_auth_methods_supported", default=(BASIC,))
    if BASIC in offered:
        return BASIC
    if POST in offered:
        return POST
    raise BadDocument(NO_CLIENT_AUTHENTICATION)
