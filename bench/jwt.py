"""What jwt-validation costs, against the same proxy without it.

One process serves an endpoint with the action and one without: two processes that do the same
differ by several per cent in what they take for it, by how their memory happens to lie.

Every client shows tokens, also where nobody looks at them. Cached: each client has one, which has
been verified before. Uncached: every request brings a token never seen before, so its signature is
checked. Each is compared with the proxy without the action and tokens of the same kind, measured
right before it or right behind it in turns; `above` is the processor time beyond that. `signature`
is what checking the signature takes of it, measured alone between the same rounds.

    python bench/jwt.py [--requests N] [--rounds N] [--connections N] [--json FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import count, cycle
from pathlib import Path
from typing import NamedTuple

import uvloop
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

sys.path.insert(0, str(Path(__file__).parent.parent))

from actions.jose import base64url
from actions.jose.algorithm import ALGORITHMS, model
from actions.jose.key import Key
from actions.jose.key_set import parse_key_set
from actions.jose.token import parse_token
from bench.data_plane import installation
from bench.data_plane.accounting import LOAD_CORE, PROXY_CORE, cpu_s
from bench.data_plane.clients import HEAD_END, browser_fields
from bench.data_plane.origin import Origin
from bench.data_plane.site import free_port

ISSUER, AUDIENCE = "https://issuer.example.com/", "bench"
KEYS: dict[str, RSAKey | ECKey | OKPKey] = {
    "RS256": RSAKey.generate_key(2048, {"kid": "rsa"}),
    "ES256": ECKey.generate_key("P-256", {"kid": "ec"}),
    "EdDSA": OKPKey.generate_key("Ed25519", {"kid": "ed"}),
}
WITHOUT, CACHED = "without", "cached RS256"
WITHOUT_ACTION, WITH_ACTION, POLICY = b"app.example.com", b"jwt.example.com", "policy.json"
SIZE = 1024
SIGNATURES = 200


def token(algorithm: str, number: int) -> str:
    now = int(time.time())
    header = {"alg": algorithm, "kid": KEYS[algorithm].kid, "typ": "JWT"}
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": f"client-{number}",
        "iat": now,
        "exp": now + 3600,
        "jti": f"{number:032x}",
        "scope": "orders:read orders:write",
    }
    parts = (json.dumps(part, separators=(",", ":")).encode() for part in (header, claims))
    signing_input = ".".join(map(base64url.encode, parts))
    signature = model(algorithm).sign(signing_input.encode(), KEYS[algorithm])
    return f"{signing_input}.{base64url.encode(signature)}"


def key_set() -> bytes:
    return json.dumps(KeySet([*KEYS.values()]).as_dict(private=False)).encode()


def policy(key_file: Path) -> str:
    config = {
        "issuer": {"allow_list": [{"value": ISSUER}]},
        "audience": {"allow_list": [{"value": AUDIENCE}]},
        "http": {
            "tokens": [
                {
                    "type": "access_token",
                    "method": "header",
                    "name": "Authorization",
                    "prefix": "Bearer ",
                }
            ]
        },
        "jws": {
            "allowed_algorithms": list(KEYS),
            "keys": {"sources": {"additional_jkus": [key_file.as_uri()]}},
        },
    }
    rule = {"actions": [{"type": "jwt-validation", "config": config}]}
    return json.dumps({"on_http_request": [rule]})


class Proxy(NamedTuple):
    """The process that is measured, and where it listens."""

    process: subprocess.Popen[bytes]
    port: int


@dataclass
class Case:
    """One line of the report. `tokens` gives a client's next token.

    `signature_us` is there for cases whose signatures are checked.
    """

    name: str
    host: bytes
    proxy: Proxy
    tokens: Callable[[int], Iterator[str]]
    algorithm: str | None = None
    signature_us: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    per_s: list[float] = field(default_factory=list)


class Client(asyncio.Protocol):
    """Asks again and again on one connection, each time with its next token."""

    def __init__(self, host: bytes, tokens: Iterator[str], requests: int) -> None:
        self._fields = browser_fields(0).replace(WITHOUT_ACTION, host)
        self._tokens = tokens
        self._left = requests
        self._missing = -1
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        head = (b"GET /api/orders/%d" + self._fields) % (self._left, self._left)
        shown = f"Authorization: Bearer {next(self._tokens)}\r\n\r\n".encode()
        self._transport.write(head + shown)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        if self._missing < 0:
            if not data.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"unexpected answer: {data[:200]!r}")
            self._missing = data.find(HEAD_END) + 4 + SIZE
        self._missing -= len(data)
        if self._missing <= 0:
            self._missing = -1
            self._left -= 1
            if self._left:
                self._ask()
            elif not self.done.done():
                self.done.set_result(None)


def start(upstream: int, folder: Path) -> Proxy:
    """Start the proxy; the folder has the policy."""
    port, config = free_port(), folder / "penstock.yml"
    endpoints = [
        {"url": f"http://{host.decode()}", "upstream": {"url": upstream}}
        for host in (WITHOUT_ACTION, WITH_ACTION)
    ]
    endpoints[1]["traffic_policy_file"] = POLICY
    listens = {"listeners": [{"address": f"127.0.0.1:{port}"}], "workers": 1}
    config.write_text(json.dumps({**listens, "endpoints": endpoints}), encoding="ascii")
    process = subprocess.Popen(
        [
            "taskset", "-c", str(PROXY_CORE), installation.penstock(), "start",
            "--config", str(config), "--log", "false",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return Proxy(process, port)


async def listening(port: int) -> None:
    for _ in range(1200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise SystemExit("the proxy does not listen")


async def load(case: Case, *, requests: int, connections: int) -> tuple[float, float]:
    """Return the proxy's microseconds per request, and the requests per second."""
    loop = asyncio.get_running_loop()
    tokens = [case.tokens(number) for number in range(connections)]
    pid = case.proxy.process.pid
    cpu, began = cpu_s(pid), time.perf_counter()
    clients = [
        await loop.create_connection(
            partial(Client, case.host, each, requests // connections),
            "127.0.0.1",
            case.proxy.port,
        )
        for each in tokens
    ]
    await asyncio.wait_for(asyncio.gather(*(client.done for _, client in clients)), 120)
    for transport, _ in clients:
        transport.close()
    count = requests // connections * connections
    return (cpu_s(pid) - cpu) / count * 1e6, count / (time.perf_counter() - began)


async def measure(options: argparse.Namespace) -> list[tuple[Case, Case]]:
    """Return the cases, each behind the one without the action that it is compared with."""
    os.sched_setaffinity(0, {LOAD_CORE})
    requests, connections = options.requests, options.connections
    numbers = count(1)
    server = await asyncio.get_running_loop().create_server(lambda: Origin(numbers), "127.0.0.1", 0)
    upstream = server.sockets[0].getsockname()[1]
    own = [token("RS256", number) for number in range(connections)]

    def fresh(algorithm: str) -> Callable[[int], Iterator[str]]:
        count = (requests + connections) * (options.rounds + 1)
        unused = iter([token(algorithm, 1000 + number) for number in range(count)])
        return lambda _: unused

    with tempfile.TemporaryDirectory() as home, ExitStack() as stack:
        keys, rules = Path(home, "keys.json"), Path(home, POLICY)
        keys.write_bytes(key_set())  # noqa: ASYNC240 - nothing else runs yet
        rules.write_text(policy(keys), encoding="ascii")  # noqa: ASYNC240
        proxy = start(upstream, Path(home))
        stack.callback(proxy.process.wait)
        stack.callback(proxy.process.terminate)
        await listening(proxy.port)

        def same(number: int) -> Iterator[str]:
            return cycle([own[number]])

        def without(name: str, tokens: Callable[[int], Iterator[str]]) -> Case:
            return Case(name, WITHOUT_ACTION, proxy, tokens)

        pairs = [(without(WITHOUT, same), Case(CACHED, WITH_ACTION, proxy, same))]
        for algorithm in KEYS:
            base = without(f"without, new {algorithm}", fresh(algorithm))
            name = f"uncached {algorithm}"
            pairs.append((base, Case(name, WITH_ACTION, proxy, fresh(algorithm), algorithm)))
        for number in range(options.rounds + 1):
            for base, case in pairs:
                for each in (base, case) if number % 2 else (case, base):
                    # A request each, so that a token which counts as cached is: what was
                    # measured in between may have taken its place.
                    await load(each, requests=connections, connections=connections)
                    cpu_us, per_s = await load(each, requests=requests, connections=connections)
                    if number > 0:  # the first round only warms up
                        each.cpu_us.append(cpu_us)
                        each.per_s.append(per_s)
                if case.algorithm is not None:
                    case.signature_us.append(signature_us(case.algorithm))
    return pairs


def signature_us(algorithm: str) -> float:
    """Return what checking one signature takes, in microseconds."""
    checked, key = parse_token(token(algorithm, 0)), key_of(algorithm)
    began = time.thread_time()
    for _ in range(SIGNATURES):
        assert key.has_signed(checked.signing_input, checked.signature, ALGORITHMS[algorithm])
    return (time.thread_time() - began) / SIGNATURES * 1e6


def key_of(algorithm: str) -> Key:
    """Return the key as the proxy reads it."""
    keys = parse_key_set(key_set())
    (key,) = keys.candidates(KEYS[algorithm].kid, ALGORITHMS[algorithm])
    return key


def report(pairs: list[tuple[Case, Case]]) -> dict[str, dict[str, float]]:
    rows = {}
    print(f"{'':20}{'req/s':>8}{'ratio':>7}{'CPU us':>9}{'ratio':>7}{'above':>8}{'signature':>11}")
    for case, base in [(case, pair[0]) for pair in pairs for case in pair]:
        # Rounds are compared with their neighbours: what slows one down slows all of them.
        rate = statistics.median(a / b for a, b in zip(case.per_s, base.per_s, strict=True))
        cpu = statistics.median(b / a for a, b in zip(case.cpu_us, base.cpu_us, strict=True))
        above = statistics.median(a - b for a, b in zip(case.cpu_us, base.cpu_us, strict=True))
        per_s, cpu_us = statistics.median(case.per_s), statistics.median(case.cpu_us)
        row = {"per_s": per_s, "ratio": rate, "cpu_us": cpu_us, "cpu_ratio": cpu, "above_us": above}
        line = f"{case.name:20}{per_s:>8.0f}{rate:>7.2f}{cpu_us:>9.1f}{cpu:>7.2f}{above:>8.1f}"
        if case.signature_us:
            row["signature_us"] = statistics.median(case.signature_us)
            line += f"{row['signature_us']:>11.1f}"
        print(line)
        rows[case.name] = row
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description="measure what jwt-validation costs")
    parser.add_argument("--requests", type=int, default=1600)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = report(uvloop.run(measure(options)))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
