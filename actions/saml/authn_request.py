"""Our request for a sign-in, by the redirect binding (D3-24; SAML core, section 3.4)."""

from __future__ import annotations

from actions.saml.binding import redirect_url
from actions.saml.composing import child, message, octets
from actions.saml.keys import PrivateKey, load_private_key
from actions.saml.names import POST, SAMLP
from actions.saml.parties import IdentityProvider, ServiceProvider
from actions.saml.refusal import MessageRefused


def sign_in_url(
    request_id: str,
    now_ns: int,
    provider: IdentityProvider,
    service: ServiceProvider,
    *,
    relay_state: str,
    force_authn: bool = False,
    is_passive: bool = False,
) -> str:
    """Return where to send a browser to sign in.

    `request_id` is "_" and 128 random bits; `relay_state` an opaque key of at most 80 bytes. It is
    signed if we or the provider want it: raises MessageRefused when there is no key then.
    """
    xml = render_authn_request(
        request_id, now_ns, provider, service, force_authn=force_authn, is_passive=is_passive
    )
    key = _signing_key(provider, service)
    return redirect_url(provider.sign_in_url, "SAMLRequest", xml, relay_state=relay_state, key=key)


def render_authn_request(
    request_id: str,
    now_ns: int,
    provider: IdentityProvider,
    service: ServiceProvider,
    *,
    force_authn: bool,
    is_passive: bool,
) -> bytes:
    """Write the request itself."""
    more = {"ProtocolBinding": POST, "AssertionConsumerServiceURL": service.assertion_url}
    more |= {"ForceAuthn": "true"} if force_authn else {}
    more |= {"IsPassive": "true"} if is_passive else {}
    request = message(
        "AuthnRequest",
        request_id,
        now_ns,
        destination=provider.sign_in_url,
        service=service,
        more=more,
    )
    asked = {"Format": service.name_id_format} if service.name_id_format else {}
    child(request, SAMLP, "NameIDPolicy", AllowCreate="true", **asked)
    return octets(request)


def _signing_key(provider: IdentityProvider, service: ServiceProvider) -> PrivateKey | None:
    if not (provider.wants_requests_signed or service.signs_requests):
        return None
    if service.private_key is None:
        detail = "the provider wants requests signed, and there is no sp_private_key"
        raise MessageRefused(reason="signing-key-missing", detail=detail)
    return load_private_key(service.private_key)
