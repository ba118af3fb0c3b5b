"""An attack token for every JW row, made here and sent through the real listener."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.proxy.serving import LOOPBACK, PATIENCE_S, Running, plan_for, serving, until, upstream
from tests.tokens import (
    RS256,
    Signer,
    b64,
    claims_of,
    ec_key,
    ed_key,
    key_set,
    packed,
    rsa_key,
    settings,
    with_algorithms,
)

ES256 = Signer("ES256", ec_key(), kid="ec")
EDDSA = Signer("EdDSA", ed_key(), kid="ed")
STRANGER = Signer("RS256", rsa_key(1), kid="k1")
NEXT = Signer("RS256", rsa_key(2), kid="k2")


@dataclass
class Issuer:
    """Serves a key set, or whatever else it is told to answer."""

    port: int = 0
    answer: bytes = b""
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}/jwks"

    def publish(self, *members: Any) -> None:
        self.respond(200, key_set(*members))

    def respond(self, status: int, body: bytes = b"", *lines: str) -> None:
        head = [f"HTTP/1.1 {status} Answer", f"Content-Length: {len(body)}", *lines]
        self.answer = "\r\n".join(head).encode() + b"\r\n\r\n" + body

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.requests.append(head)
                writer.write(self.answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def issuer() -> AsyncIterator[Issuer]:
    played = Issuer()
    played.publish(RS256, ES256, EDDSA)
    server = await asyncio.start_server(played.serve, LOOPBACK, 0)
    played.port = server.sockets[0].getsockname()[1]
    try:
        yield played
    finally:
        server.close()


def policy(*urls: str, **changes: Any) -> str:
    config = settings(jws=with_algorithms("RS256", "ES256", "EdDSA", urls=urls), **changes)
    return json.dumps({"on_http_request": [{"actions": [{"type": "jwt-validation", "config": config}]}]})  # fmt: skip  # noqa: E501


@dataclass
class Guarded:
    running: Running
    issuer: Issuer
    heads: list[str]

    async def ask(self, token: str | None, *more: str) -> tuple[int, str, str]:
        """Send a token; return status, reason in the log, and the whole answer."""
        reader, writer = await asyncio.open_connection(LOOPBACK, self.running.port)
        shown = [] if token is None else [f"Authorization: Bearer {token}"]
        lines = ["GET / HTTP/1.1", "Host: app.test", "Connection: close", *shown, *more]
        before = len(self.running.events())
        writer.write("\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape"))
        answer = (await asyncio.wait_for(reader.read(), PATIENCE_S)).decode()
        writer.close()
        await until(lambda: len(self.running.events()) > before)
        reason = self.running.events()[-1]["object"]["decision"]["reason"]
        return int(answer.split(" ", 2)[1]), reason, answer


@asynccontextmanager
async def guarded(**changes: Any) -> AsyncIterator[Guarded]:
    async with (
        issuer() as keys,
        upstream() as behind,
        serving(plan_for(behind.port, policy(keys.url, **changes))) as running,
    ):
        yield Guarded(running, keys, behind.heads)


def now(**changes: Any) -> dict[str, Any]:
    return claims_of(time.time(), **changes)


def header(**changes: Any) -> dict[str, Any]:
    return RS256.header(**changes)


PUBLIC = rsa_key().public_key()
PEM = PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
DER = PUBLIC.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
JWK = json.dumps(RS256.jwk).encode()


def keyed(secret: bytes) -> Callable[[], str]:
    return lambda: Signer("HS256", secret, kid="k1").token(now())


def signed(claims: Any = None, signer: Signer = RS256, **changes: Any) -> Callable[[], str]:
    return lambda: signer.token(
        now() if claims is None else claims, header=signer.header(**changes)
    )


def ecdsa(change: Callable[[bytes], bytes]) -> Callable[[], str]:
    def token() -> str:
        head, _, signature = ES256.token(now()).rpartition(".")
        raw = ES256.signature(head.encode())
        assert signature
        return f"{head}.{b64(change(raw))}"

    return token


def edited(change: Callable[[list[str]], str]) -> Callable[[], str]:
    return lambda: change(RS256.token(now()).split("."))


def raw_claims(members: str) -> Callable[[], str]:
    def token() -> str:
        text = json.dumps(now())
        return RS256.token((text[:-1] + "," + members + "}").encode())

    return token


LONG_LIVED = "exp"
ATTACKS: dict[str, tuple[Callable[[], str], str]] = {
    "JW-1 none": (edited(lambda p: f"{packed(header(alg='none'))}.{p[1]}.{p[2]}"), "alg_not_allowed"),  # noqa: E501
    "JW-1 nOnE": (signed(alg="nOnE"), "alg_not_allowed"),
    "JW-1 NONE without signature": (edited(lambda p: f"{packed(header(alg='NONE'))}.{p[1]}."), "token_malformed"),  # noqa: E501
    "JW-1 missing": (signed(alg=...), "alg_not_allowed"),
    "JW-1 empty": (signed(alg=""), "alg_not_allowed"),
    "JW-1 a number": (signed(alg=256), "alg_not_allowed"),
    "JW-1 null": (signed(alg=None), "alg_not_allowed"),
    "JW-2 HS256 with the PEM": (keyed(PEM), "alg_not_allowed"),
    "JW-2 HS256 with the DER": (keyed(DER), "alg_not_allowed"),
    "JW-2 HS256 with the JWK": (keyed(JWK), "alg_not_allowed"),
    "JW-3 jwk": (signed(signer=STRANGER, jwk=STRANGER.jwk), "signature_invalid"),
    "JW-3 jwk, no kid": (signed(signer=STRANGER, jwk=STRANGER.jwk, kid=...), "signature_invalid"),
    "JW-3 jku": (signed(signer=STRANGER, jku="http://127.0.0.1:9/k"), "signature_invalid"),
    "JW-3 x5u": (signed(signer=STRANGER, x5u="http://127.0.0.1:9/c"), "signature_invalid"),
    "JW-3 x5c": (signed(signer=STRANGER, x5c=["AAAA"]), "signature_invalid"),
    "JW-4 kid is a path": (signed(signer=STRANGER, kid="../../../dev/null"), "signature_invalid"),
    "JW-4 kid is SQL": (signed(signer=STRANGER, kid="x' UNION SELECT 'k"), "signature_invalid"),
    "JW-4 kid is a number": (signed(kid=1), "token_malformed"),
    "JW-4 no kid, stranger": (signed(signer=STRANGER, kid=...), "signature_invalid"),
    "JW-4 another key's kid": (signed(kid="ec"), "signature_invalid"),
    "JW-7 b64": (signed(crit=["b64"], b64=False), "critical_extension"),
    "JW-7 unknown": (signed(crit=["x"], x=1), "critical_extension"),
    "JW-7 empty": (signed(crit=[]), "critical_extension"),
    "JW-7 a string": (signed(crit="b64"), "critical_extension"),
    "JW-7 not there": (signed(crit=["x"]), "critical_extension"),
    "JW-8 r is 0": (ecdsa(lambda raw: bytes(32) + raw[32:]), "signature_invalid"),
    "JW-8 s is 0": (ecdsa(lambda raw: raw[:32] + bytes(32)), "signature_invalid"),
    "JW-8 all zero": (ecdsa(lambda _: bytes(64)), "signature_invalid"),
    "JW-8 too long": (ecdsa(lambda raw: raw + b"\0"), "signature_invalid"),
    "JW-8 too short": (ecdsa(lambda raw: raw[1:]), "signature_invalid"),
    "JW-8 another curve": (signed(signer=Signer("ES256", ec_key("P-384"), kid="ec")), "signature_invalid"),  # noqa: E501
    "JW-10 claim twice": (raw_claims('"sub": "admin"'), "invalid_claims"),
    "JW-10 header twice": (lambda: RS256.token(now(), header=b'{"alg":"RS256","alg":"RS256"}'), "token_malformed"),  # noqa: E501
    "JW-11 exp is text": (lambda: RS256.token(now(exp="2999")), "invalid_claims"),
    "JW-11 exp is 1e300": (lambda: RS256.token(now(exp=1e300)), "invalid_claims"),
    "JW-11 exp is NaN": (lambda: RS256.token(now(exp=float("nan"))), "invalid_claims"),
    "JW-11 exp is negative": (lambda: RS256.token(now(exp=-1)), "invalid_claims"),
    "JW-11 exp is missing": (lambda: RS256.token(now(exp=...)), "expiry_missing"),
    "JW-11 nbf tomorrow": (lambda: RS256.token(now(nbf=time.time() + 86_400)), "token_not_yet_valid"),  # noqa: E501
    "JW-11 iat tomorrow": (lambda: RS256.token(now(iat=time.time() + 86_400)), "token_not_yet_valid"),  # noqa: E501
    "JW-11 expired": (lambda: RS256.token(now(exp=time.time() - 61)), "token_expired"),
    "JW-12 aud is missing": (lambda: RS256.token(now(aud=...)), "audience_not_allowed"),
    "JW-12 aud with a number": (lambda: RS256.token(now(aud=["orders-api", 1])), "audience_not_allowed"),  # noqa: E501
    "JW-12 aud is longer": (lambda: RS256.token(now(aud="orders-api2")), "audience_not_allowed"),
    "JW-12 iss without slash": (lambda: RS256.token(now(iss="https://issuer.example.com")), "issuer_not_allowed"),  # noqa: E501
    "JW-13 a logout token": (signed(typ="logout+jwt"), "type_not_allowed"),
    "JW-14 padding": (edited(lambda p: f"{p[0]}=.{p[1]}.{p[2]}"), "token_malformed"),
    "JW-14 plus": (edited(lambda p: f"{p[0]}.{p[1]}.+{p[2][1:]}"), "token_malformed"),
    "JW-14 space": (edited(lambda p: f"{p[0]}. {p[1]}.{p[2]}"), "token_malformed"),
    "JW-14 stray bits": (edited(lambda p: f"{p[0]}.{p[1]}.{p[2][:-1]}B"), "token_malformed"),
    "JW-14 four parts": (edited(lambda p: ".".join([*p, p[2]])), "token_malformed"),
    "JW-14 six parts": (edited(lambda p: ".".join(p + p)), "token_malformed"),
    "JW-14 JSON": (edited(lambda p: json.dumps({"payload": p[1]})), "token_malformed"),
    "JW-14 nested": (lambda: RS256.token(RS256.token(now()), header=header(cty="JWT")), "invalid_claims"),  # noqa: E501
    "JW-14 encrypted, zip": (lambda: f"{packed(header(alg='dir', enc='A256GCM', zip='DEF'))}..AA.AA.AA", "token_malformed"),  # noqa: E501
    "JW-14 encrypted, p2c": (lambda: f"{packed(header(alg='PBES2-HS256+A128KW', p2c=10**9))}.AA.AA.AA.AA", "token_malformed"),  # noqa: E501
    "JW-15 deep": (lambda: RS256.token(b'{"a":' + b"[" * 2_000 + b"]" * 2_000 + b"}"), "invalid_claims"),  # noqa: E501
    "JW-15 many": (lambda: RS256.token(b'{"a":[' + b"1," * 2_500 + b"1]}"), "invalid_claims"),
    "JW-16 a list": (lambda: RS256.token([now()]), "invalid_claims"),
    "JW-16 a text": (lambda: RS256.token(b'"x"'), "invalid_claims"),
    "JW-16 sub is a number": (lambda: RS256.token(now(sub=7)), "invalid_claims"),
    "JW-16 sub is an object": (lambda: RS256.token(now(sub={"a": 1})), "invalid_claims"),
}  # fmt: skip
FORBIDDEN = {"audience_not_allowed", "issuer_not_allowed"}


async def test_every_attack_is_refused_and_every_good_token_passes() -> None:
    """JW-1 to JW-4, JW-7, JW-8, JW-10 to JW-16."""
    async with guarded() as proxy:
        for signer in (RS256, ES256, EDDSA):
            assert (await proxy.ask(signer.token(now())))[0] == 200
        passed = len(proxy.heads)
        outcomes = {}
        for name, (make, _) in ATTACKS.items():
            outcomes[name] = (await proxy.ask(make()))[:2]
        expected = {
            name: (403 if reason in FORBIDDEN else 401, reason)
            for name, (_, reason) in ATTACKS.items()
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
