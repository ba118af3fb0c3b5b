"""Our own logout messages; always signed, as we want theirs to be (D3-25)."""

from __future__ import annotations

from lxml import etree

from actions.saml.assertion import NameId
from actions.saml.binding import MessageName, encode_posted, redirect_url
from actions.saml.composing import child, message, octets, signed_octets
from actions.saml.keys import load_private_key
from actions.saml.names import SAML, SAMLP, SUCCESS
from actions.saml.parties import ServiceProvider
from actions.saml.refusal import MessageRefused


def logout_request(
    request_id: str,
    now_ns: int,
    destination: str,
    service: ServiceProvider,
    *,
    name_id: NameId,
    session_index: str | None,
) -> etree._Element:
    """Ask the provider to end a session: `name_id` and the index as its assertion had them."""
    root = message("LogoutRequest", request_id, now_ns, destination=destination, service=service)
    qualifiers = {
        "NameQualifier": name_id.name_qualifier,
        "SPNameQualifier": name_id.sp_name_qualifier,
    }
    given = {name: value for name, value in qualifiers.items() if value is not None}
    child(root, SAML, "NameID", name_id.value, Format=name_id.format, **given)
    if session_index is not None:
        child(root, SAMLP, "SessionIndex", session_index)
    return root


def logout_response(
    response_id: str,
    now_ns: int,
    destination: str,
    service: ServiceProvider,
    *,
    in_response_to: str,
    status: str = SUCCESS,
) -> etree._Element:
    """Answer a provider's request."""
    root = message(
        "LogoutResponse",
        response_id,
        now_ns,
        destination=destination,
        service=service,
        more={"InResponseTo": in_response_to},
    )
    child(child(root, SAMLP, "Status"), SAMLP, "StatusCode", Value=status)
    return root


def redirected(
    root: etree._Element, name: MessageName, service: ServiceProvider, relay_state: str | None
) -> str:
    """Return where to send the browser with a message; raises MessageRefused without a key."""
    if service.private_key is None:
        raise MessageRefused(reason="signing-key-missing", detail="there is no sp_private_key")
    key = load_private_key(service.private_key)
    url = root.get("Destination", "")
    return redirect_url(url, name, octets(root), relay_state=relay_state, key=key)


def posted(root: etree._Element, service: ServiceProvider) -> str:
    """Return a form field's value with a message; raises MessageRefused without a key."""
    return encode_posted(signed_octets(root, service))
