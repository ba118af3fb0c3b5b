"""Sign-ins by SAML through the real listener, with messages and browsers that mean no good.

What a login does with a message is in tests/actions; here everything goes over sockets: each
misbehaviour ends in a page with a reference, without a session, and without a secret in any event.
"""

from __future__ import annotations

import asyncio
import json
import time
import zlib
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from lxml import etree
from yarl import URL

from actions.login.session import SESSIONS
from actions.saml.keys import own_method, sign
from actions.saml.names import DS, SAMLP
from policy.store import StoreFind
from tests import saml
from tests.actions.saml import rig
from tests.proxy.serving import Running, plan_for, serving, upstream

PAGE = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
ELSEWHERE = {**PAGE, "Origin": "https://idp.example.com", "Sec-Fetch-Site": "cross-site"}
NS = saml.NS


@dataclass
class Gate:
    """Penstock in front of an upstream, and a browser."""

    running: Running
    browser: aiohttp.ClientSession
    heads: list[str] = field(default_factory=list)

    @property
    def origin(self) -> str:
        # Under this name an endpoint without a URL knows its port by the request.
        return f"http://localhost:{self.running.port}"

    async def get(self, path: str, **headers: str) -> tuple[int, str, str]:
        shown = {**PAGE, **headers}
        # As it stands: a signature is over the octets of the query.
        url = URL(f"{self.origin}{path}", encoded=True)
        async with self.browser.get(url, allow_redirects=False, headers=shown) as answer:
            return answer.status, answer.headers.get("Location", ""), await answer.text()

    async def leave(self, path: str = "/") -> tuple[str, str]:
        """Open a page; return the id of our request and its relay state."""
        status, url, _ = await self.get(path)
        assert status == 302
        return rig.message_in(url).get("ID"), rig.relay_state_in(url)

    async def bring(self, fields: Any, **headers: str) -> tuple[int, str, str]:
        """Post a form to the assertion consumer, as a provider's page makes a browser do."""
        async with self.browser.post(
            f"{self.origin}/ngrok/saml/acs",
            data=fields,
            allow_redirects=False,
            headers={**ELSEWHERE, **headers},
        ) as answer:
            return answer.status, answer.headers.get("Location", ""), await answer.text()

    def sessions(self) -> int:
        store = self.running.server._data_plane.service.store
        return len(store.answer(StoreFind(kind=SESSIONS, limit=100)))

    async def reason(self, path: str = "/ngrok/saml/acs") -> str:
        event = await self.running.event(
            lambda each: each["object"]["http"]["request"]["url"]["path"] == path
        )
        decided: str = event["object"]["decision"]["reason"]
        return decided


@asynccontextmanager
async def gate(**config: Any) -> AsyncIterator[Gate]:
    async with (
        upstream() as app,
        serving(plan_for(app.port, rig.policy(**config))) as running,
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser,
    ):
        # A client of http would keep a Secure cookie back; browsers do not on loopback.
        browser.cookie_jar.filter_cookies = plain(browser.cookie_jar)  # type: ignore[method-assign]
        yield Gate(running, browser, app.heads)


def plain(jar: aiohttp.abc.AbstractCookieJar) -> Callable[..., Any]:
    from http.cookies import SimpleCookie

    def every(_url: Any) -> SimpleCookie:
        return SimpleCookie({each.key: each.value for each in jar})

    return every


def at(seconds: float = 0) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def response_to(request_id: str | None, origin: str, **changes: Any) -> saml.Response:
    """Return a response for this moment and this place."""
    acs, us = f"{origin}/ngrok/saml/acs", f"{origin}/ngrok/saml/metadata"
    answered = "" if request_id is None else f'InResponseTo="{request_id}"'
    audience = f"<saml:Audience>{us}</saml:Audience>"
    assertion = saml.Assertion(
        **{
            "issued": at(-2),
            "confirmation": f'Recipient="{acs}" {answered} NotOnOrAfter="{at(300)}"',
            "window": f'NotBefore="{at(-60)}" NotOnOrAfter="{at(300)}"',
            "conditions": f"<saml:AudienceRestriction>{audience}</saml:AudienceRestriction>",
            "authn": f'AuthnInstant="{at(-5)}" SessionIndex="s-1"',
            **changes,
        }
    )
    attrs = f'Destination="{acs}" {answered}'
    return saml.Response(attrs=attrs, issued=at(-1), assertion=assertion)


def form(root: Any, state: str | None = None) -> dict[str, str]:
    fields = {"SAMLResponse": saml.posted(root)}
    return fields if state is None else {**fields, "RelayState": state}


async def test_a_sign_in_in_good_order() -> None:
    async with gate() as door:
        request_id, state = await door.leave("/orders")
        root = saml.signed(response_to(request_id, door.origin))
        assert (await door.bring(form(root, state)))[:2] == (303, "/orders")
        assert (await door.get("/orders"))[0] == 200
        assert f"x-user: {saml.USER}" in door.heads[0].lower()
        assert "ngrok" not in door.heads[0]


def evil(root: Any) -> Any:
    """Return a copy of the assertion that speaks of somebody else, without a signature."""
    copy = etree.fromstring(etree.tostring(saml.one(root, "/samlp:Response/saml:Assertion")))
    for signature in copy.findall("ds:Signature", NS):
        copy.remove(signature)
    saml.one(copy, "//saml:NameID").text = saml.ADMIN
    copy.set("ID", "_evil")
    return copy


def beside(root: Any) -> Any:
    root.insert(2, evil(root))
    return root


def behind(root: Any) -> Any:
    root.append(evil(root))
    return root


def around(root: Any) -> Any:
    good = saml.one(root, "/samlp:Response/saml:Assertion")
    bad = evil(root)
    root.replace(good, bad)
    bad.append(good)
    return root


def in_extensions(root: Any) -> Any:
    good, bad = saml.one(root, "/samlp:Response/saml:Assertion"), evil(root)
    root.replace(good, bad)
    extensions = etree.Element(f"{{{SAMLP}}}Extensions")
    extensions.append(good)
    root.insert(1, extensions)
    return root


def in_signature(root: Any) -> Any:
    good, bad = saml.one(root, "/samlp:Response/saml:Assertion"), evil(root)
    signature = saml.one(good, "ds:Signature")
    root.replace(good, bad)
    bad.insert(1, signature)
    holder = etree.SubElement(signature, f"{{{DS}}}Object")
    holder.append(good)
    return root


def commented(root: Any) -> Any:
    name = saml.one(root, "//saml:NameID")
    name.text, comment = "admin@example.com", etree.Comment("x")
    comment.tail = ".evil.example"
    name.append(comment)
    return root


def stripped(root: Any) -> Any:
    for signature in root.xpath("//ds:Signature", namespaces=NS):
        signature.getparent().remove(signature)
    return root


ATTACKS: dict[str, Callable[[Any], Any]] = {
    "SA-1 an assertion before the signed one": beside,
    "SA-2 an assertion behind it": behind,
    "SA-3 around it": around,
    "SA-5 the signed one in Extensions": in_extensions,
    "SA-8 the signed one in the signature": in_signature,
    "SA-10 a comment in the name": commented,
    "SA-12 no signature": stripped,
}


@pytest.mark.parametrize("spoil", ATTACKS.values(), ids=ATTACKS)
@pytest.mark.parametrize("what", ["assertion", "both"])
async def test_signatures_that_are_wrapped_or_stripped(
    spoil: Callable[[Any], Any], what: str
) -> None:
    async with gate() as door:
        request_id, state = await door.leave()
        root = saml.signed(response_to(request_id, door.origin), what=what)
        status, _, text = await door.bring(form(spoil(root), state))
        assert status == 403
        assert "Reference" in text
        assert saml.ADMIN not in text
        assert (await door.reason()).startswith("saml-")
        assert door.sessions() == 0
        assert (await door.get("/"))[0] == 302
        assert door.heads == []


HUGE = b"<samlp:Response xmlns:samlp='%s'>" % SAMLP.encode() + b"<a>" * 200_000
BOMBS: dict[str, bytes] = {
    "SA-11 entities": b'<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><a>&b;</a>',
    "SA-11 an external entity": b'<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]><a>&a;</a>',
    "SA-11 depth": HUGE[:250_000],
    "SA-11 UTF-16": "<a/>".encode("utf-16"),
    "SA-11 attributes": b"<a " + b" ".join(b"a%d='1'" % n for n in range(20_000)) + b"/>",
    "SA-11 namespaces": b"<a "
    + b" ".join(b"xmlns:n%d='urn:%d'" % (n, n) for n in range(900))
    + b"/>",
}


@pytest.mark.parametrize("xml", BOMBS.values(), ids=BOMBS)
async def test_documents_that_would_hurt_a_parser(xml: bytes) -> None:
    async with gate() as door:
        _, state = await door.leave()
        begun = time.monotonic()
        assert (await door.bring(form(xml, state)))[0] == 403
        assert time.monotonic() - begun < 5
        assert door.sessions() == 0


async def test_sa_17_the_second_time_an_assertion_comes_it_is_refused() -> None:
    async with gate(allow_idp_initiated=True) as door:
        root = saml.signed(response_to(None, door.origin))
        answers = await asyncio.gather(*(door.bring(form(root)) for _ in range(8)))
        assert sorted(status for status, _, _ in answers) == [303, *[403] * 7]
        assert door.sessions() == 1


@pytest.mark.parametrize(
    "relay_state", ["//evil.example", "https://evil.example", "/\\evil", "\r\nX: 1"]
)
async def test_t_rd_3_a_relay_state_leads_nowhere(relay_state: str) -> None:
    async with gate(allow_idp_initiated=True) as door:
        root = saml.signed(response_to(None, door.origin))
        assert (await door.bring(form(root, relay_state)))[:2] == (303, "/")


async def test_sa_15_without_the_cookie_nobody_gets_in() -> None:
    async with gate() as door:
        request_id, state = await door.leave()
        door.browser.cookie_jar.clear()
        root = saml.signed(response_to(request_id, door.origin))
        status, _, text = await door.bring(form(root, state))
        assert status == 400
        assert "Reference" in text
        assert await door.reason() == "login-not-pending"
        assert door.sessions() == 0


async def test_sa_23_by_another_method_or_type_or_twice() -> None:
    async with gate() as door:
        request_id, state = await door.leave()
        fields = form(saml.signed(response_to(request_id, door.origin)), state)
        query = urlencode({"SAMLResponse": "PHg+", "RelayState": state})
        assert (await door.get(f"/ngrok/saml/acs?{query}"))[0] == 400
        assert (await door.bring(json.dumps(fields), **{"Content-Type": "application/json"}))[
            0
        ] == 400
        twice = urlencode([*fields.items(), *fields.items()])
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        assert (await door.bring(twice, **kind))[0] == 400
        parts = aiohttp.FormData(fields, default_to_multipart=True)
        assert (await door.bring(parts))[0] == 400
        # None of them has used the login up.
        assert (await door.bring(fields))[0] == 303


async def test_sa_14_what_is_for_another_address_is_refused() -> None:
    async with gate() as door:
        for origin in (f"{door.origin}0", f"{door.origin}.evil.example", "https://evil.example"):
            request_id, state = await door.leave()
            root = saml.signed(response_to(request_id, origin))
            assert (await door.bring(form(root, state)))[0] == 403
        assert door.sessions() == 0


async def test_sa_21_fields_of_other_profiles_change_nothing() -> None:
    async with gate() as door:
        status, _, _ = await door.get("/", PAOS='ver="urn:liberty:paos:2003-08"')
        assert status == 302
        assert door.heads == []


async def test_sa_19_a_logout_that_nobody_has_signed_ends_nothing() -> None:
    async with gate() as door:
        request_id, state = await door.leave()
        await door.bring(form(saml.signed(response_to(request_id, door.origin)), state))
        packed = urlencode({"SAMLRequest": saml.posted(rig.logout_message())})
        assert (await door.get(f"/ngrok/saml/slo?{packed}"))[0] == 400
        assert await door.reason("/ngrok/saml/slo") == "saml-signature-missing"
        assert door.sessions() == 1
        assert (await door.get("/"))[0] == 200


async def test_sa_19_a_message_that_inflates_to_a_lot_is_refused() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = b64encode(packer.compress(b" " * 4_000_000) + packer.flush()).decode()
    key = saml.idp().key
    query = f"SAMLRequest={quote_plus(bomb)}&SigAlg={quote_plus(own_method(key).uri)}"
    signature = b64encode(sign(key, query.encode())).decode()
    async with gate() as door:
        path = f"/ngrok/saml/slo?{query}&Signature={quote_plus(signature)}"
        assert (await door.get(path))[0] == 400
        assert await door.reason("/ngrok/saml/slo") == "saml-message-too-large"


async def test_a_logout_leaves_by_a_signed_address() -> None:
    async with gate() as door:
        request_id, state = await door.leave()
        await door.bring(form(saml.signed(response_to(request_id, door.origin)), state))
        status, url, _ = await door.get("/ngrok/logout")
        assert (status, url.split("?")[0]) == (302, saml.IDP_SLO)
        assert {"SAMLRequest", "RelayState", "SigAlg", "Signature"} == set(
            parse_qs(urlsplit(url).query)
        )
        assert door.sessions() == 0


async def test_a_flood_of_messages_does_not_stop_other_requests() -> None:
    async with gate(allow_idp_initiated=True) as door:
        request_id, state = await door.leave()
        await door.bring(form(saml.signed(response_to(request_id, door.origin)), state))
        root = saml.signed(response_to("_x", door.origin), signer=saml.attacker())
        flood = [asyncio.create_task(door.bring(form(root, "k"))) for _ in range(50)]
        for _ in range(20):
            assert (await door.get("/"))[0] == 200
        assert {status for status, _, _ in await asyncio.gather(*flood)} == {403}


async def test_oa_22_nothing_that_was_brought_is_in_any_event() -> None:
    async with gate() as door:
        request_id, state = await door.leave()
        root = saml.signed(response_to(request_id, door.origin))
        await door.bring(form(root, state))
        await door.get("/ngrok/logout")
        await door.running.event(lambda each: each["object"]["decision"]["reason"] == "logged-out")
        said = json.dumps(door.running.events()) + "".join(door.running.said)
        cookies = [each.value for each in door.browser.cookie_jar]
        secrets = [state, saml.posted(root)[:60], "PRIVATE KEY", *cookies]
        assert [each for each in secrets if each and each in said] == []
        logins = [each["object"]["saml"] for each in door.running.events()[:2]]
        assert [each["decision"] for each in logins] == ["block", "allow"]


@asynccontextmanager
async def published(content: list[bytes]) -> AsyncIterator[tuple[str, list[str]]]:
    """Serve metadata that may change, and tell what was asked for."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(body=content[0], content_type="application/samlmetadata+xml")

    app = web.Application()
    app.router.add_get("/metadata", answer)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    try:
        yield str(server.make_url("/metadata")), asked
    finally:
        await server.close()


async def test_sa_20_a_key_that_is_new_is_looked_for_once() -> None:
    new, content = saml.party("next"), [rig.metadata().encode()]
    async with (
        published(content) as (url, asked),
        gate(idp_metadata=None, idp_metadata_url=url) as door,
    ):
        request_id, state = await door.leave()
        content[0] = rig.metadata(signers=(saml.idp(), new)).encode()
        root = saml.signed(response_to(request_id, door.origin), signer=new)
        assert (await door.bring(form(root, state)))[0] == 303
        assert len(asked) == 2
        # Strangers do not make us fetch it again and again.
        door.browser.cookie_jar.clear()
        for _ in range(5):
            request_id, state = await door.leave()
            root = saml.signed(response_to(request_id, door.origin), signer=saml.attacker())
            assert (await door.bring(form(root, state)))[0] == 403
        assert len(asked) == 2


async def test_sa_20_metadata_that_is_spoilt_later_changes_nothing() -> None:
    content = [rig.metadata().encode()]
    async with (
        published(content) as (url, _),
        gate(idp_metadata=None, idp_metadata_url=url) as door,
    ):
        request_id, state = await door.leave()
        content[0] = b"<html/>"
        root = saml.signed(response_to(request_id, door.origin), signer=saml.attacker())
        assert (await door.bring(form(root, state)))[0] == 403
        request_id, state = await door.leave()
        root = saml.signed(response_to(request_id, door.origin))
        assert (await door.bring(form(root, state)))[0] == 303
