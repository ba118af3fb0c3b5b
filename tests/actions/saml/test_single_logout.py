"""Logging out on both sides, whoever begins."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from actions.login.session import SESSIONS
from actions.saml.logout import validate_posted_logout, validate_redirected_logout
from actions.saml.names import EMAIL, PERSISTENT, POST, REDIRECT, RESPONDER, SUCCESS
from policy.evaluation import Evaluation
from policy.memory_store import MemoryStore
from policy.store import StoreDelete, StoreUnavailable
from tests.actions.login.rig import Browser, field_of, location, reason, status
from tests.actions.saml.rig import (
    FROM_ELSEWHERE,
    ORIGIN,
    SESSION_COOKIE,
    by_post,
    by_redirect,
    log_in,
    logout_message,
    message_in,
    metadata,
    relay_state_in,
    sessions,
    site,
)
from tests.exchanges import NOON_NS
from tests.saml import ADMIN, IDP_SLO, NS, SP, USER, attacker, idp, posted, sign

Bring = Callable[..., Evaluation]
BINDINGS = pytest.mark.parametrize("bring", [by_redirect, by_post])


def logged_in(**config: Any) -> Browser:
    alice = Browser(site(**config))
    log_in(alice)
    return alice


def form_in(answer: Evaluation) -> tuple[str, dict[str, str]]:
    """Return where a page takes its form, and the fields."""
    assert answer.response is not None
    text = answer.response.body.decode()
    action = re.search(r'<form method="post" action="([^"]+)">', text)
    fields = re.findall(r'name="([^"]+)" value="([^"]*)"', text)
    assert action is not None
    return unescape(action[1]), {name: unescape(value) for name, value in fields}


def test_a_logout_goes_on_at_the_provider_and_comes_back() -> None:
    alice = logged_in()
    away = alice.get("/ngrok/logout")
    url = location(away)
    assert (status(away), url.split("?")[0]) == (302, IDP_SLO)
    assert SESSION_COOKIE not in alice.cookies
    assert sessions(alice.site) == 0
    request = message_in(url)
    assert request.findtext("saml:Issuer", namespaces=NS) == SP
    assert request.findtext("saml:NameID", namespaces=NS) == USER
    assert request.findtext("samlp:SessionIndex", namespaces=NS) == "s-1"
    assert "&SigAlg=" in url

    answer = logout_message("LogoutResponse", in_response_to=request.get("ID"))
    back = by_redirect(alice, answer, relay_state=relay_state_in(url))
    assert (status(back), reason(back)) == (200, "logged-out")
    assert back.response is not None
    assert b"You are signed out" in back.response.body


def test_a_logout_leads_where_it_was_asked_to() -> None:
    alice = logged_in()
    url = location(alice.get("/ngrok/logout?redirect_path=/bye"))
    answer = logout_message("LogoutResponse", in_response_to=message_in(url).get("ID"))
    back = by_post(alice, answer, relay_state=relay_state_in(url))
    assert (status(back), location(back)) == (302, "/bye")


def test_a_provider_that_is_not_content_is_noted() -> None:
    alice = logged_in()
    url = location(alice.get("/ngrok/logout"))
    answer = logout_message(
        "LogoutResponse", in_response_to=message_in(url).get("ID"), status=RESPONDER
    )
    back = by_redirect(alice, answer, relay_state=relay_state_in(url))
    assert reason(back) == "logged-out"
    assert back.exchange.warnings == [f"logout: the provider says {RESPONDER}"]


def test_by_post_a_page_takes_the_request_along() -> None:
    alice = logged_in(idp_metadata=metadata(logout=(POST,)))
    page = alice.get("/ngrok/logout")
    assert status(page) == 200
    url, fields = form_in(page)
    assert (url, set(fields)) == (IDP_SLO, {"SAMLRequest", "RelayState"})
    assert SESSION_COOKIE not in alice.cookies
    policy = field_of(page, "content-security-policy")
    assert "script-src 'sha256-" in policy
    assert "unsafe" not in policy


LOCAL: dict[str, dict[str, Any]] = {
    "no key of ours": {"sp_private_key": None, "sp_certificate": None},
    "no logout there": {"idp_metadata": metadata(logout=())},
}


@pytest.mark.parametrize("config", LOCAL.values(), ids=LOCAL)
def test_where_the_provider_can_not_be_told_the_logout_is_ours(config: dict[str, Any]) -> None:
    alice = logged_in(**config)
    answer = alice.get("/ngrok/logout")
    assert (status(answer), reason(answer)) == (200, "logged-out")
    assert sessions(alice.site) == 0


@BINDINGS
def test_the_provider_ends_a_session_and_is_told(bring: Bring) -> None:
    alice = logged_in()
    # Its message may come by any browser.
    answer = bring(Browser(alice.site), logout_message())
    assert reason(answer) == "logged-out"
    assert sessions(alice.site) == 0
    if bring is by_redirect:
        url = location(answer)
        root, state = message_in(url, "SAMLResponse"), relay_state_in(url)
    else:
        url, fields = form_in(answer)
        state = fields["RelayState"]
        root = None
    assert (url.split("?")[0], state) == (IDP_SLO, "theirs")
    if root is not None:
        assert root.get("InResponseTo") == "_l1"
        code = root.find("samlp:Status/samlp:StatusCode", NS)
        assert code is not None
        assert code.get("Value") == SUCCESS
    assert status(alice.get("/")) == 302


def test_the_browser_s_own_cookie_goes_with_its_session() -> None:
    alice = logged_in()
    answer = by_redirect(alice, logout_message())
    assert "Max-Age=0" in field_of(answer, "set-cookie")
    assert field_of(by_redirect(alice, logout_message(id_="_l2")), "set-cookie") == ""


def test_without_indexes_all_sessions_of_a_user_end() -> None:
    alice = logged_in()
    other = Browser(alice.site)
    log_in(other, id="_a2", authn='AuthnInstant="2026-03-01T11:59:30Z" SessionIndex="s-2"')
    assert sessions(alice.site) == 2
    by_redirect(Browser(alice.site), logout_message(indexes=()))
    assert sessions(alice.site) == 0


OTHERS: dict[str, dict[str, Any]] = {
    "another user": {"name_id": f'<saml:NameID Format="{EMAIL}">{ADMIN}</saml:NameID>'},
    "another format": {"name_id": f'<saml:NameID Format="{PERSISTENT}">{USER}</saml:NameID>'},
    "another qualifier": {
        "name_id": f'<saml:NameID NameQualifier="urn:x" Format="{EMAIL}">{USER}</saml:NameID>'
    },
    "for another service": {
        "name_id": f'<saml:NameID SPNameQualifier="urn:x" Format="{EMAIL}">{USER}</saml:NameID>'
    },
    "another session": {"indexes": ("s-9",)},
}


@pytest.mark.parametrize("changes", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("indexes", [("s-1",), ()])
@BINDINGS
def test_sa_19_sessions_that_are_not_meant_stay(
    bring: Bring, indexes: tuple[str, ...], changes: dict[str, Any]
) -> None:
    alice = logged_in()
    bring(Browser(alice.site), logout_message(**{"indexes": indexes, **changes}))
    assert sessions(alice.site) == 1


def test_a_session_of_another_service_stays() -> None:
    alice = logged_in()
    elsewhere = site(store=alice.site.store, entity_id="urn:another-service")
    by_redirect(Browser(elsewhere), logout_message())
    assert sessions(alice.site) == 1


@BINDINGS
def test_sa_19_a_message_counts_once(bring: Bring) -> None:
    alice = logged_in()
    bring(alice, logout_message())
    log_in(alice, id="_a2")
    again = bring(Browser(alice.site), logout_message())
    assert (status(again), reason(again)) == (400, "saml-replayed")
    assert sessions(alice.site) == 1


@BINDINGS
def test_sa_19_a_message_of_somebody_else_ends_nothing(bring: Bring) -> None:
    alice = logged_in()
    answer = bring(alice, logout_message(), signer=attacker())
    assert (status(answer), reason(answer)) == (400, "saml-signature-invalid")
    assert answer.response is not None
    assert b"can&#x27;t be completed" in answer.response.body
    assert sessions(alice.site) == 1


def query(root: Any, **changes: str) -> str:
    from lxml import etree

    from actions.saml.binding import redirect_url

    url = redirect_url("x", "SAMLRequest", etree.tostring(root), relay_state="k", key=idp().key)
    text = urlsplit(url).query
    for old, new in changes.items():
        text = text.replace(f"{old}=", f"{new}=")
    return text


SPOILT: dict[str, tuple[str, str]] = {
    "not signed": (query(logout_message()).split("&SigAlg")[0], "saml-signature-missing"),
    "no algorithm": (query(logout_message(), SigAlg="Other"), "saml-signature-missing"),
    "re-ordered": (
        "RelayState=k&" + query(logout_message()).replace("RelayState=k&", ""),
        "saml-query-parameters",
    ),
    "twice": (query(logout_message()) + "&SAMLRequest=x", "saml-query-parameters"),
    "request and answer": (query(logout_message()) + "&SAMLResponse=x", "saml-query-parameters"),
    "another relay state": (
        query(logout_message()).replace("RelayState=k", "RelayState=j"), "saml-signature-invalid",
    ),
    "nothing": ("", "saml-query-parameters"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), SPOILT.values(), ids=SPOILT)
def test_sa_19_a_query_that_is_not_in_order(text: str, expected: str) -> None:
    alice = logged_in()
    answer = alice.get(f"/ngrok/saml/slo?{text}")
    assert (status(answer), reason(answer)) == (400, expected)
    assert sessions(alice.site) == 1


def test_a_posted_message_without_a_signature() -> None:
    alice = logged_in()
    body = urlencode({"SAMLRequest": posted(logout_message())}).encode()
    answer = alice.ask("POST", "/ngrok/saml/slo", headers=FROM_ELSEWHERE, body=body)
    assert (status(answer), reason(answer)) == (400, "saml-signature-missing")
    assert sessions(alice.site) == 1


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE"])
def test_other_methods_end_nothing(method: str) -> None:
    alice = logged_in()
    answer = alice.ask(method, f"/ngrok/saml/slo?{query(logout_message())}")
    assert (status(answer), reason(answer)) == (400, "saml-logout-malformed")
    assert sessions(alice.site) == 1


def test_two_messages_in_a_form_are_none() -> None:
    root = logout_message()
    sign(root)
    body = urlencode({"SAMLRequest": posted(root), "SAMLResponse": posted(root)}).encode()
    answer = logged_in().ask("POST", "/ngrok/saml/slo", headers=FROM_ELSEWHERE, body=body)
    assert reason(answer) == "saml-logout-malformed"


ANSWERS = {"none": None, "empty": "", "too long": "k" * 200, "another": "k" * 43}


@pytest.mark.parametrize("relay_state", ANSWERS.values(), ids=ANSWERS)
@BINDINGS
def test_an_answer_to_no_logout_of_ours_is_refused(bring: Bring, relay_state: str | None) -> None:
    alice = logged_in()
    request_id = message_in(location(Browser(alice.site).get("/"))).get("ID")
    answer = logout_message("LogoutResponse", in_response_to=request_id)
    got = bring(alice, answer, relay_state=relay_state)
    assert (status(got), reason(got)) == (400, "saml-in-response-to")


def test_an_answer_that_comes_too_late_is_refused() -> None:
    alice = logged_in()
    url = location(alice.get("/ngrok/logout"))
    alice.site.store = MemoryStore(now=lambda: NOON_NS / 1e9)
    answer = logout_message("LogoutResponse", in_response_to=message_in(url).get("ID"))
    got = by_redirect(alice, answer, relay_state=relay_state_in(url))
    assert (status(got), reason(got)) == (400, "saml-logout-not-pending")


@BINDINGS
def test_without_a_key_the_sessions_end_and_the_browser_stays(bring: Bring) -> None:
    alice = logged_in(sp_private_key=None, sp_certificate=None)
    answer = bring(alice, logout_message())
    assert (status(answer), reason(answer)) == (200, "logged-out")
    assert sessions(alice.site) == 0


class Stuck(MemoryStore):
    """A store that removes no session."""

    def answer(self, effect: Any) -> Any:
        if isinstance(effect, StoreDelete) and effect.kind is SESSIONS:
            return StoreUnavailable(reason="down")
        return super().answer(effect)


def test_a_session_that_can_not_be_ended_is_told_to_the_provider() -> None:
    alice = logged_in(store=Stuck(now=lambda: NOON_NS / 1e9))
    answer = by_redirect(alice, logout_message())
    root = message_in(location(answer), "SAMLResponse")
    code = root.find("samlp:Status/samlp:StatusCode", NS)
    assert code is not None
    assert code.get("Value") == RESPONDER
    assert field_of(answer, "set-cookie") == ""


def test_our_messages_are_signed_by_us() -> None:
    from tests.saml import ours, provider, service

    us = provider(entity_id=SP, signing_certificates=(ours().certificate,))
    them = service(entity_id="urn:idp", logout_url=IDP_SLO)
    alice = logged_in()
    query_text = urlsplit(location(alice.get("/ngrok/logout"))).query
    verdict = validate_redirected_logout(query_text, us, them, None, NOON_NS)
    assert all(check.passed for check in verdict.checks)
    assert parse_qs(query_text)["RelayState"]


def test_our_posted_answers_are_signed_by_us() -> None:
    from actions.saml.logout import Posted
    from tests.saml import ours, provider, service

    us = provider(entity_id=SP, signing_certificates=(ours().certificate,))
    them = service(entity_id="urn:idp", logout_url=IDP_SLO)
    alice = logged_in()
    _, fields = form_in(by_post(alice, logout_message()))
    given = Posted(name="SAMLResponse", encoded=fields["SAMLResponse"])
    verdict = validate_posted_logout(given, us, them, "_l1", NOON_NS)
    assert all(check.passed for check in verdict.checks)


def test_the_other_binding_serves_where_the_provider_has_only_that() -> None:
    alice = logged_in(idp_metadata=metadata(logout=(REDIRECT,)))
    answer = by_post(alice, logout_message())
    assert (status(answer), location(answer).split("?")[0]) == (302, IDP_SLO)
    assert ORIGIN not in location(answer)
