"""A browser in front of a policy with a SAML login, and the provider that it is sent to."""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from lxml import etree

from actions.login.session import SESSIONS
from actions.saml.binding import redirect_url
from actions.saml.names import DS, EMAIL, MD, POST, REDIRECT, SAML, SAMLP, SUCCESS
from policy.evaluation import Evaluation
from policy.store import StoreFind
from tests.actions.login.rig import NAVIGATION, Browser, Site, location
from tests.saml import (
    ACS,
    IDP,
    IDP_SLO,
    SLO,
    USER,
    Assertion,
    Party,
    Response,
    idp,
    instant,
    ours,
    posted,
    sign,
    signed,
)

ORIGIN = "https://app.example.com"
SSO = "https://idp.example.com/sso"
FROM_ELSEWHERE = (
    ("Accept", "text/html"),
    ("Content-Type", "application/x-www-form-urlencoded"),
    ("Origin", "https://idp.example.com"),
    ("Sec-Fetch-Site", "cross-site"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-Dest", "document"),
)
SESSION_COOKIE = "__Host-ngrok.default.session"
BROWSER_COOKIE = "__Host-ngrok.default.nonce"


def metadata(
    *,
    entity_id: str = IDP,
    signers: tuple[Party, ...] = (),
    logout: tuple[str, ...] = (REDIRECT, POST),
    attrs: str = "",
) -> str:
    """Write a provider's metadata."""
    keys = "".join(
        '<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>'
        f"{b64encode(each.certificate).decode()}"
        "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        for each in signers or (idp(),)
    )
    logouts = "".join(
        f'<md:SingleLogoutService Binding="{each}" Location="{IDP_SLO}"/>' for each in logout
    )
    return (
        f'<md:EntityDescriptor xmlns:md="{MD}" xmlns:ds="{DS}" entityID="{entity_id}" {attrs}>'
        f'<md:IDPSSODescriptor protocolSupportEnumeration="{SAMLP}">{keys}{logouts}'
        f'<md:SingleSignOnService Binding="{REDIRECT}" Location="{SSO}"/>'
        "</md:IDPSSODescriptor></md:EntityDescriptor>"
    )


def policy(**config: Any) -> str:
    """Write a policy with one login; a value of None leaves a field out."""
    fields = {
        "idp_metadata": metadata(),
        "nameid_format": "email",
        "sp_private_key": ours().pem.decode(),
        "sp_certificate": ours().certificate_pem,
        **config,
    }
    given = {name: value for name, value in fields.items() if value is not None}
    told = {
        "x-user": "${actions.ngrok.saml.identity.provider_user_id}",
        "x-mail": "${actions.ngrok.saml.identity.email}",
        "x-name": "${actions.ngrok.saml.identity.name}",
        "x-groups": "${actions.ngrok.saml.groups.join(',')}",
        "x-index": "${actions.ngrok.saml.session_index}",
        "x-expires": "${actions.ngrok.saml.expires_at}",
    }
    return json.dumps(
        {
            "on_http_request": [
                {
                    "actions": [
                        {"type": "saml", "config": given},
                        {"type": "add-headers", "config": {"headers": told}},
                    ]
                }
            ]
        }
    )


def site(*, url: str = ORIGIN, store: Any = None, **config: Any) -> Site:
    return Site(policy(**config), url=url, store=store)


def message_in(url: str, name: str = "SAMLRequest") -> Any:
    """Return the message that a redirect carries."""
    packed = b64decode(parse_qs(urlsplit(url).query)[name][0])
    return etree.fromstring(zlib.decompress(packed, -zlib.MAX_WBITS))


def relay_state_in(url: str) -> str:
    return parse_qs(urlsplit(url).query)["RelayState"][0]


def response_to(request_id: str | None, **changes: Any) -> Response:
    """Return the provider's response to a request; `changes` are of its assertion."""
    answered = "" if request_id is None else f'InResponseTo="{request_id}"'
    confirmation = f'Recipient="{ACS}" {answered} NotOnOrAfter="{instant(300)}"'
    return Response(
        attrs=f'Destination="{ACS}" {answered}',
        assertion=Assertion(**{"confirmation": confirmation, **changes}),
    )


def bring(browser: Browser, root: Any, relay_state: str | None, **more: Any) -> Evaluation:
    """Post a response, as a provider's page makes a browser do."""
    fields = {"SAMLResponse": root if isinstance(root, str) else posted(root)}
    if relay_state is not None:
        fields["RelayState"] = relay_state
    given = {"headers": FROM_ELSEWHERE, "body": urlencode(fields).encode(), **more}
    # What browsers keep back when another site posts.
    session = browser.cookies.pop(SESSION_COOKIE, None)
    answer = browser.ask("POST", "/ngrok/saml/acs", **given)
    if session is not None:
        browser.cookies.setdefault(SESSION_COOKIE, session)
    return answer


def leave(browser: Browser, target: str = "/") -> tuple[str, str]:
    """Open a page; return the id of our request and its relay state."""
    url = location(browser.get(target))
    return message_in(url).get("ID"), relay_state_in(url)


def log_in(browser: Browser, target: str = "/", **changes: Any) -> Evaluation:
    request_id, state = leave(browser, target)
    return bring(browser, signed(response_to(request_id, **changes)), state)


def told(evaluation: Evaluation) -> dict[str, str]:
    """Return what the upstream was told."""
    request = evaluation.upstream_request
    assert request is not None
    return {name.lower(): value for name, value in request.headers}


def sessions(at: Site) -> int:
    return len(at.store.answer(StoreFind(kind=SESSIONS, limit=1000)))


def logout_message(
    name: str = "LogoutRequest",
    *,
    id_: str = "_l1",
    name_id: str = f'<saml:NameID Format="{EMAIL}">{USER}</saml:NameID>',
    indexes: tuple[str, ...] = ("s-1",),
    in_response_to: str = "",
    status: str = SUCCESS,
) -> Any:
    """Return a message about a logout, as the provider writes it."""
    inside = name_id + "".join(
        f"<samlp:SessionIndex>{each}</samlp:SessionIndex>" for each in indexes
    )
    answered = ""
    if name == "LogoutResponse":
        inside = f'<samlp:Status><samlp:StatusCode Value="{status}"/></samlp:Status>'
        answered = f'InResponseTo="{in_response_to}"'
    return etree.fromstring(
        f'<samlp:{name} xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}" ID="{id_}" Version="2.0"'
        f' IssueInstant="{instant(-2)}" Destination="{SLO}" {answered}>'
        f"<saml:Issuer>{IDP}</saml:Issuer>{inside}</samlp:{name}>"
    )


def name_of(root: Any) -> Any:
    return "SAMLRequest" if etree.QName(root).localname == "LogoutRequest" else "SAMLResponse"


def by_redirect(
    browser: Browser, root: Any, *, relay_state: str | None = "theirs", signer: Any = None
) -> Evaluation:
    key = (signer or idp()).key
    url = redirect_url(SLO, name_of(root), etree.tostring(root), relay_state=relay_state, key=key)
    return browser.get(url.removeprefix(ORIGIN), headers=NAVIGATION)


def by_post(
    browser: Browser, root: Any, *, relay_state: str | None = "theirs", signer: Any = None
) -> Evaluation:
    sign(root, signer)
    fields = {name_of(root): posted(root)}
    if relay_state is not None:
        fields["RelayState"] = relay_state
    body = urlencode(fields).encode()
    return browser.ask("POST", "/ngrok/saml/slo", headers=FROM_ELSEWHERE, body=body)
