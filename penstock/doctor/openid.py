"""Examines an OpenID provider: what it publishes, whether that fits, and what is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from actions.jose.key_set import KeySet, parse_key_set
from actions.jose.strict_json import JsonError, parse_object
from actions.oauth2.client_authentication import BASIC, Client
from actions.oauth2.pkce import METHOD
from actions.oauth2.token_endpoint import Granted, NotGranted, TokenEndpoint
from actions.openid_connect.metadata import (
    ENDPOINT_INVALID,
    Metadata,
    MetadataReader,
    Place,
    metadata_request,
)
from actions.openid_connect.settings import OpenIdSettings, is_loopback
from actions.openid_connect.signed_claims import ACCEPTED
from penstock.doctor.finding import Finding, doubtful, fine, unseen, wrong
from penstock.doctor.logins import Login
from penstock.doctor.network import Answer, ask, check_answered, get
from penstock.doctor.probe import probe
from penstock.doctor.registration import check_logout_uris
from policy.effect import BadDocument, Fetched
from proxy.fetcher import Fetcher

USUAL_ALGORITHM: Final = "RS256"
NEEDED: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")
OTHERS: Final = ("userinfo_endpoint", "end_session_endpoint")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Evidence:
    """What a provider answered.

    `members` is its metadata as JSON, None if it has none; `metadata` the same as a login would
    take it, None if it would not, because of `rejected`.
    """

    login: Login
    settings: OpenIdSettings
    discovery: Answer
    members: Mapping[str, Any] | None
    metadata: Metadata | None
    rejected: str = ""
    keys: Answer | None = None
    probe: Granted | NotGranted | None = None

    @property
    def answers(self) -> list[Answer]:
        """All answers that came."""
        return [each for each in (self.discovery, self.keys) if each is not None]

    def names(self, member: str) -> tuple[str, ...] | None:
        """Return a list of the metadata; None if it is not there."""
        value = (self.members or {}).get(member)
        return tuple(map(str, value)) if isinstance(value, list) else None


async def gather(
    login: Login, settings: OpenIdSettings, fetcher: Fetcher, redirect_uri: str | None
) -> Evidence:
    """Ask a provider; with a `redirect_uri` its token endpoint, too."""
    discovery = await ask(fetcher, get(metadata_request(settings.issuer_url).url))
    members, metadata, rejected = _read(discovery, settings.issuer_url)
    keys, probed = None, None
    if metadata is not None:
        place = metadata.keys
        keys = await ask(fetcher, get(place.url, is_host_trusted=place.is_host_trusted))
        if redirect_uri is not None:
            endpoint = _token_endpoint(login, metadata)
            probed = await probe(fetcher, endpoint, redirect_uri) if endpoint else None
    return Evidence(
        login=login,
        settings=settings,
        discovery=discovery,
        members=members,
        metadata=metadata,
        rejected=rejected,
        keys=keys,
        probe=probed,
    )


def _read(answer: Answer, issuer: str) -> tuple[Mapping[str, Any] | None, Metadata | None, str]:
    if not isinstance(answer.result, Fetched) or answer.result.status_code != 200:
        return None, None, ""
    data = answer.result.body
    try:
        members = parse_object(data)
    except JsonError:
        return None, None, ""
    try:
        return members, MetadataReader(issuer)(data), ""
    except BadDocument as bad:
        return members, None, bad.reason


def _token_endpoint(login: Login, metadata: Metadata) -> TokenEndpoint | None:
    if not login.client_id or not login.client_secret or login.unresolved:
        return None
    place: Place = metadata.token
    client = Client(
        id=login.client_id, secret=login.client_secret, method=metadata.client_authentication
    )
    return TokenEndpoint(url=place.url, client=client, is_host_trusted=place.is_host_trusted)


# --- the examination ---------------------------------------------------------------------------


def check_discovery(on: Evidence) -> Finding:
    """Look at whether there is a document, and whether it is JSON."""
    unanswered = check_answered("discovery", on.discovery)
    if unanswered is not None:
        return unanswered
    if on.members is None:
        return wrong(
            "discovery",
            f"{on.discovery.url}: no JSON object, or one with a member twice",
            "open the URL in a browser: it may be a login page, or another service",
        )
    return fine("discovery", on.discovery.url)


def check_issuer(on: Evidence) -> Finding | None:
    """Compare the document's issuer with the configured one: they have to be the same text."""
    if on.members is None:
        return None
    named, wanted = on.members.get("issuer"), on.settings.issuer_url
    if named == wanted:
        return fine("issuer", wanted)
    if not isinstance(named, str):
        return wrong("issuer", "the document names none", "this is no OpenID provider")
    return wrong(
        "issuer",
        f"the document is of {named!r}, the policy says {wanted!r}",
        f"write issuer_url: {named}"
        if named.rstrip("/").lower() == wanted.rstrip("/").lower()
        else "check which of the two is the right one; a proxy in front of the provider may hide "
        "its public name from it",
    )


def check_endpoints(on: Evidence) -> Finding | None:
    """Look at the addresses that the document names."""
    if on.members is None:
        return None
    missing = [name for name in NEEDED if not on.members.get(name)]
    if missing:
        return wrong("endpoints", f"the document has no {', '.join(missing)}", "tell the provider")
    insecure = [name for name in (*NEEDED, *OTHERS) if _is_insecure(on.members.get(name))]
    if insecure:
        return wrong(
            "endpoints",
            f"not https: {', '.join(insecure)}",
            "set the provider's public URL to https; behind a proxy it has to be told of "
            "X-Forwarded-Proto",
        )
    if on.rejected == ENDPOINT_INVALID:
        return wrong("endpoints", "one of them can't be used", "look for spaces, users, fragments")
    absent = [name for name in OTHERS if not on.members.get(name)]
    return fine("endpoints", f"https; no {', '.join(absent)}" if absent else "https")


def _is_insecure(url: object) -> bool:
    return isinstance(url, str) and not url.startswith("https://") and not is_loopback(url)


def check_flow(on: Evidence) -> Finding | None:
    """Look at whether codes are given."""
    if on.members is None:
        return None
    types = on.names("response_types_supported")
    if types is not None and "code" not in types:
        return wrong(
            "code flow",
            f"the provider offers {', '.join(types) or 'nothing'}",
            "allow the authorization code flow at the provider",
        )
    return fine("code flow", "offered" if types else "not spoken of")


def check_pkce(on: Evidence) -> Finding | None:
    """Look at whether stolen codes are worthless."""
    if on.members is None:
        return None
    methods = on.names("code_challenge_methods_supported")
    if methods is None:
        return doubtful("PKCE", "not spoken of; it is used all the same", "ask the provider")
    if METHOD not in methods:
        return doubtful(
            "PKCE",
            f"{METHOD} is not among {', '.join(methods) or 'none'}",
            "allow it at the provider: without it a stolen code is worth something",
        )
    return fine("PKCE", METHOD)


def check_algorithms(on: Evidence) -> Finding | None:
    """Look at how tokens may be signed."""
    if on.members is None:
        return None
    offered = on.names("id_token_signing_alg_values_supported") or (USUAL_ALGORITHM,)
    usable = [name for name in offered if name in ACCEPTED]
    if not usable:
        return wrong(
            "algorithms",
            f"tokens are signed with {', '.join(offered)}",
            "let it sign with a key that it publishes: RS256, ES256, EdDSA",
        )
    return fine("algorithms", ", ".join(usable))


def check_client_authentication(on: Evidence) -> Finding | None:
    """Look at how the token endpoint wants to be shown the secret."""
    if on.members is None:
        return None
    offered = on.names("token_endpoint_auth_methods_supported") or (BASIC,)
    if on.metadata is None:
        return unseen("client authentication", f"the provider offers {', '.join(offered)}")
    return fine("client authentication", on.metadata.client_authentication)


def check_scopes(on: Evidence) -> Finding | None:
    """Look at whether the provider knows what is asked for."""
    if on.members is None:
        return None
    offered = on.names("scopes_supported")
    asked = on.settings.asked_scopes
    unknown = [each for each in asked if offered is not None and each not in offered]
    if unknown:
        return doubtful(
            "scopes",
            f"the provider does not list {', '.join(unknown)}",
            "allow them for this client, or remove them from 'scopes'",
        )
    return fine("scopes", ", ".join(asked))


def check_keys(on: Evidence) -> Finding | None:
    """Look at the keys that tokens are signed with."""
    if on.keys is None:
        return None
    unanswered = check_answered("keys", on.keys)
    if unanswered is not None or not isinstance(on.keys.result, Fetched):
        return unanswered
    try:
        keys = parse_key_set(on.keys.result.body)
    except BadDocument as bad:
        return wrong("keys", f"{on.keys.url}: {bad.reason}", "let it publish RSA or EC keys")
    if not _fits_any(keys):
        return wrong("keys", "there are only secrets among them", "let it publish RSA or EC keys")
    left_out = f"; left out: {'; '.join(keys.refused)}" if keys.refused else ""
    return fine("keys", f"{len(keys.keys)} that can be used{left_out}")


def _fits_any(keys: KeySet) -> bool:
    return any(key.fits(algorithm) for key in keys.keys for algorithm in ACCEPTED.values())


def check_as_login_sees_it(on: Evidence) -> Finding | None:
    """Say what a login would say, if nothing above has explained it."""
    if on.members is None or on.metadata is not None:
        return None
    return wrong("metadata", f"logins refuse the document: {on.rejected}", "see above")


def check_logout(on: Evidence) -> Finding | None:
    """Show what to register for logging out."""
    if on.members is None:
        return None
    return check_logout_uris(
        on.login,
        has_end_session=bool(on.members.get("end_session_endpoint")),
        has_backchannel=on.members.get("backchannel_logout_supported") is True,
    )


Check: TypeAlias = Callable[[Evidence], Finding | None]
CHECKS: Final[tuple[Check, ...]] = (
    check_discovery,
    check_issuer,
    check_endpoints,
    check_flow,
    check_pkce,
    check_algorithms,
    check_client_authentication,
    check_scopes,
    check_as_login_sees_it,
    check_keys,
    check_logout,
)
