"""An attack token for every JW row, made at test time and sent through the real listener."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest

from tests.proxy.attack_tokens import ATTACKS, MORE
from tests.proxy.guarded import (
    EDDSA,
    ES256,
    NEXT,
    STRANGER,
    Guarded,
    Issuer,
    guarded,
    issuer,
    now,
    policy,
)
from tests.proxy.serving import LOOPBACK, PATIENCE_S, plan_for, serving, upstream
from tests.tokens import RS256, Signer, key_set, rsa_key

FORBIDDEN = {"audience_not_allowed", "issuer_not_allowed"}


@pytest.mark.parametrize("attacks", [ATTACKS, MORE], ids=["usual", "more"])
async def test_every_attack_is_refused_and_every_good_token_passes(
    attacks: dict[str, tuple[Callable[[], str], str]],
) -> None:
    """JW-1 to JW-4, JW-7, JW-8, JW-10 to JW-16."""
    async with guarded() as proxy:
        for signer in (RS256, ES256, EDDSA):
            assert (await proxy.ask(signer.token(now())))[0] == 200
        passed = len(proxy.heads)
        outcomes = {}
        for name, (make, _) in attacks.items():
            outcomes[name] = (await proxy.ask(make()))[:2]
        expected = {
            name: (403 if reason in FORBIDDEN else 401, reason)
            for name, (_, reason) in attacks.items()
        }
        assert outcomes == expected
        assert len(proxy.heads) == passed
        # JW-3: whatever tokens name, only the policy's own key set was fetched.
        assert {head.split(b" ")[1] for head in proxy.issuer.requests} == {b"/jwks"}
        assert len(proxy.issuer.requests) == 2


async def test_the_client_learns_what_rfc_6750_has_words_for() -> None:
    async with guarded() as proxy:
        _, _, answer = await proxy.ask(RS256.token(now(aud="secret-name")))
        assert 'www-authenticate: Bearer error="insufficient_scope"\r\n' in answer
        _, _, other = await proxy.ask(STRANGER.token(now()))
        assert 'www-authenticate: Bearer error="invalid_token"\r\n' in other
        for text in ("audience", "secret-name", "signature", "kid", "issuer"):
            assert text not in answer + other


async def test_two_different_tokens_are_answered_with_400() -> None:
    """JW-17."""
    async with guarded() as proxy:
        line = f"Authorization: Bearer {RS256.token(now(sub='x'))}"
        status, _, _ = await proxy.ask(RS256.token(now()), line)
        assert status == 400


async def test_a_token_beyond_the_limits_costs_nothing() -> None:
    """JW-15."""
    async with guarded() as proxy:
        status, _, _ = await proxy.ask("A" * 1_000_000)
        assert status == 431


async def test_unknown_keys_cost_a_fetch_a_minute_and_good_tokens_go_on() -> None:
    """JW-5."""
    async with guarded() as proxy:
        assert (await proxy.ask(RS256.token(now())))[0] == 200
        made_up = [Signer("RS256", rsa_key(1), kid=f"x{number}").token(now()) for number in range(40)]  # fmt: skip  # noqa: E501
        answers = await asyncio.gather(*(proxy.ask(token) for token in made_up))
        assert {status for status, _, _ in answers} == {401}
        assert len(proxy.issuer.requests) == 2
        assert (await proxy.ask(RS256.token(now())))[0] == 200


async def test_many_at_once_wait_for_the_same_fetch() -> None:
    async with guarded() as proxy:
        tokens = [RS256.token(now(sub=f"s{number}")) for number in range(30)]
        answers = await asyncio.gather(*(proxy.ask(token) for token in tokens))
        assert {status for status, _, _ in answers} == {200}
        assert len(proxy.issuer.requests) == 1


async def test_keys_change_without_a_refused_request() -> None:
    async with guarded() as proxy:
        assert (await proxy.ask(RS256.token(now())))[0] == 200
        proxy.issuer.publish(RS256, NEXT)
        answers = [await proxy.ask(each.token(now())) for each in (NEXT, RS256, NEXT)]
        assert [status for status, _, _ in answers] == [200, 200, 200]


BAD_ANSWERS: dict[str, Callable[[Issuer], None]] = {
    "500": lambda issuer: issuer.respond(500, key_set(STRANGER)),
    "HTML": lambda issuer: issuer.respond(200, b"<html>"),
    "a redirect": lambda issuer: issuer.respond(302, key_set(STRANGER), f"Location: {issuer.url}2"),
    "no keys": lambda issuer: issuer.respond(200, b'{"keys": []}'),
    "encryption keys": lambda issuer: issuer.publish(STRANGER.jwk | {"use": "enc"}),
    "secrets": lambda issuer: issuer.publish(Signer("HS256", b"s" * 32)),
    "too large": lambda issuer: issuer.respond(200, key_set(STRANGER) + b" " * 600_000),
    "compressed": lambda issuer: issuer.respond(200, key_set(STRANGER), "Content-Encoding: gzip"),
}


@pytest.mark.parametrize("spoil", BAD_ANSWERS.values(), ids=BAD_ANSWERS)
async def test_a_bad_key_set_never_replaces_a_good_one(spoil: Callable[[Issuer], None]) -> None:
    """JW-6."""
    async with guarded() as proxy:
        assert (await proxy.ask(RS256.token(now())))[0] == 200
        spoil(proxy.issuer)
        assert (await proxy.ask(NEXT.token(now())))[:2] == (401, "signature_invalid")
        assert len(proxy.issuer.requests) == 2
        assert (await proxy.ask(RS256.token(now(sub="again"))))[0] == 200
        assert (await proxy.ask(STRANGER.token(now())))[0] == 401


async def test_without_any_keys_the_answer_is_503_until_there_are_some() -> None:
    """JW-6."""
    async with guarded() as proxy:
        proxy.issuer.respond(500)
        async with asyncio.timeout(PATIENCE_S):
            async with serving(plan_for(1, policy(f"{proxy.issuer.url}/2"))) as running:
                other = Guarded(running, proxy.issuer, [])
                status, reason, answer = await other.ask(RS256.token(now()))
                assert (status, reason) == (503, "keys_unavailable")
                assert "ERR_NGROK_3422" in answer
                assert "status-500" in json.dumps(running.events()[-1])
                proxy.issuer.publish(RS256)
                while (await other.ask(RS256.token(now())))[1] == "keys_unavailable":  # noqa: ASYNC110
                    await asyncio.sleep(0.1)


async def test_a_key_of_another_issuer_signs_nothing_here() -> None:
    """JW-18."""
    async with issuer() as a, issuer() as b, upstream() as behind:
        a.publish(RS256)
        b.publish(NEXT)
        names = [f"http://{LOOPBACK}:{each.port}" for each in (a, b)]
        both = {"allow_list": [{"value": name} for name in names]}
        plan = plan_for(behind.port, policy(a.url, b.url, issuer=both))
        async with serving(plan) as running:
            proxy = Guarded(running, a, behind.heads)
            assert (await proxy.ask(RS256.token(now(iss=names[0]))))[0] == 200
            assert (await proxy.ask(NEXT.token(now(iss=names[1]))))[0] == 200
            for token in (NEXT.token(now(iss=names[0])), RS256.token(now(iss=names[1]))):
                assert (await proxy.ask(token))[:2] == (401, "signature_invalid")


async def test_a_body_s_token_is_read_and_the_body_is_passed_on() -> None:
    place = {"type": "jwt", "method": "body", "name": "token"}
    async with guarded(http={"tokens": [place]}) as proxy:
        body = f"token={RS256.token(now())}"
        reader, writer = await asyncio.open_connection(LOOPBACK, proxy.running.port)
        head = (
            "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode())
        await writer.drain()
        writer.write(body.encode())
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
        writer.close()
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert len(proxy.heads) == 1
