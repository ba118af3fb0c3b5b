"""Loading policies of 1,000 and 5,000 rules: how long, how evenly, and against what.

The rules are of ten kinds, in all phases, with names, addresses and expressions that all differ.
Times are of the processor, so that what else runs does not count. "Reading" is PyYAML's C parser
alone on the same text, the least that any loader must do: the ratios are to that, so that they
compare between machines.

    python bench/load.py [--rules N ...] [--profile]
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import statistics
import time
from collections.abc import Callable
from typing import Any

import yaml

from actions import LANGUAGE
from policy.compiled import Policy
from policy.load import load_policy

TARGET_S = 3.0
"""For 1,000 rules."""

HTTP_REQUEST_RULES = (
    """  - name: admin {n}
    expressions:
      - req.url.path.startsWith('/admin/{n}/') && req.method == 'POST'
    actions: [{{type: deny, config: {{status_code: 403}}}}]
""",
    """  - name: addresses {n}
    expressions: ["conn.client_ip in ['198.51.100.{byte}', '192.0.2.{byte}']"]
    actions:
      - type: custom-response
        config: {{status_code: 451, body: "no entry for ${{conn.client_ip}} ({n})"}}
""",
    """  - expressions:
      - "!req.user_agent.contains('agent-{n}')"
      - req.headers['x-team-{n}'][0].matches('^team-[a-z0-9]{{3,9}}-{n}$')
    actions:
      - type: add-headers
        config:
          headers: {{x-team: team-{n}, "x-agent": "${{req.user_agent}}", x-number: {n}}}
""",
    """  - name: moved {n}
    actions:
      - type: redirect
        config: {{from: "^/old-{n}/(.*)$", to: "/new-{n}/$1", status_code: 308}}
""",
    """  - name: network {n}
    actions:
      - type: restrict-ips
        config: {{enforce: false, allow: [10.0.0.0/8, 172.16.{byte}.0/24, "2001:db8:{n:x}::/48"]}}
""",
    """  - name: variables {n}
    expressions: ["size(req.headers['accept']) > {byte} || has(req.headers['x-{n}'])"]
    actions:
      - type: set-vars
        config:
          vars: [tenant: "tenant-{n}", path: "${{req.url.path.lowerAscii()}}-{n}"]
      - type: log
        config: {{metadata: {{rule: "{n}", method: "${{req.method}}"}}}}
""",
    """  - name: rewritten {n}
    expressions: [req.url.path.startsWith('/service-{n}/'), "req.cookies['beta'][0].value == '{n}'"]
    actions:
      - type: url-rewrite
        config: {{from: "/service-{n}/(.*)", to: "/v{byte}/$1"}}
""",
)
OTHER_RULES = (
    """  - expressions: ["res.status_code >= 500 && req.url.path.endsWith('/{n}')"]
    actions: [{{type: remove-headers, config: {{headers: [x-internal-{n}, server]}}}}]
""",
    """  - name: stamped {n}
    actions:
      - type: add-headers
        config: {{headers: {{x-rule: "{n}", x-status: "${{string(res.status_code)}}"}}}}
""",
)
CONNECTION_RULE = """  - name: connection {n}
    expressions: ["inCidrRange(conn.client_ip, '203.0.{byte}.0/24')"]
    actions: [{{type: close-connection}}]
"""


def document(rules: int) -> str:
    """Write a policy with that many rules."""
    connection, responses = rules // 10, rules // 5
    return "".join(
        (
            "on_tcp_connect:\n",
            *(filled(CONNECTION_RULE, n) for n in range(connection)),
            "on_http_request:\n",
            *(
                filled(HTTP_REQUEST_RULES[n % len(HTTP_REQUEST_RULES)], n)
                for n in range(rules - connection - responses)
            ),
            "on_http_response:\n",
            *(filled(OTHER_RULES[n % len(OTHER_RULES)], n) for n in range(responses)),
        )
    )


def filled(rule: str, number: int) -> str:
    return rule.format(n=number, byte=number % 250)


def load(text: str) -> Policy:
    return load_policy(text, name="bench.yml", language=LANGUAGE)


def read(text: str) -> Any:
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def seconds(run: Callable[[str], Any], text: str, rounds: int) -> float:
    times = []
    for _ in range(rounds):
        gc.collect()
        begin = time.process_time()
        run(text)
        times.append(time.process_time() - begin)
    return statistics.median(times)


def profile(text: str) -> None:
    profiler = cProfile.Profile()
    profiler.runcall(load, text)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(45)
    pstats.Stats(profiler).sort_stats("cumulative").print_stats(70)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rules", type=int, nargs="+", default=[100, 1_000, 5_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", action="store_true", help="Show where the time goes.")
    options = parser.parse_args()
    load(document(100))  # tables and adapters are made once in a process
    if options.profile:
        profile(document(options.rules[0]))
        return
    print(f"{'rules':>8}{'seconds':>10}{'µs/rule':>10}{'x reading':>12}")
    for rules in options.rules:
        text = document(rules)
        ours, least = (seconds(run, text, options.rounds) for run in (load, read))
        print(f"{rules:>8}{ours:>10.2f}{ours / rules * 1e6:>10.0f}{ours / least:>12.1f}")
        if rules == 1_000:
            print(f"{'':8}{ours / TARGET_S:>10.2f} of the {TARGET_S:.0f} s that it may take")


if __name__ == "__main__":
    main()
