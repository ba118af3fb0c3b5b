"""Who gets a session by a response, and who does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from actions.login.session import PENDING_LOGINS, SESSIONS
from actions.saml.answer import USED_MESSAGES
from actions.saml.names import MD
from policy.memory_store import MemoryStore
from policy.store import Kind, StorePut, StoreUnavailable
from tests.actions.login.rig import NAVIGATION, Browser, Site, field_of, location, reason, status
from tests.actions.saml import rig
from tests.actions.saml.rig import bring, leave, log_in, response_to, sessions, site, told
from tests.exchanges import NOON_NS
from tests.saml import (
    ADMIN,
    IDP,
    USER,
    Response,
    attacker,
    attribute,
    encrypted,
    instant,
    party,
    posted,
    signed,
)

DAY_S = 86_400


def test_a_sign_in_leads_to_the_page_and_tells_who_it_is() -> None:
    alice = Browser(site())
    answer = log_in(alice, "/orders?page=2")
    assert (status(answer), location(answer), reason(answer)) == (
        303, "/orders?page=2", "logged-in",
    )  # fmt: skip
    headers = told(alice.get("/orders?page=2"))
    assert headers["x-user"] == headers["x-mail"] == USER
    assert (headers["x-groups"], headers["x-index"]) == ("staff,eng", "s-1")
    assert headers["x-expires"] == "2026-03-02T12:00:00Z"
    assert "cookie" not in headers


def test_t_ck_1_the_cookie_of_a_login_crosses_sites_and_the_session_s_does_not() -> None:
    alice = Browser(site())
    away = field_of(alice.get("/"), "set-cookie")
    assert away.startswith(f"{rig.BROWSER_COOKIE}=")
    assert away.endswith("; HttpOnly; Secure; SameSite=None")
    back = field_of(log_in(alice), "set-cookie")
    assert back.startswith(f"{rig.SESSION_COOKIE}=")
    assert back.endswith("; HttpOnly; Secure; SameSite=Lax")


def test_a_request_is_signed_and_nobody_can_foresee_its_id() -> None:
    alice = Browser(site())
    url = location(alice.get("/"))
    request = rig.message_in(url)
    assert url.startswith(f"{rig.SSO}?SAMLRequest=")
    assert len(request.get("ID")) == 65
    assert len(rig.relay_state_in(url)) == 43
    assert "&SigAlg=" in url
    assert request.get("ForceAuthn") is None
    assert rig.message_in(location(alice.get("/"))).get("ID") != request.get("ID")
    again = rig.message_in(location(alice.get("/ngrok/login")))
    assert again.get("ForceAuthn") == "true"


def test_without_a_key_requests_are_not_signed() -> None:
    alice = Browser(site(sp_private_key=None, sp_certificate=None))
    assert "&SigAlg=" not in location(alice.get("/"))
    assert status(log_in(alice)) == 303


def test_a_provider_that_wants_signatures_from_us_without_a_key() -> None:
    wants = 'WantAuthnRequestsSigned="true" protocolSupport'
    wanting = rig.metadata().replace("protocolSupport", wants)
    alice = Browser(site(idp_metadata=wanting, sp_private_key=None, sp_certificate=None))
    answer = alice.get("/")
    assert (status(answer), reason(answer)) == (500, "saml-signing-key-missing")


def test_the_browser_s_old_session_ends_though_it_is_not_shown() -> None:
    at = site()
    alice = Browser(at)
    log_in(alice)
    before = alice.cookies[rig.SESSION_COOKIE]
    url = location(alice.get("/ngrok/login"))
    root = signed(response_to(rig.message_in(url).get("ID"), id="_a2"))
    assert status(bring(alice, root, rig.relay_state_in(url))) == 303
    assert alice.cookies[rig.SESSION_COOKIE] != before
    assert sessions(at) == 1


def wrong_browser(browser: Browser) -> None:
    browser.cookies[rig.BROWSER_COOKIE] = "A" * 43


def no_browser(browser: Browser) -> None:
    browser.cookies.clear()


@pytest.mark.parametrize("change", [wrong_browser, no_browser])
def test_sa_15_another_browser_gets_nothing(change: Callable[[Browser], None]) -> None:
    at = site()
    alice = Browser(at)
    request_id, state = leave(alice)
    change(alice)
    answer = bring(alice, signed(response_to(request_id)), state)
    assert (status(answer), reason(answer)) == (400, "login-not-pending")
    assert field_of(answer, "set-cookie") == ""
    assert sessions(at) == 0


REFUSED: dict[str, tuple[Callable[[str], Any], str]] = {
    "SA-12 not signed": (
        lambda i: signed(response_to(i), what="nothing"), "saml-assertion-not-signed",
    ),
    "SA-12 by somebody else": (
        lambda i: signed(response_to(i), signer=attacker()), "saml-signature-invalid",
    ),
    "SA-12 changed afterwards": (
        lambda i: changed(signed(response_to(i))), "saml-signature-digest",
    ),
    "SA-15 answers another request": (
        lambda i: signed(response_to("_other")), "saml-in-response-to",
    ),
    "SA-15 answers none": (lambda i: signed(response_to(None)), "saml-in-response-to"),
    "SA-16 too late": (
        lambda i: signed(response_to(i, window=f'NotOnOrAfter="{instant(-61)}"')), "saml-expired",
    ),
    "SA-18 encrypted for nobody": (
        lambda i: encrypted(response_to(i), to=attacker()), "saml-decryption-failed",
    ),
    "SA-23 junk": (lambda i: "!!!", "saml-message-encoding"),
    "SA-11 a document type": (
        lambda i: posted(b"<!DOCTYPE r [<!ENTITY e 'x'>]><r/>"), "saml-xml-document-type",
    ),
    "the provider says no": (
        lambda i: signed(
            Response(status='<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:X"/>')
        ),
        "saml-status",
    ),
}  # fmt: skip


def changed(root: Any) -> Any:
    name = next(root.iter("{*}NameID"))
    name.text = ADMIN
    return root


@pytest.mark.parametrize(("make", "expected"), REFUSED.values(), ids=REFUSED)
def test_a_response_that_is_not_in_order(make: Callable[[str], Any], expected: str) -> None:
    at = site()
    alice = Browser(at)
    request_id, state = leave(alice)
    answer = bring(alice, make(request_id), state)
    assert (status(answer), reason(answer)) == (403, expected)
    assert answer.response is not None
    assert b"This sign-in was not accepted" in answer.response.body
    assert b"Reference <code>" in answer.response.body
    assert sessions(at) == 0
    # The login is used up, whatever came of it.
    again = bring(alice, signed(response_to(request_id)), state)
    assert reason(again) == "login-not-pending"


def form(**fields: str) -> bytes:
    return "&".join(f"{name}={value}" for name, value in fields.items()).encode()


MALFORMED: dict[str, dict[str, Any]] = {
    "by GET": {"method": "GET"},
    "by PUT": {"method": "PUT"},
    "another type": {"headers": (("Content-Type", "text/plain"),)},
    "JSON": {"headers": (("Content-Type", "application/json"),)},
    "no type": {"headers": ()},
    "two responses": {"body": b"SAMLResponse=a&SAMLResponse=b"},
    "two relay states": {"body": b"SAMLResponse=a&RelayState=b&RelayState=c"},
    "no response": {"body": b"RelayState=b"},
    "nothing": {"body": b""},
    "not ASCII": {"body": b"SAMLResponse=\xff"},
    "no fields": {"body": b"SAMLResponse"},
    "too many fields": {"body": b"SAMLResponse=a" + b"&x=1" * 20},
    "too long": {"body": b"SAMLResponse=" + b"A" * 600_000},
}


@pytest.mark.parametrize("case", MALFORMED.values(), ids=MALFORMED)
@pytest.mark.parametrize("idp_initiated", [False, True])
def test_sa_23_what_is_no_form_with_one_response(
    case: dict[str, Any], *, idp_initiated: bool
) -> None:
    at = site(allow_idp_initiated=idp_initiated)
    alice = Browser(at)
    leave(alice)
    given = {"headers": rig.FROM_ELSEWHERE, "body": b"SAMLResponse=a", **case}
    method = given.pop("method", "POST")
    answer = alice.ask(method, "/ngrok/saml/acs", **given)
    assert (status(answer), reason(answer)) == (400, "callback-malformed")
    assert sessions(at) == 0


def test_a_login_of_long_ago_is_begun_anew() -> None:
    at = site()
    alice = Browser(at)
    request_id, state = leave(alice, "/orders")
    at.pass_time(901)
    answer = bring(alice, signed(response_to(request_id)), state)
    assert (status(answer), reason(answer)) == (400, "login-took-too-long")
    assert answer.response is not None
    assert b"/ngrok/login?redirect_path=/orders" in answer.response.body


def test_sa_15_a_sign_in_that_nobody_asked_for_is_refused() -> None:
    at = site()
    answer = bring(Browser(at), signed(response_to(None)), None)
    assert (status(answer), reason(answer)) == (400, "login-not-pending")


HOSTILE = ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:1", "a" * 5000]


@pytest.mark.parametrize("relay_state", [None, "", *HOSTILE])
def test_t_rd_3_a_sign_in_of_the_provider_leads_to_the_start_page(relay_state: str | None) -> None:
    alice = Browser(site(allow_idp_initiated=True))
    answer = bring(alice, signed(response_to(None)), relay_state)
    assert (status(answer), location(answer)) == (303, "/")
    assert told(alice.get("/"))["x-user"] == USER


def test_sa_15_an_answer_to_somebody_else_s_request_is_no_sign_in_of_the_provider() -> None:
    at = site(allow_idp_initiated=True)
    request_id, state = leave(Browser(at))
    answer = bring(Browser(at), signed(response_to(request_id)), state)
    assert (status(answer), reason(answer)) == (403, "saml-in-response-to")


def test_sa_17_an_assertion_counts_once_on_all_replicas() -> None:
    store = MemoryStore(now=lambda: NOON_NS / 1e9)
    root = signed(response_to(None))
    one, other = (site(allow_idp_initiated=True, store=store) for _ in range(2))
    assert status(bring(Browser(one), root, None)) == 303
    for at in (one, other):
        answer = bring(Browser(at), root, None)
        assert (status(answer), reason(answer)) == (403, "saml-replayed")
    assert sessions(one) == 1


def test_d3_20_a_forced_login_wants_fresh_credentials() -> None:
    alice = Browser(site())
    url = location(alice.get("/ngrok/login"))
    request_id, state = rig.message_in(url).get("ID"), rig.relay_state_in(url)
    old = response_to(request_id, authn=f'AuthnInstant="{instant(-61)}" SessionIndex="s"')
    assert reason(bring(alice, signed(old), state)) == "saml-authn-instant"


@pytest.mark.parametrize(("age_s", "expected"), [(-599, "logged-in"), (-700, "saml-authn-instant")])
def test_force_authn_holds_for_sign_ins_of_the_provider_too(age_s: int, expected: str) -> None:
    at = site(allow_idp_initiated=True, force_authn=True)
    given = response_to(None, authn=f'AuthnInstant="{instant(age_s)}" SessionIndex="s"')
    assert reason(bring(Browser(at), signed(given), None)) == expected


def test_the_provider_s_end_of_a_session_counts() -> None:
    at = site()
    alice = Browser(at)
    log_in(alice, authn=f'AuthnInstant="{instant(-5)}" SessionNotOnOrAfter="{instant(600)}"')
    assert told(alice.get("/"))["x-expires"] == instant(600)
    at.pass_time(600)
    assert reason(alice.get("/")) == "session-max-duration-reached"


GROUPS = {
    "in one": (["eng", "admins"], "logged-in"),
    "in none": (["admins"], "saml-group-refused"),
    "other case": (["Staff"], "saml-group-refused"),
    "part of a name": (["staf"], "saml-group-refused"),
}


@pytest.mark.parametrize(("groups", "expected"), GROUPS.values(), ids=GROUPS)
def test_groups_decide_who_may_pass(groups: list[str], expected: str) -> None:
    at = site(authorized_groups=groups)
    answer = log_in(Browser(at))
    assert reason(answer) == expected
    assert status(answer) == (303 if expected == "logged-in" else 403)
    assert sessions(at) == (expected == "logged-in")


def test_whoever_has_no_groups_is_in_none() -> None:
    answer = log_in(Browser(site(authorized_groups=["staff"])), attributes="")
    assert reason(answer) == "saml-group-refused"


def test_attributes_are_named_as_the_policy_says() -> None:
    names = {"email": "urn:mail", "name": "cn"}
    alice = Browser(site(attributes=names, groups_attribute="roles"))
    log_in(
        alice,
        attributes=attribute("urn:mail", "Ada@Example.com")
        + attribute("cn", "Ada Lovelace")
        + attribute("roles", "one", "two", "one")
        + attribute("name", "somebody else"),
    )
    headers = told(alice.get("/"))
    assert (headers["x-mail"], headers["x-name"]) == ("Ada@example.com", "Ada Lovelace")
    assert headers["x-groups"] == "one,two"


@pytest.mark.parametrize("values", [(), ("a@example.com", "b@example.com"), ("no address",)])
def test_an_address_that_is_not_just_one_is_none(values: tuple[str, ...]) -> None:
    alice = Browser(site(attributes={"email": "mail"}, nameid_format="unspecified"))
    name_id = "<saml:NameID>x-1</saml:NameID>"
    log_in(alice, name_id=name_id, attributes=attribute("mail", *values) if values else "")
    assert "x-mail" not in told(alice.get("/"))


CHANGES: dict[str, dict[str, Any]] = {
    "groups": {"authorized_groups": ["admins"]},
    "name": {"nameid_format": "unspecified"},
    "stricter signatures": {"want_responses_signed": True},
    "our name": {"entity_id": "urn:other"},
    "their name": {"idp_entity_id": IDP},
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_a_changed_policy_ends_sessions(changes: dict[str, Any]) -> None:
    at = site()
    alice = Browser(at)
    log_in(alice)
    changed_site = site(store=at.store, **changes)
    alice.site = changed_site
    same = not set(changes) - {"idp_entity_id"}
    assert status(alice.get("/")) == (200 if same else 302)


def test_browsers_would_lose_the_cookie_on_plain_http() -> None:
    answer = Browser(site(url="http://app.example.com")).get("/")
    assert (status(answer), reason(answer)) == (500, "saml-needs-https")


def test_on_loopback_the_cookie_is_secure_without_https() -> None:
    given = field_of(Browser(site(url="http://127.0.0.1:4000")).get("/"), "set-cookie")
    assert given.startswith("ngrok.default.nonce=")
    assert given.endswith("; HttpOnly; Secure; SameSite=None")


class Failing(MemoryStore):
    """A store that does not take one kind of record."""

    def __init__(self, kind: Kind[Any]) -> None:
        super().__init__(now=lambda: NOON_NS / 1e9)
        self.kind = kind

    def answer(self, effect: Any) -> Any:
        if effect.kind is self.kind and isinstance(effect, StorePut):
            return StoreUnavailable(reason="down")
        return super().answer(effect)


@pytest.mark.parametrize("kind", [PENDING_LOGINS, USED_MESSAGES, SESSIONS], ids=lambda k: k.name)
def test_a_store_that_fails_lets_nobody_in(kind: Kind[Any]) -> None:
    alice = Browser(site(store=Failing(kind)))
    answer = alice.get("/")
    if status(answer) == 302:
        url = location(answer)
        root = signed(response_to(rig.message_in(url).get("ID")))
        answer = bring(alice, root, rig.relay_state_in(url))
    assert (status(answer), reason(answer)) == (503, "store-unavailable")
    assert rig.SESSION_COOKIE not in alice.cookies


def test_what_was_looked_at_is_told_check_by_check() -> None:
    alice = Browser(site(authorized_groups=["staff"]))
    told_by = log_in(alice).trace.own_path
    assert told_by is not None
    subjects = {each.subject for each in told_by.checks}
    assert {"assertion signature", "audience", "subject confirmation", "groups"} <= subjects
    assert all(each.passed for each in told_by.checks)


def test_a_script_is_told_to_log_in_and_a_page_is_led_there() -> None:
    alice = Browser(site())
    scripted = (("Accept", "application/json"), ("Sec-Fetch-Mode", "cors"))
    assert status(alice.get("/api", headers=scripted)) == 401
    assert status(alice.get("/", headers=NAVIGATION)) == 302


def fetched(at: Site, **contents: bytes | None) -> Browser:
    at.contents = lambda url: contents.get("url" if url.startswith("https:") else "file")
    return Browser(at)


URL: dict[str, Any] = {
    "idp_metadata": None,
    "idp_metadata_url": "https://idp.example.com/metadata.xml",
}
FILE: dict[str, Any] = {"idp_metadata": None, "idp_metadata_file": "/etc/penstock/idp metadata.xml"}


def test_metadata_from_a_url_and_from_a_file() -> None:
    content = rig.metadata().encode()
    for alice in (fetched(site(**URL), url=content), fetched(site(**FILE), file=content)):
        assert status(log_in(alice)) == 303
        assert told(alice.get("/"))["x-user"] == USER


UNUSABLE: dict[str, tuple[bytes | None, int, str]] = {
    "not there": (None, 503, "metadata-unavailable"),
    "no metadata": (b"<html/>", 502, "metadata-rejected"),
    "no XML": (b"{}", 502, "metadata-rejected"),
    "too old": (
        rig.metadata(attrs=f'validUntil="{instant(0)}"').encode(), 502, "metadata-rejected",
    ),
    "two providers": (
        f'<md:EntitiesDescriptor xmlns:md="{MD}">{rig.metadata()}'
        f'{rig.metadata(entity_id="urn:other")}</md:EntitiesDescriptor>'.encode(),
        502,
        "metadata-rejected",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("content", "code", "expected"), UNUSABLE.values(), ids=UNUSABLE)
def test_metadata_of_no_use(content: bytes | None, code: int, expected: str) -> None:
    answer = fetched(site(**URL), url=content).get("/")
    assert (status(answer), reason(answer)) == (code, expected)


def test_of_two_providers_the_policy_names_one() -> None:
    content = UNUSABLE["two providers"][0]
    assert status(log_in(fetched(site(idp_entity_id=IDP, **URL), url=content))) == 303
    other = fetched(site(idp_entity_id="urn:nobody", **URL), url=content)
    assert reason(other.get("/")) == "metadata-rejected"


def test_metadata_that_ended_meanwhile_accepts_nothing() -> None:
    content = rig.metadata(attrs=f'validUntil="{instant(10)}"')
    at = site(idp_metadata=content)
    alice = Browser(at)
    request_id, state = leave(alice)
    at.pass_time(10)
    assert reason(bring(alice, signed(response_to(request_id)), state)) == "saml-metadata-expired"


def test_a_session_outlives_metadata_that_can_not_be_had() -> None:
    at = site(**URL)
    alice = fetched(at, url=rig.metadata().encode())
    log_in(alice)
    at.contents = lambda _url: None
    assert told(alice.get("/"))["x-user"] == USER


def test_a_key_that_nobody_has_announced_is_refused_without_a_newer_document() -> None:
    alice = fetched(site(**URL), url=rig.metadata().encode())
    request_id, state = leave(alice)
    root = signed(response_to(request_id), signer=party("next"))
    assert reason(bring(alice, root, state)) == "saml-signature-invalid"
