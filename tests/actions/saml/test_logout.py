from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from actions.saml.assertion import NameId
from actions.saml.binding import redirect_url
from actions.saml.logout import (
    LogoutAccepted,
    LogoutRequest,
    LogoutResponse,
    LogoutVerdict,
    Posted,
    is_same_subject,
    validate_posted_logout,
    validate_redirected_logout,
)
from actions.saml.names import EMAIL, SAML, SAMLP, SUCCESS, UNSPECIFIED, UNSPECIFIED_2
from actions.saml.response import Refusal
from tests.exchanges import NOON_NS
from tests.saml import (
    ADMIN,
    IDP,
    REQUEST_ID,
    S_NS,
    SLO,
    SP,
    USER,
    attacker,
    idp,
    instant,
    posted,
    provider,
    service,
    sign,
)

ISSUER = f"<saml:Issuer>{IDP}</saml:Issuer>"
NAME_ID = f'<saml:NameID Format="{EMAIL}">{USER}</saml:NameID>'
INDEX = "<samlp:SessionIndex>s-1</samlp:SessionIndex>"
STATUS = f'<samlp:Status><samlp:StatusCode Value="{SUCCESS}"/></samlp:Status>'


def message(
    name: str = "LogoutRequest",
    *,
    attrs: str = f'Destination="{SLO}"',
    issued: str = instant(-2),
    version: str = "2.0",
    issuer: str = ISSUER,
    inside: str = NAME_ID + INDEX,
) -> Any:
    return etree.fromstring(
        f'<samlp:{name} xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}" ID="_l1" Version="{version}"'
        f' IssueInstant="{issued}" {attrs}>{issuer}{inside}</samlp:{name}>'
    )


def answer(in_response_to: str = REQUEST_ID, **changes: Any) -> Any:
    attrs = f'Destination="{SLO}" InResponseTo="{in_response_to}"'
    return message("LogoutResponse", **{"attrs": attrs, "inside": STATUS, **changes})


def name_of(root: Any) -> Any:
    return "SAMLRequest" if etree.QName(root).localname == "LogoutRequest" else "SAMLResponse"


def by_redirect(
    root: Any, *, request_id: str | None = REQUEST_ID, signer: Any = None, **changes: Any
) -> LogoutVerdict:
    url = redirect_url(
        SLO, name_of(root), etree.tostring(root), relay_state="k", key=(signer or idp()).key
    )
    return validate_redirected_logout(
        urlsplit(url).query, provider(**changes), service(), request_id, NOON_NS
    )


def by_post(
    root: Any, *, request_id: str | None = REQUEST_ID, signer: Any = None, **changes: Any
) -> LogoutVerdict:
    sign(root, signer)
    form = Posted(name=name_of(root), encoded=posted(root), relay_state="k")
    return validate_posted_logout(form, provider(**changes), service(), request_id, NOON_NS)


BINDINGS = pytest.mark.parametrize("judge", [by_redirect, by_post])
Judge = Callable[..., LogoutVerdict]


def reason(verdict: LogoutVerdict) -> str:
    if isinstance(verdict, Refusal):
        assert any(not check.passed for check in verdict.checks)
        return verdict.reason
    assert all(check.passed for check in verdict.checks)
    return "accepted"


@BINDINGS
def test_a_request_says_whose_sessions_end(judge: Judge) -> None:
    verdict = judge(message(attrs=f'Destination="{SLO}" NotOnOrAfter="{instant(60)}"'))
    assert isinstance(verdict, LogoutAccepted)
    assert verdict.message == LogoutRequest(
        id="_l1",
        name_id=NameId(value=USER, format=EMAIL),
        session_indexes=("s-1",),
        not_on_or_after_ns=NOON_NS + 60 * S_NS,
    )
    assert verdict.relay_state == "k"
    assert verdict.use_once_until_ns == NOON_NS + (600 - 2 + 60) * S_NS + 1
    assert pickle.loads(pickle.dumps(verdict)) == verdict


@BINDINGS
def test_a_request_may_name_several_sessions_or_none(judge: Judge) -> None:
    for inside, indexes in ((NAME_ID, ()), (NAME_ID + INDEX * 2, ("s-1", "s-1"))):
        verdict = judge(message(inside=inside))
        assert isinstance(verdict, LogoutAccepted)
        assert isinstance(verdict.message, LogoutRequest)
        assert verdict.message.session_indexes == indexes


@BINDINGS
def test_a_response_answers_our_request(judge: Judge) -> None:
    verdict = judge(answer())
    assert isinstance(verdict, LogoutAccepted)
    assert verdict.message == LogoutResponse(
        id="_l1", in_response_to=REQUEST_ID, status=SUCCESS, is_complete=True
    )
    assert reason(judge(answer("_other"))) == "in-response-to"
    assert reason(judge(answer(), request_id=None)) == "in-response-to"


@BINDINGS
def test_a_logout_may_be_incomplete(judge: Judge) -> None:
    partial = "urn:oasis:names:tc:SAML:2.0:status:PartialLogout"
    inside = STATUS.replace("/></samlp:Status>", f'><samlp:StatusCode Value="{partial}"/>'
                                                 "</samlp:StatusCode></samlp:Status>")  # fmt: skip
    verdict = judge(answer(inside=inside))
    assert isinstance(verdict, LogoutAccepted)
    assert isinstance(verdict.message, LogoutResponse)
    assert not verdict.message.is_complete


@BINDINGS
@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"attrs": ""}, "destination"),
        ({"attrs": f'Destination="{SLO}/"'}, "destination"),
        ({"attrs": f'Destination="{SLO[:-1]}"'}, "destination"),
        ({"version": "1.1"}, "version"),
        ({"issuer": ""}, "issuer"),
        ({"issuer": "<saml:Issuer>https://x.test</saml:Issuer>"}, "issuer"),
        ({"issued": instant(61)}, "issue-instant"),
        ({"issued": instant(-661)}, "issue-instant"),
        ({"attrs": f'Destination="{SLO}" NotOnOrAfter="{instant(-60)}"'}, "expired"),
        ({"attrs": f'Destination="{SLO}" NotOnOrAfter="{instant(-59)}"'}, "accepted"),
        ({"inside": "<saml:NameID/>"}, "name-id-invalid"),
        ({"inside": ""}, "schema"),
        ({"inside": NAME_ID * 2}, "schema"),
        ({"attrs": f'Destination="{SLO}" Other="x"'}, "schema"),
    ],
)
def test_a_request_must_be_in_order_sa_19(judge: Judge, changes: Any, outcome: str) -> None:
    if outcome == "issuer" and not changes["issuer"] and judge is by_post:
        changes = {**changes, "issuer": "<saml:Issuer/>"}
    assert reason(judge(message(**changes))) == outcome


@BINDINGS
def test_only_the_provider_can_log_out_sa_19(judge: Judge) -> None:
    assert reason(judge(message(), signer=attacker())) == "signature-invalid"
    assert reason(judge(answer(), signer=attacker())) == "signature-invalid"


@BINDINGS
def test_metadata_that_has_expired_is_not_believed(judge: Judge) -> None:
    assert reason(judge(message(), valid_until_ns=NOON_NS)) == "metadata-expired"


def test_an_unsigned_message_is_refused_sa_19() -> None:
    for root in (message(), answer()):
        form = Posted(name=name_of(root), encoded=posted(root))
        verdict = validate_posted_logout(form, provider(), service(), REQUEST_ID, NOON_NS)
        assert reason(verdict) == "signature-missing"
        url = redirect_url(SLO, name_of(root), etree.tostring(root), relay_state=None, key=None)
        query = urlsplit(url).query
        verdict = validate_redirected_logout(query, provider(), service(), REQUEST_ID, NOON_NS)
        assert reason(verdict) == "signature-missing"


def test_a_changed_message_is_refused_sa_19() -> None:
    root = message()
    sign(root)
    root.find("{*}NameID").text = ADMIN
    form = Posted(name="SAMLRequest", encoded=posted(root))
    verdict = validate_posted_logout(form, provider(), service(), None, NOON_NS)
    assert reason(verdict) == "signature-digest"


def test_a_relay_state_is_bounded() -> None:
    root = message()
    sign(root)
    for length, outcome in ((2048, "accepted"), (2049, "relay-state")):
        form = Posted(name="SAMLRequest", encoded=posted(root), relay_state="k" * length)
        verdict = validate_posted_logout(form, provider(), service(), None, NOON_NS)
        assert reason(verdict) == outcome


def test_a_signature_belongs_to_one_place_only() -> None:
    root = message()
    sign(root)
    assert reason(by_redirect(root)) == "signature-misplaced"


def test_a_message_is_what_its_field_says() -> None:
    root = message()
    sign(root)
    form = Posted(name="SAMLResponse", encoded=posted(root))
    verdict = validate_posted_logout(form, provider(), service(), None, NOON_NS)
    assert reason(verdict) == "not-a-logout"


def test_a_query_is_judged_octet_for_octet_sa_19() -> None:
    root = message()
    url = redirect_url(SLO, "SAMLRequest", etree.tostring(root), relay_state="k", key=idp().key)
    query = urlsplit(url).query
    for changed in (
        query.replace("RelayState=k", "RelayState=x"),
        query + "&RelayState=k",
        "&".join(reversed(query.split("&"))),
        query.partition("&SigAlg")[0],
        query.replace("sha256", "sha384"),
        query.replace("SigAlg=", "SigAlg=" + quote_plus("x")),
    ):
        verdict = validate_redirected_logout(changed, provider(), service(), None, NOON_NS)
        assert isinstance(verdict, Refusal)


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({}, True),
        ({"name_qualifier": IDP}, True),
        ({"sp_name_qualifier": SP}, True),
        ({"name_qualifier": "https://x.test"}, False),
        ({"sp_name_qualifier": ""}, False),
        ({"value": USER.upper()}, False),
        ({"format": UNSPECIFIED}, False),
    ],
)
def test_qualifiers_that_are_left_out_are_implied(changes: Any, *, same: bool) -> None:
    mine = NameId(value=USER, format=EMAIL)
    other = NameId(**{"value": USER, "format": EMAIL, **changes})
    assert is_same_subject(mine, other, provider(), service()) is same


def test_unspecified_has_two_names() -> None:
    one, other = (NameId(value="x", format=each) for each in (UNSPECIFIED, UNSPECIFIED_2))
    assert is_same_subject(one, other, provider(), service())


@given(st.binary(max_size=60))
def test_any_form_is_judged(data: bytes) -> None:
    form = Posted(name="SAMLRequest", encoded=posted(data))
    verdict = validate_posted_logout(form, provider(), service(), None, NOON_NS)
    assert isinstance(verdict, Refusal)
