from __future__ import annotations

import pytest
from aiohttp import web

from penstock.doctor.finding import Verdict
from tests.penstock.doctor.provider import (
    error,
    examined,
    finding,
    login_of,
    oauth_policy,
    serving,
    surroundings,
)


async def test_a_provider_that_answers_has_nothing_to_it() -> None:
    async with serving() as provider:
        found = await examined(oauth_policy(), surroundings(provider), probes=True)
    assert {each.verdict for each in found.findings} == {Verdict.OK}
    assert found.provider == "GitLab"
    assert [each.check for each in found.findings] == [
        "login page", "tokens", "API", "PKCE", "scopes", "clock", "redirect URI", "credentials",
        "token endpoint",
    ]  # fmt: skip


async def test_a_provider_that_is_not_there() -> None:
    async with serving() as provider:
        given = surroundings(provider)
    found = await examined(oauth_policy(), given, probes=True)
    failed = [each.check for each in found.findings if each.verdict is Verdict.FAILED]
    assert failed == ["login page", "tokens", "API", "token endpoint"]
    assert finding(found, "clock").verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("incorrect_client_credentials", Verdict.FAILED),
        ("bad_verification_code", Verdict.OK),
    ],
)
async def test_errors_that_come_with_200_are_read(name: str, verdict: Verdict) -> None:
    async with serving() as provider:
        provider.answers["POST /token"] = error(name, status=200)
        found = await examined(oauth_policy(), surroundings(provider), probes=True)
    assert finding(found, "token endpoint").verdict is verdict


async def test_any_answer_shows_that_a_provider_is_there() -> None:
    async with serving() as provider:
        provider.answers["GET /authorize"] = web.Response(status=400)
        found = await examined(oauth_policy(), surroundings(provider))
    assert finding(found, "login page").verdict is Verdict.OK


def test_the_scopes_of_a_policy_are_shown() -> None:
    assert login_of(oauth_policy(scopes=["read_api"])).settings.all_scopes[-1] == "read_api"  # type: ignore[union-attr]
