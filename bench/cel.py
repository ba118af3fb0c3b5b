"""Expressions: how fast they run and compile, against other engines and hand-written Python.

Every engine evaluates the same ten expressions of `expressions.yaml`, one process, and a fresh
request each round: nothing an engine computes for one request serves the next. Making a request
in the form that an engine takes is outside of the clock, which favours the peers: they copy all
values into it, while ours are computed when an expression reads them, within the clock.

    python bench/cel.py [--rounds N]
"""

from __future__ import annotations

import argparse
import gc
import ipaddress
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from policy.cel import STANDARD_FUNCTIONS, Environment, Expression, Variable, compile_expression
from policy.cel.types import BOOL, STRING, ObjectType
from policy.exchange import Connection, Endpoint, Exchange, Request
from policy.fields import Fields
from policy.net import parse_address, parse_network
from policy.phase import Phase
from policy.regex import Matcher
from policy.surroundings import Surroundings
from policy.url import parse_request_target
from policy.variables import Activation, declarations

HERE = Path(__file__).parent
STARTED_NS = 1_772_366_400_000_000_000
HEADERS = (
    ("Host", "orders.example.com"),
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    ("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"),
    ("Accept-Language", "en-GB,en;q=0.5"),
    ("Accept-Encoding", "gzip, deflate, br"),
    (
        "Authorization",
        "Bearer eyJhbGciOiJIUzI1NiJ9.e30.ZRrHA1JJJW8opsbCGfG_HACGpVUMN_a9IV7pAx_Zmeo",
    ),
    ("X-Api-Version", "2"),
    ("X-Request-Id", "0f8fad5b-d9cb-469f-a165-70867728950e"),
    ("Cookie", "session=4f1c; theme=dark"),
    ("Cache-Control", "no-cache"),
    ("Referer", "https://orders.example.com/admin"),
    ("Connection", "keep-alive"),
)
ENDPOINT = Endpoint(
    id="ep_orders", name="orders", url="https://orders.example.com", protocol="https",
    host="orders.example.com", port=443,
)  # fmt: skip

SURROUNDINGS = Surroundings(
    now_ns=lambda: STARTED_NS,
    random_fraction=lambda: 0.5,
    random_integer=lambda low, _high: low,
    random_bytes=bytes,
)


@dataclass(frozen=True, slots=True)
class Identity:
    email: str


@dataclass(frozen=True, slots=True)
class OAuthResult:
    identity: Identity


@dataclass(frozen=True, slots=True)
class Engine:
    """One contender: `prepare` makes its form of a fresh request, `runs` evaluate on that."""

    name: str
    prepare: Callable[[], Any]
    runs: tuple[Callable[[Any], Any] | None, ...]


def expressions() -> list[dict[str, str]]:
    loaded: list[dict[str, str]] = yaml.safe_load((HERE / "expressions.yaml").read_text())
    return loaded


def fresh_exchange() -> Exchange:
    return Exchange(
        connection=Connection(
            client_ip="203.0.113.7", client_port=51234, server_ip="127.0.0.1", server_port=4000,
            started_ns=STARTED_NS,
        ),
        endpoint=ENDPOINT,
        surroundings=SURROUNDINGS,
        request=Request(
            method="GET",
            version="HTTP/1.1",
            url=parse_request_target(
                "/admin/orders?page=2", scheme="https", authority="orders.example.com"
            ),
            headers=Fields(HEADERS),
            received_ns=STARTED_NS,
        ),
        phase=Phase.ON_HTTP_REQUEST,
        results={"oauth": OAuthResult(Identity("dana@example.com"))},
    )  # fmt: skip


def environment() -> Environment:
    identity = ObjectType("identity", {"email": STRING}, nullable=True)
    oauth = Variable(
        name="actions.ngrok.oauth",
        type=ObjectType("oauth", {"identity": identity}, nullable=True),
        attribute="exchange.results",
        entry="oauth",
    )
    return Environment(
        phase=Phase.ON_HTTP_REQUEST,
        variables=(*declarations(()), oauth),
        functions=STANDARD_FUNCTIONS,
    )


def ours() -> Engine:
    where = environment()
    compiled = [compile_expression(row["expression"], where, expect=BOOL) for row in expressions()]
    return Engine(
        "penstock",
        lambda: Activation(fresh_exchange()),
        tuple(expression.evaluate for expression in compiled),
    )


def by_hand() -> Engine:
    """Return what an engineer would write in Python for the same ten decisions."""
    addresses = frozenset({"198.51.100.4", "192.0.2.9", "203.0.113.7"})
    refused = frozenset({"198.51.100.4", "192.0.2.9"})
    bearer = Matcher("^Bearer [A-Za-z0-9._-]+$")
    network = parse_network("203.0.113.0/24")
    first_of_2026_ns = 1_767_225_600_000_000_000

    def field(values: Any, name: str) -> str:
        found = values.req_headers.by_name.get(name)
        return found[0] if found else ""

    def email(values: Any) -> str:
        oauth = values.exchange.results.get("oauth")
        return "" if oauth is None or oauth.identity is None else oauth.identity.email

    return Engine(
        "hand-written lambda",
        lambda: Activation(fresh_exchange()),
        (
            lambda v: v.req_url_path.startswith("/admin") and v.req_method == "POST",
            lambda v: v.conn_client_ip in addresses,
            lambda v: "Firefox" in v.req_user_agent,
            lambda v: field(v, "x-api-version") == "2",
            lambda v: (
                "authorization" in v.req_headers.by_name
                and bearer.search(field(v, "authorization"))
            ),
            lambda v: email(v).endswith("@example.com"),
            lambda v: (
                len(v.req_headers.by_name.get("accept", ())) > 0
                and "accept-language" in v.req_headers.by_name
            ),
            lambda v: v.conn_ts_start.ns > first_of_2026_ns,
            lambda v: parse_address(v.conn_client_ip) in network,
            lambda v: (
                v.req_method in ("GET", "HEAD")
                and v.req_url_path.startswith("/admin")
                and v.conn_client_ip not in refused
                and field(v, "x-api-version") == "2"
                and "Mozilla" in v.req_user_agent
            ),
        ),
    )


def as_maps(started: Any) -> dict[str, Any]:
    """Return a fresh request as nested maps, which is what the peers take."""
    exchange = fresh_exchange()
    assert exchange.request is not None
    headers = exchange.request.headers.by_name
    return {
        "req": {
            "method": exchange.request.method,
            "url": {"path": exchange.request.url.path},
            "user_agent": headers["user-agent"][0],
            "headers": headers,
        },
        "conn": {"client_ip": exchange.connection.client_ip, "ts": {"start": started}},
        "actions": {"ngrok": {"oauth": {"identity": {"email": "dana@example.com"}}}},
    }


def in_cidr_range(address: Any, network: Any) -> bool:
    return ipaddress.ip_address(str(address)) in ipaddress.ip_network(str(network))


def cel_python(runner: str) -> Engine:
    import celpy
    from celpy import celtypes

    def range_function(address: Any, network: Any) -> Any:
        return celtypes.BoolType(in_cidr_range(address, network))

    runner_class = getattr(celpy, runner)
    where = celpy.Environment(runner_class=runner_class)
    runs: list[Callable[[Any], Any] | None] = []
    for row in expressions():
        tree = where.compile(row.get("shared", row["expression"]))
        if "inCidrRange" in row["expression"] and runner == "CompiledRunner":
            print("cel-python's compiled runner takes no functions of a caller: one left out")
            runs.append(None)
            continue
        program = where.program(tree, functions={"inCidrRange": range_function})
        runs.append(program.evaluate)
    moment = celtypes.TimestampType("2026-03-01T12:00:00Z")

    def prepare() -> Any:
        values = as_maps(None)
        activation = celpy.json_to_cel(values)
        activation[celtypes.StringType("conn")][celtypes.StringType("ts")][
            celtypes.StringType("start")
        ] = moment
        return {str(name): value for name, value in activation.items()}

    return Engine(f"cel-python, {runner}", prepare, tuple(runs))


def cel_expr_python() -> Engine | None:
    try:
        from cel_expr_python import cel
    except ImportError:
        print("cel-expr-python is not installed: left out (pip install cel-expr-python)")
        return None
    declared = dict.fromkeys(("req", "conn", "actions"), cel.Type.DYN)
    in_range = cel.FunctionDecl(
        "inCidrRange",
        [
            cel.Overload(
                "in_cidr_range",
                return_type=cel.Type.BOOL,
                parameters=[cel.Type.STRING, cel.Type.STRING],
                is_member=False,
                impl=in_cidr_range,
            )
        ],
    )
    where = cel.NewEnv(variables=declared, functions=[in_range])
    compiled = [where.compile(row.get("shared", row["expression"])) for row in expressions()]
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def run(expression: Any) -> Callable[[Any], Any]:
        return lambda activation: expression.eval(activation).value()

    return Engine(
        "cel-expr-python",
        lambda: where.Activation(as_maps(moment)),
        tuple(run(expression) for expression in compiled),
    )


def measure(engine: Engine, rounds: int) -> tuple[float, list[float]]:
    """Return the ns of a round, all evaluated, and of each expression alone."""
    totals: list[int] = []
    alone: list[list[int]] = [[] for _ in engine.runs]
    clock = time.perf_counter_ns
    for _ in range(rounds):
        values = engine.prepare()
        begin = clock()
        for run in engine.runs:
            if run is not None:
                run(values)
        totals.append(clock() - begin)
    for _ in range(rounds):
        values = engine.prepare()
        for index, run in enumerate(engine.runs):
            if run is not None:
                run(values)  # touches the variables, so that only the expression is measured
                begin = clock()
                run(values)
                alone[index].append(clock() - begin)
    overhead = _clock_overhead()
    return statistics.median(totals), [
        max(1.0, statistics.median(times) - overhead) if times else float("nan") for times in alone
    ]


def _clock_overhead() -> float:
    clock = time.perf_counter_ns
    times = []
    for _ in range(2_000):
        begin = clock()
        times.append(clock() - begin)
    return statistics.median(times)


def check_agreement(engines: list[Engine]) -> None:
    """Refuse to compare engines that decide differently."""
    wanted: list[bool | None] = []
    for engine in engines:
        values = engine.prepare()
        found = [None if run is None else bool(run(values)) for run in engine.runs]
        wanted = wanted or found
        for mine, other in zip(wanted, found, strict=True):
            if other is not None and mine is not other:
                sys.exit(f"{engine.name} decides differently: {found}, not {wanted}")


def compile_costs() -> tuple[float, float]:
    """Return the median µs to compile one expression, and the mean bytes that it then holds."""
    where = environment()
    texts = [row["expression"] for row in expressions()]
    for text in texts:
        compile_expression(text, where, expect=BOOL)
    times = []
    for _ in range(20):
        for text in texts:
            begin = time.perf_counter_ns()
            compile_expression(text, where, expect=BOOL)
            times.append(time.perf_counter_ns() - begin)
    kept: list[Expression] = []
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(20):
        kept += (compile_expression(text, where, expect=BOOL) for text in texts)
    gc.collect()
    held = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return statistics.median(times) / 1_000, held / len(kept)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=2_000)
    rounds = parser.parse_args().rounds
    engines = [
        engine
        for engine in (
            ours(),
            by_hand(),
            cel_expr_python(),
            cel_python("CompiledRunner"),
            cel_python("InterpretedRunner"),
        )
        if engine is not None
    ]
    check_agreement(engines)
    results = {
        engine.name: measure(engine, rounds if "cel-python" not in engine.name else rounds // 10)
        for engine in engines
    }
    report(results)


def report(results: dict[str, tuple[float, list[float]]]) -> None:
    base, our_times = results["penstock"]
    print("\nAll ten on a fresh request (variables computed within):")
    for name, (total, _) in results.items():
        print(f"  {name:<32}{total / 1_000:>10.1f} µs{total / base:>9.2f} x ours")
    print("\nEach alone, its variables computed before, in ns (ratio to the lambda):")
    lambda_times = results["hand-written lambda"][1]
    for row, our_ns, hand_ns in zip(expressions(), our_times, lambda_times, strict=True):
        print(f"  {row['name']:<32}{our_ns:>8.0f}{hand_ns:>8.0f}{our_ns / hand_ns:>8.2f}")
    compile_us, held = compile_costs()
    print(f"\nCompiling one expression: {compile_us:.0f} µs; it then holds {held / 1024:.1f} KiB")


if __name__ == "__main__":
    main()
