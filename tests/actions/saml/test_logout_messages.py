from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from actions.saml.assertion import NameId
from actions.saml.logout import (
    LogoutAccepted,
    LogoutRequest,
    LogoutResponse,
    Posted,
    validate_posted_logout,
    validate_redirected_logout,
)
from actions.saml.logout_messages import logout_request, logout_response, posted, redirected
from actions.saml.refusal import MessageRefused
from tests.exchanges import NOON_NS
from tests.saml import IDP, IDP_SLO, REQUEST_ID, SP, USER, party, provider, service

NAME_ID = NameId(value=USER, name_qualifier=IDP, sp_name_qualifier=SP)
PROVIDER = provider(entity_id=SP)


def them(kind: str) -> tuple[Any, Any]:
    """Return the other side's view: we are the provider, whose logout address is theirs."""
    ours = party("sp", kind)
    return provider(entity_id=SP, signing_certificates=(ours.certificate,)), service(
        entity_id=IDP, logout_url=IDP_SLO
    )


def messages(kind: str) -> list[Any]:
    us = service(private_key=party("sp", kind).pem)
    return [
        logout_request("_o1", NOON_NS, IDP_SLO, us, name_id=NAME_ID, session_index="s-1"),
        logout_request("_o1", NOON_NS, IDP_SLO, us, name_id=NAME_ID, session_index=None),
        logout_response("_o1", NOON_NS, IDP_SLO, us, in_response_to=REQUEST_ID),
    ]


@pytest.mark.parametrize("kind", ["rsa-2048", "P-256"])
@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("binding", ["redirect", "post"])
def test_what_we_send_is_accepted_by_the_other_side(kind: str, number: int, binding: str) -> None:
    us = service(private_key=party("sp", kind).pem)
    root = messages(kind)[number]
    by, at = them(kind)
    name: Any = "SAMLResponse" if number == 2 else "SAMLRequest"
    if binding == "redirect":
        url = redirected(root, name, us, "k")
        assert url.startswith(IDP_SLO)
        verdict = validate_redirected_logout(urlsplit(url).query, by, at, REQUEST_ID, NOON_NS)
    else:
        form = Posted(name=name, encoded=posted(root, us))
        verdict = validate_posted_logout(form, by, at, REQUEST_ID, NOON_NS)
    assert isinstance(verdict, LogoutAccepted), verdict
    if number == 2:
        assert isinstance(verdict.message, LogoutResponse)
        assert verdict.message.is_complete
    else:
        assert isinstance(verdict.message, LogoutRequest)
        assert verdict.message.name_id == NAME_ID
        assert verdict.message.session_indexes == (("s-1",) if number == 0 else ())


def test_without_a_key_nothing_is_sent() -> None:
    us = service(private_key=None)
    with pytest.raises(MessageRefused):
        posted(messages("rsa-2048")[0], us)
    with pytest.raises(MessageRefused):
        redirected(messages("rsa-2048")[0], "SAMLRequest", us, None)
