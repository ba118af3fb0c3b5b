"""Logins through the real listener, with a provider and browsers that mean no good.

What a login does is in tests/actions; here everything goes over sockets: each misbehaviour ends in
a page with a reference, without a session, and without a secret in any event.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from actions.login.session import PENDING_LOGINS
from tests.openid_provider import CLIENT_ID, CLIENT_SECRET, Provider
from tests.proxy.gate import NAVIGATION, POLICY, Gate, gate
from tests.proxy.provider_on_a_port import ServedProvider, served_provider
from tests.proxy.serving import plan_for, serving, upstream
from tests.tokens import RS256, Signer, rsa_key

OTHER = Signer("RS256", rsa_key(1), kid="k1")


async def test_a_login_in_good_order() -> None:
    async with gate() as door:
        back = await door.leave("/orders")
        assert (await door.come_back(back))[:2] == (302, "/orders")
        assert (await door.get("/orders"))[0] == 200
        assert len(door.heads) == 1
        assert "ngrok" not in door.heads[0]


BAD_TOKENS: dict[str, tuple[dict[str, Any], int, str]] = {
    "OA-6 wrong issuer": ({"id_token": {"iss": "https://evil.example"}}, 502, "id-token-rejected"),
    "OA-6 wrong audience": ({"id_token": {"aud": "other"}}, 502, "id-token-rejected"),
    "OA-6 another's token": (
        {"id_token": {"aud": ["other"], "azp": CLIENT_ID}}, 502, "id-token-rejected",
    ),
    "OA-6 several audiences": (
        {"id_token": {"aud": [CLIENT_ID, "other"]}}, 502, "id-token-rejected",
    ),
    "OA-6 wrong azp": ({"id_token": {"azp": "other"}}, 502, "id-token-rejected"),
    "OA-3 wrong nonce": ({"id_token": {"nonce": "other"}}, 400, "nonce-mismatch"),
    "OA-3 no nonce": ({"id_token": {"nonce": ...}}, 400, "nonce-mismatch"),
    "OA-3 nonce waived": (
        {"id_token": {"nonce": ..., "nonce_supported": False}}, 400, "nonce-mismatch",
    ),
    "OA-6 expired": ({"id_token": {"exp": 1_600_000_000}}, 502, "id-token-rejected"),
    "OA-6 no expiry": ({"id_token": {"exp": ...}}, 502, "id-token-rejected"),
    "OA-6 from the future": ({"id_token": {"iat": 4_000_000_000}}, 502, "id-token-rejected"),
    "OA-6 wrong at_hash": ({"id_token": {"at_hash": "AAAA"}}, 502, "id-token-rejected"),
    "OA-6 no subject": ({"id_token": {"sub": ...}}, 502, "id-token-rejected"),
    "OA-6 userinfo of another": (
        {"userinfo": {"sub": "somebody else"}}, 502, "userinfo-of-other-user",
    ),
    "OA-8 no id_token": ({"token": {"id_token": ...}}, 502, "id-token-rejected"),
    "OA-8 token_type mac": ({"token": {"token_type": "mac"}}, 502, "provider-answer-unusable"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "status", "reason"), BAD_TOKENS.values(), ids=BAD_TOKENS)
async def test_tokens_that_are_not_in_order(
    changes: dict[str, dict[str, Any]], status: int, reason: str
) -> None:
    async with gate(Provider(changes=changes)) as door:
        back = await door.leave()
        answer = await door.come_back(back)
        assert (answer[0], await door.reason()) == (status, reason)
        assert "Reference" in answer[2]
        assert door.sessions() == 0
        assert (await door.get("/"))[0] == 302
        assert door.heads == []


async def test_a_token_that_the_provider_s_keys_have_not_signed() -> None:
    async with gate(Provider(signer=OTHER, keys=[RS256])) as door:
        assert (await door.come_back(await door.leave()))[0] == 502
        assert door.sessions() == 0


async def test_a_key_that_is_new_is_fetched_once() -> None:
    async with gate() as door:
        await door.come_back(await door.leave())
        door.provider.signer = OTHER
        door.provider.keys = [RS256, Signer("RS256", rsa_key(1), kid="k2")]
        door.provider.signer = Signer("RS256", rsa_key(1), kid="k2")
        door.browser.cookie_jar.clear()
        assert (await door.come_back(await door.leave()))[0] == 302
        assert door.served.asked("/jwks") == 2


Bad = Callable[[ServedProvider], Any]
BAD_ENDPOINTS: dict[str, tuple[Bad, int]] = {
    "OA-8 a stall": (lambda served: served.stall, 502),
    "OA-8 a redirect": (lambda served: served.redirect, 502),
    "OA-8 no end": (lambda served: served.huge, 502),
}


@pytest.mark.parametrize(("bad", "status"), BAD_ENDPOINTS.values(), ids=BAD_ENDPOINTS)
@pytest.mark.parametrize("path", ["/token", "/userinfo"])
async def test_endpoints_that_misbehave(path: str, bad: Bad, status: int) -> None:
    async with gate() as door:
        back = await door.leave()
        door.served.instead[path] = bad(door.served)
        answer = await door.come_back(back)
        assert answer[0] == status
        assert "Reference" in answer[2]
        assert door.sessions() == 0
        assert door.served.asked("/elsewhere") == 0
        assert door.served.asked(path) == 1


@pytest.mark.parametrize("bad", [each[0] for each in BAD_ENDPOINTS.values()], ids=BAD_ENDPOINTS)
@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/jwks"])
async def test_documents_that_do_not_come_refuse_everybody(path: str, bad: Bad) -> None:
    async with served_provider() as served, upstream() as app:
        served.instead[path] = bad(served)
        policy = POLICY.format(
            issuer=served.issuer, client_id=CLIENT_ID, client_secret=CLIENT_SECRET
        )
        async with (
            serving(plan_for(app.port, policy)) as running,
            aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser,
        ):
            door = Gate(running, served, browser, app.heads)
            status, location, _ = await door.get("/")
            if status == 302:
                status, _, _ = await door.come_back(served.provider.authorize(location))
            assert status == 503
            assert door.sessions() == 0
            assert app.heads == []


async def test_oa_5_metadata_of_another_issuer() -> None:
    changes = {"metadata": {"issuer": "https://evil.example"}}
    async with gate(Provider(changes=changes)) as door:
        assert (await door.get("/"))[0] == 502


CALLBACKS: dict[str, Callable[[dict[str, str]], dict[str, str]]] = {
    "OA-4 another issuer": lambda back: {**back, "iss": "https://evil.example"},
    "OA-4 no issuer": lambda back: {name: back[name] for name in ("code", "state")},
    "OA-1 altered state": lambda back: {**back, "state": back["state"][::-1]},
    "no code": lambda back: {name: back[name] for name in ("iss", "state")},
    "OA-19 an error with markup": lambda back: {
        "state": back["state"],
        "iss": back["iss"],
        "error": "access_denied",
        "error_description": "<script>alert(1)</script>\r\nSet-Cookie: a=b",
    },
}


@pytest.mark.parametrize("change", CALLBACKS.values(), ids=CALLBACKS)
async def test_callbacks_that_are_not_in_order_never_reach_the_token_endpoint(
    change: Callable[[dict[str, str]], dict[str, str]],
) -> None:
    async with gate() as door:
        back = change(await door.leave())
        status, location, text = await door.come_back(back)
        assert status in (400, 403)
        assert location == ""
        assert "<script" not in text
        assert door.served.asked("/token") == 0
        assert door.sessions() == 0


async def test_a_code_that_was_redeemed_is_no_good_in_another_browser() -> None:
    async with gate() as door:
        back = await door.leave()
        stolen = dict(back)
        assert (await door.come_back(back))[0] == 302
        door.browser.cookie_jar.clear()
        mine = await door.leave()
        status, _, _ = await door.come_back({**mine, "code": stolen["code"]})
        assert status == 400
        assert await door.reason() != ""


async def test_oa_3_a_stolen_code_is_bound_to_the_login_that_it_was_given_for() -> None:
    async with gate() as door:
        victim = await door.leave()
        door.browser.cookie_jar.clear()
        attacker = await door.leave()
        status, _, _ = await door.come_back({**attacker, "code": victim["code"]})
        assert status == 400
        assert door.sessions() == 0


async def test_oa_22_no_event_has_a_secret_in_it() -> None:
    async with gate() as door:
        back = await door.leave("/orders?access_token=planted-7")
        await door.come_back(back)
        await door.get("/orders")
        await door.get("/ngrok/logout")
        await door.running.event(lambda each: each["object"]["decision"]["reason"] == "logged-out")
        said = json.dumps(door.running.events()) + "".join(door.running.said)
        cookies = [each.value for each in door.browser.cookie_jar]
        planted = [*door.provider.given, CLIENT_SECRET, back["state"], "planted-7", *cookies]
        assert [each for each in planted if each and each in said] == []


async def test_d2_13_a_provider_that_stalls_stops_nobody_else() -> None:
    async with gate() as door:
        await door.come_back(await door.leave())
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as other:
            waiting = Gate(door.running, door.served, other)
            back = await waiting.leave()
            door.served.instead["/token"] = door.served.stall
            stalled = asyncio.create_task(waiting.come_back(back))
            for _ in range(20):
                assert (await door.get("/"))[0] == 200
            assert not stalled.done()
            stalled.cancel()
            await asyncio.gather(stalled, return_exceptions=True)


async def test_oa_13_unfinished_logins_leave_memory_bounded_and_sessions_working() -> None:
    async with gate() as door:
        await door.come_back(await door.leave())

        async def unfinished(count: int) -> None:
            async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as nobody:
                for _ in range(count):
                    async with nobody.get(
                        door.origin, allow_redirects=False, headers=NAVIGATION
                    ) as answer:
                        assert answer.status == 302

        await asyncio.gather(*(unfinished(150) for _ in range(8)))
        assert len(door.stored(PENDING_LOGINS)) == PENDING_LOGINS.max_per_group
        assert (await door.get("/"))[0] == 200


async def test_a_page_of_ours_can_t_be_framed_and_loads_nothing() -> None:
    async with (
        gate() as door,
        door.browser.get(
            f"{door.origin}/ngrok/oauth2/callback?state=x", allow_redirects=False
        ) as answer,
    ):
        policy = answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy
        assert "default-src 'none'" in policy
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert not re.search(r"<script|src=|javascript:", await answer.text())
