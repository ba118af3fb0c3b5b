"""Where keys come from: fetched and kept fresh, from files, in the policy; by the real listener."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from proxy.limits import Limits
from tests.proxy.guarded import (
    NEXT,
    STRANGER,
    Guarded,
    Issuer,
    guarded,
    issuer,
    now,
    policy,
)
from tests.proxy.rig import origin
from tests.proxy.serving import LOOPBACK, plan_for, serving, until, upstream
from tests.proxy.test_supervisor import PATIENCE_S, started
from tests.tokens import RS256, Signer, ec_key, key_set, number, rsa_key, settings

WEAK = Signer("RS256", rsa_key(3, bits=1024), kid="weak")
EC = Signer("ES256", ec_key(), kid="other")
# What must not do harm beside a good key, and must not verify anything.
MEMBERS: dict[str, tuple[Any, Signer]] = {
    "private": (NEXT.jwk | {"d": number(rsa_key(2).private_numbers().d)}, NEXT),
    "for encryption": (NEXT.jwk | {"use": "enc"}, NEXT),
    "for signing only": (NEXT.jwk | {"key_ops": ["sign"]}, NEXT),
    "of another algorithm": (NEXT.jwk | {"alg": "RS512"}, NEXT),
    "a secret": (Signer("HS256", b"s" * 64, kid="s").jwk, Signer("HS256", b"s" * 64, kid="s")),
    "1024 bits": (WEAK.jwk, WEAK),
    "e is 1": (NEXT.jwk | {"e": "AQ"}, NEXT),
    "e is 3": (NEXT.jwk | {"e": "Aw"}, NEXT),
    "beside its curve": (EC.jwk | {"y": EC.jwk["x"]}, EC),
    "of another curve": (EC.jwk | {"crv": "P-384"}, EC),
    "no key at all": (7, NEXT),
}


@pytest.mark.parametrize(("member", "signer"), MEMBERS.values(), ids=MEMBERS)
async def test_an_unfit_member_verifies_nothing_and_the_others_serve(
    member: Any, signer: Signer
) -> None:
    """JW-6, JW-9, D1-15."""
    async with guarded() as proxy:
        proxy.issuer.publish(RS256, member)
        assert (await proxy.ask(signer.token(now())))[0] == 401
        assert (await proxy.ask(RS256.token(now())))[0] == 200


async def test_an_id_that_two_keys_have_names_neither() -> None:
    """JW-4."""
    async with guarded() as proxy:
        proxy.issuer.publish(RS256, STRANGER, NEXT)
        for signer in (RS256, STRANGER):
            assert (await proxy.ask(signer.token(now())))[:2] == (401, "signature_invalid")
        assert (await proxy.ask(NEXT.token(now())))[0] == 200


async def test_a_token_without_id_is_tried_with_keys_that_fit() -> None:
    """JW-4."""
    async with guarded() as proxy:
        for signer, status in ((RS256, 200), (EC, 200), (STRANGER, 401)):
            bare = Signer(signer.alg, signer.key, kid=None)
            assert (await proxy.ask(bare.token(now())))[0] == status


async def test_the_content_type_does_not_matter() -> None:
    """D1-15."""
    async with guarded() as proxy:
        proxy.issuer.respond(200, key_set(RS256), "Content-Type: text/html")
        assert (await proxy.ask(RS256.token(now())))[0] == 200


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
UNBOUNDED = {
    "100 MB": (HEAD + b"Content-Length: 104857600\r\n\r\n", b" " * 65_536, "answer-too-large"),
    "without end": (HEAD + b"Connection: close\r\n\r\n", b" " * 65_536, "answer-too-large"),
    "drop by drop": (HEAD + b"Content-Length: 500000\r\n\r\n", b" ", "timed-out"),
    "a head without end": (b"HTTP/1.1 200 OK\r\nX: ", b"y" * 65_536, "answer-broken"),
}


@pytest.mark.parametrize(("answer", "endless", "reason"), UNBOUNDED.values(), ids=UNBOUNDED)
async def test_an_answer_is_bounded_in_size_and_time(
    answer: bytes, endless: bytes, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JW-6, T-SS-4."""
    monkeypatch.setattr("proxy.documents.TIMEOUT_S", 0.5)
    async with guarded() as proxy:
        proxy.issuer.answer, proxy.issuer.endless = answer, endless
        status, why, _ = await proxy.ask(RS256.token(now()))
        assert (status, why) == (503, "keys_unavailable")
        assert reason in json.dumps(proxy.running.events()[-1])
        assert proxy.issuer.sent_bytes < 20_000_000


async def test_an_issuer_that_hangs_is_waited_for_once_and_not_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """JW-6."""
    monkeypatch.setattr("proxy.documents.TIMEOUT_S", 0.3)
    async with guarded() as proxy:
        proxy.issuer.open.clear()
        tokens = [RS256.token(now(sub=f"s{each}")) for each in range(10)]
        answers = await asyncio.gather(*map(proxy.ask, tokens))
        assert {status for status, _, _ in answers} == {503}
        assert len(proxy.issuer.requests) <= 2
        proxy.issuer.open.set()
        await until_passes(proxy, RS256)


async def until_passes(proxy: Guarded, signer: Signer) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while (await proxy.ask(signer.token(now())))[0] != 200:  # noqa: ASYNC110 - tried again soon
            await asyncio.sleep(0.05)


async def test_keys_are_fetched_again_before_anybody_needs_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("proxy.documents.REFRESH_S", 0.2)
    async with guarded() as proxy:
        await until(lambda: len(proxy.issuer.requests) >= 2)
        proxy.issuer.publish(NEXT)
        before = len(proxy.issuer.requests)
        await until(lambda: len(proxy.issuer.requests) >= before + 2)
        proxy.issuer.open.clear()
        assert (await proxy.ask(NEXT.token(now())))[0] == 200


async def test_a_removed_key_verifies_nothing_from_the_next_fetch_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """JW-19."""
    monkeypatch.setattr("proxy.documents.REFRESH_S", 0.2)
    async with guarded() as proxy:
        token = RS256.token(now())
        assert (await proxy.ask(token))[0] == 200
        proxy.issuer.publish(NEXT)
        before = len(proxy.issuer.requests)
        await until(lambda: len(proxy.issuer.requests) >= before + 2)
        assert (await proxy.ask(token))[:2] == (401, "signature_invalid")


async def test_a_removed_key_ends_the_streams_that_it_let_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """T-WS-4."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: x\n\n")
        await reader.read()

    monkeypatch.setattr("proxy.documents.REFRESH_S", 0.2)
    async with (
        issuer() as keys,
        origin(script=script) as behind,
        serving(plan_for(behind.port, policy(keys.url))) as running,
    ):
        reader, writer = await asyncio.open_connection(LOOPBACK, running.port)
        lines = ["GET / HTTP/1.1", "Host: app.test", f"Authorization: Bearer {RS256.token(now())}"]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        await asyncio.wait_for(reader.readuntil(b"data: x"), PATIENCE_S)
        keys.publish(NEXT)
        await asyncio.wait_for(reader.read(), PATIENCE_S)
        writer.close()
        event = await running.event(lambda _: True)
        assert event["object"]["decision"]["reason"] == "stream-no-longer-admitted"


async def test_stale_keys_serve_for_as_long_as_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    """D1-15."""
    monkeypatch.setattr("proxy.documents.REFRESH_S", 0.2)
    async with guarded(limits=Limits(max_key_set_age_s=1.5)) as proxy:
        token = RS256.token(now())
        assert (await proxy.ask(token))[0] == 200
        proxy.issuer.respond(500)
        before = len(proxy.issuer.requests)
        await until(lambda: len(proxy.issuer.requests) > before)
        assert (await proxy.ask(token))[0] == 200
        async with asyncio.timeout(PATIENCE_S):
            while (await proxy.ask(token))[0] == 200:  # noqa: ASYNC110 - the time is real
                await asyncio.sleep(0.1)
        assert (await proxy.ask(token))[:2] == (503, "keys_unavailable")


async def test_no_request_fails_while_keys_change_again_and_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("proxy.documents.NEWER_S", 0.0)
    async with guarded() as proxy:
        signers = [Signer("ES256", ec_key("P-256", each), kid=f"v{each}") for each in range(4)]
        proxy.issuer.publish(signers[0])
        for old, new in pairwise(signers):
            proxy.issuer.publish(old, new)
            tokens = [each.token(now(sub=f"s{n}")) for n in range(5) for each in (old, new)]
            answers = await asyncio.gather(*map(proxy.ask, tokens))
            assert {status for status, _, _ in answers} == {200}


def file_policy(path: Path, *algorithms: str) -> str:
    jws = {
        "allowed_algorithms": list(algorithms),
        "keys": {"sources": {"additional_jkus": [path.as_uri()]}},
    }
    action = {"type": "jwt-validation", "config": settings(jws=jws)}
    return json.dumps({"on_http_request": [{"actions": [action]}]})


async def test_a_file_of_the_operator_may_hold_secrets(tmp_path: Path) -> None:
    keys, secret = tmp_path / "keys.json", Signer("HS256", b"s" * 64, kid="s")
    keys.write_bytes(key_set(secret))
    async with (
        upstream() as behind,
        serving(plan_for(behind.port, file_policy(keys, "HS256"))) as running,
    ):
        proxy = Guarded(running, Issuer(), behind.heads)
        assert (await proxy.ask(secret.token(now())))[0] == 200
        assert (await proxy.ask(Signer("HS256", b"t" * 64, kid="s").token(now())))[0] == 401
        weak = Signer("HS384", b"s" * 64, kid="s")
        assert (await proxy.ask(weak.token(now())))[:2] == (401, "alg_not_allowed")


async def test_keys_may_stand_in_the_policy() -> None:
    jws = {
        "allowed_algorithms": ["RS256"],
        "keys": {"sources": {"jwks": [json.loads(key_set(RS256))]}},
    }
    action = {"type": "jwt-validation", "config": settings(jws=jws)}
    rules = json.dumps({"on_http_request": [{"actions": [action]}]})
    async with upstream() as behind, serving(plan_for(behind.port, rules)) as running:
        proxy = Guarded(running, Issuer(), behind.heads)
        for _ in range(2):
            assert (await proxy.ask(RS256.token(now())))[0] == 200
        assert (await proxy.ask(STRANGER.token(now())))[0] == 401


# Several workers


@dataclass
class KeyServer:
    """An issuer in a thread of its own, for proxies in processes of their own."""

    content: bytes
    port: int = 0
    requests: list[str] = field(default_factory=list)


@contextmanager
def key_server(content: bytes) -> Iterator[KeyServer]:
    played = KeyServer(content)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            played.requests.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(played.content)))
            self.end_headers()
            self.wfile.write(played.content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    played.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield played
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def status(port: int, token: str) -> int:
    client = HTTPConnection(LOOPBACK, port, timeout=PATIENCE_S)
    try:
        client.request("GET", "/", headers={"Authorization": f"Bearer {token}"})
        return client.getresponse().status
    finally:
        client.close()


def test_each_of_several_workers_knows_the_keys(tmp_path: Path) -> None:
    """JW-5: an unknown key costs each worker one fetch a minute at most."""
    with key_server(key_set(RS256)) as keys:
        rules: dict[str, Any] = json.loads(policy(f"http://{LOOPBACK}:{keys.port}/jwks"))
        answer = {"type": "custom-response", "config": {"status_code": 200}}
        rules["on_http_request"].append({"actions": [answer]})
        with started(tmp_path, workers=2, policy=json.dumps(rules)) as proxy:
            good = [RS256.token(now(sub=f"s{each}")) for each in range(40)]
            assert [status(proxy.port, token) for token in good] == [200] * 40
            assert len(keys.requests) == 2
            bad = [STRANGER.token(now(sub=f"s{each}")) for each in range(40)]
            assert [status(proxy.port, token) for token in bad] == [401] * 40
            assert len(keys.requests) <= 4
            assert [status(proxy.port, token) for token in good] == [200] * 40
