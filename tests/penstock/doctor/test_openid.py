"""Every way in which an OpenID provider can be set up wrongly, and what is said about it."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from penstock.doctor.finding import Verdict
from tests.penstock.doctor.provider import (
    SECRET,
    Provider,
    error,
    examined,
    finding,
    openid_policy,
    serving,
)
from tests.tokens import RS256

DISCOVERY = "GET /.well-known/openid-configuration"


async def test_a_provider_in_order_has_nothing_to_it() -> None:
    async with serving() as provider:
        found = await examined(openid_policy(provider), probes=True)
    assert {each.verdict for each in found.findings} == {Verdict.OK}
    assert not found.has_failed
    assert [each.check for each in found.findings] == [
        "discovery", "issuer", "endpoints", "code flow", "PKCE", "algorithms",
        "client authentication", "scopes", "keys", "logout", "clock", "redirect URI",
        "credentials", "token endpoint",
    ]  # fmt: skip


async def test_nothing_but_reading_is_done_unasked() -> None:
    async with serving() as provider:
        await examined(openid_policy(provider))
        assert provider.asked == [DISCOVERY, "GET /keys"]


UNREADABLE: dict[str, tuple[web.Response, str, str]] = {
    "not there": (web.Response(status=404), "status 404", "realm"),
    "elsewhere": (
        web.Response(status=302, headers={"Location": "https://new.example/x"}),
        "status 302",
        "https://new.example/x",
    ),
    "broken": (web.Response(status=500), "status 500", "log"),
    "a page": (web.Response(text="<html>"), "no JSON object", "browser"),
    "a list": (web.json_response([]), "no JSON object", "browser"),
    "too large": (web.Response(text="x" * 600_000), "too large", "check the URL"),
    "compressed": (
        web.Response(text="x", headers={"Content-Encoding": "gzip"}), "compressed", "in front",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", UNREADABLE)
async def test_metadata_that_can_not_be_read(case: str) -> None:
    answer, detail, remedy = UNREADABLE[case]
    async with serving() as provider:
        provider.answers[DISCOVERY] = answer
        found = await examined(openid_policy(provider))
    discovery = finding(found, "discovery")
    assert discovery.verdict is Verdict.FAILED
    assert detail in discovery.detail
    assert remedy in discovery.remedy
    assert found.has_failed
    # What follows from this is not told as another fault.
    assert [each.check for each in found.findings if each.verdict is Verdict.FAILED] == [
        "discovery"
    ]


async def test_a_provider_that_is_not_there() -> None:
    async with serving() as provider:
        text = openid_policy(provider)
    discovery = finding(await examined(text), "discovery")
    assert discovery.verdict is Verdict.FAILED
    assert "no connection" in discovery.detail
    assert "firewall" in discovery.remedy


FAULTS: dict[str, tuple[dict[str, Any], str, Verdict, str]] = {
    "another issuer": ({"issuer": "https://x.example"}, "issuer", Verdict.FAILED, "x.example"),
    "no issuer": ({"issuer": None}, "issuer", Verdict.FAILED, "names none"),
    "no keys' address": ({"jwks_uri": None}, "endpoints", Verdict.FAILED, "jwks_uri"),
    "no token endpoint": ({"token_endpoint": None}, "endpoints", Verdict.FAILED, "token_endpoint"),
    "http": (
        {"token_endpoint": "http://x.example/t"}, "endpoints", Verdict.FAILED,
        "not https: token_endpoint",
    ),
    "http for a page": (
        {"end_session_endpoint": "http://x.example/t"}, "endpoints", Verdict.FAILED,
        "end_session_endpoint",
    ),
    "an address with a user": (
        {"token_endpoint": "https://a@x.example/t"}, "endpoints", Verdict.FAILED, "can't be used",
    ),
    "no userinfo": ({"userinfo_endpoint": None}, "endpoints", Verdict.OK, "no userinfo_endpoint"),
    "implicit flow only": (
        {"response_types_supported": ["id_token"]}, "code flow", Verdict.FAILED, "id_token",
    ),
    "flows not spoken of": (
        {"response_types_supported": None}, "code flow", Verdict.OK, "not spoken of",
    ),
    "plain PKCE only": (
        {"code_challenge_methods_supported": ["plain"]}, "PKCE", Verdict.WARNING, "plain",
    ),
    "PKCE not spoken of": (
        {"code_challenge_methods_supported": None}, "PKCE", Verdict.WARNING, "all the same",
    ),
    "secrets only": (
        {"id_token_signing_alg_values_supported": ["HS256", "none"]}, "algorithms",
        Verdict.FAILED, "HS256",
    ),
    "several algorithms": (
        {"id_token_signing_alg_values_supported": ["none", "ES256", "RS256"]}, "algorithms",
        Verdict.OK, "ES256, RS256",
    ),
    "keys of our own only": (
        {"token_endpoint_auth_methods_supported": ["private_key_jwt"]}, "client authentication",
        Verdict.UNKNOWN, "private_key_jwt",
    ),
    "a scope less": (
        {"scopes_supported": ["openid"]}, "scopes", Verdict.WARNING, "profile, email",
    ),
    "no logout": ({"end_session_endpoint": None}, "logout", Verdict.OK, "here only"),
    "back-channel logout": (
        {"backchannel_logout_supported": True}, "logout", Verdict.OK,
        "https://app.example.com/ngrok/backchannel-logout",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FAULTS)
async def test_metadata_that_say_something_else(case: str) -> None:
    members, check, verdict, detail = FAULTS[case]
    async with serving() as provider:
        provider.members = members
        found = await examined(openid_policy(provider))
    told = finding(found, check)
    assert (told.verdict, detail in told.detail) == (verdict, True)
    assert bool(told.remedy) is (verdict in (Verdict.WARNING, Verdict.FAILED))


async def test_whatever_logins_refuse_is_a_failure() -> None:
    async with serving() as provider:
        provider.members = {"token_endpoint_auth_methods_supported": ["private_key_jwt"]}
        found = await examined(openid_policy(provider))
    assert finding(found, "metadata").verdict is Verdict.FAILED


async def test_a_slash_at_the_end_is_told_to_be_the_difference() -> None:
    async with serving() as provider:
        provider.members = {"issuer": f"{provider.url}/"}
        issuer = finding(await examined(openid_policy(provider)), "issuer")
        assert issuer.remedy == f"write issuer_url: {provider.url}/"


SMALL = {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "small"}
KEYS: dict[str, tuple[web.Response, Verdict, str]] = {
    "none": (web.json_response({"keys": []}), Verdict.FAILED, "no-usable-key"),
    "too small": (web.json_response({"keys": [SMALL]}), Verdict.FAILED, "no-usable-key"),
    "one too small": (
        web.json_response({"keys": [RS256.jwk, SMALL]}), Verdict.OK, "left out: key 2",
    ),
    "no set": (web.Response(text="[]"), Verdict.FAILED, "no-key-set"),
    "not there": (web.Response(status=404), Verdict.FAILED, "status 404"),
}  # fmt: skip


@pytest.mark.parametrize("case", KEYS)
async def test_keys_that_no_token_can_be_verified_with(case: str) -> None:
    answer, verdict, detail = KEYS[case]
    async with serving() as provider:
        provider.answers["GET /keys"] = answer
        keys = finding(await examined(openid_policy(provider)), "keys")
    assert (keys.verdict, detail in keys.detail) == (verdict, True)


PROBES: dict[str, tuple[web.Response, Verdict, str]] = {
    "wrong secret": (error("invalid_client", status=401), Verdict.FAILED, "does not accept"),
    "not for this flow": (error("unauthorized_client"), Verdict.FAILED, "does not accept"),
    "good secret": (error("invalid_grant"), Verdict.OK, "accepts id and secret"),
    "redirect URI": (error("redirect_uri_mismatch"), Verdict.FAILED, "redirect URI"),
    "something else": (error("invalid_request", "odd"), Verdict.WARNING, "odd"),
    "anything": (error("server_error"), Verdict.WARNING, "server_error"),
    "a token": (
        web.json_response({"access_token": "t", "token_type": "Bearer"}), Verdict.FAILED,
        "gives tokens",
    ),
    "broken": (web.Response(status=500), Verdict.FAILED, "status 500"),
    "repeats the secret": (error("server_error", f"bad {SECRET}"), Verdict.WARNING, "bad"),
}  # fmt: skip


@pytest.mark.parametrize("case", PROBES)
async def test_a_made_up_code_tells_whether_the_client_is_known(case: str) -> None:
    answer, verdict, detail = PROBES[case]
    async with serving() as provider:
        provider.answers["POST /token"] = answer
        found = await examined(openid_policy(provider), probes=True)
    told = finding(found, "token endpoint")
    assert (told.verdict, detail in told.detail) == (verdict, True)
    assert SECRET not in repr(found.findings)


async def test_a_probe_sends_the_request_of_a_login() -> None:
    async with serving() as provider:
        await examined(openid_policy(provider), probes=True)
        [form] = provider.forms
    assert "grant_type=authorization_code" in form
    assert "redirect_uri=https%3A%2F%2Fapp.example.com%2Fngrok%2Foauth2%2Fcallback" in form
    assert "code=penstock-doctor-" in form


async def test_without_a_secret_nothing_is_tried() -> None:
    async with serving() as provider:
        text = openid_policy(provider, client_secret="${secrets.get('main', 'oidc')}")
        found = await examined(text, probes=True)
        assert provider.forms == []
    assert finding(found, "token endpoint").verdict is Verdict.UNKNOWN
    assert finding(found, "credentials").verdict is Verdict.FAILED


SKEWS = {0: Verdict.OK, 30: Verdict.WARNING, -30: Verdict.WARNING, 300: Verdict.FAILED}


def dated(provider: Provider, seconds: float) -> None:
    from email.utils import formatdate
    from time import time

    headers = {"Date": formatdate(time() + seconds, usegmt=True)}
    provider.answers["GET /keys"] = web.json_response({"keys": [RS256.jwk]}, headers=headers)
    provider.answers[DISCOVERY] = web.json_response(provider.metadata(), headers=headers)


@pytest.mark.parametrize("seconds", SKEWS)
async def test_clocks_that_disagree_are_told_of(seconds: int) -> None:
    async with serving() as provider:
        dated(provider, seconds)
        clock = finding(await examined(openid_policy(provider)), "clock")
    assert clock.verdict is SKEWS[seconds]
    if seconds:
        assert ("ahead of" if seconds > 0 else "behind") in clock.detail
        assert "NTP" in clock.remedy
