"""Credentials are planted wherever one can stand, and looked for in everything that comes out.

Security T-LG-1: events, messages to the operator, metrics, error answers, evaluations.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from pathlib import Path

import pytest

from tests.console import run
from tests.proxy.rig import origin
from tests.proxy.serving import ask, plan_for, serving, until
from tests.proxy.test_server import load_from, said

# Each marker has a number of its own: a failure shows which one came out, and where.
MARKER = "mark%02dsecret"
PASSWORD = MARKER % 1
GUESS = MARKER % 2
QUERY = f"token={MARKER % 3}&client_secret={MARKER % 4}&password=%6d{(MARKER % 5)[1:]}&q=1"
REQUEST = f"""GET /?{QUERY} HTTP/1.1
Host: app.test
Authorization: Basic {base64.b64encode(f"alice:{PASSWORD}".encode()).decode()}
Proxy-Authorization: Bearer {MARKER % 6}
Cookie: session={MARKER % 7}; theme={MARKER % 8}
"""
ANSWER = (
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
    f"Set-Cookie: sid={MARKER % 9}; Path=/\r\nSet-Cookie: other={MARKER % 10}\r\n\r\nok"
)
POLICY = f"""
on_http_request:
  - actions:
      - type: log
        config:
          metadata:
            everything: ${{req.headers}}
            harmless: "${{req.headers['cookie'][0]}} ${{req.headers['authorization'][0]}}"
            query: ${{req.url.query_params}}
            where: ${{req.url.query}}
            named: ${{req.url.query_params['token'][0]}}
  - actions:
      - type: basic-auth
        config: {{credentials: ["alice:{PASSWORD}"]}}
on_http_response:
  - actions:
      - type: log
        config: {{metadata: {{cookies: "${{res.headers['set-cookie']}}"}}}}
"""


def found(text: str) -> set[str]:
    encoded = base64.b64encode(f"alice:{PASSWORD}".encode()).decode().rstrip("=")
    return set(re.findall(r"mark\d\dsecret", text.replace("%6d", "m"))) | (
        {encoded} if encoded in text else set()
    )


async def exchange(port: int, request: str) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request.replace("\n", "\r\n").encode() + b"Connection: close\r\n\r\n")
    answer = (await asyncio.wait_for(reader.read(), 10)).decode()
    writer.close()
    return answer


async def test_no_event_message_metric_or_refusal_holds_a_credential() -> None:
    async with (
        origin(ANSWER.encode()) as behind,
        serving(plan_for(behind.port, POLICY), admin=True) as running,
    ):
        assert (await exchange(running.port, REQUEST)).startswith("HTTP/1.1 200 ")
        assert MARKER % 3 in behind.received[0].target
        wrong = base64.b64encode(f"alice:{GUESS}".encode()).decode()
        refused = [
            await exchange(
                running.port, re.sub(r"(?<=Authorization: Basic ).*", wrong, REQUEST, count=1)
            ),
            await exchange(running.port, REQUEST.replace("GET /", f"GET /..;/{MARKER % 11}")),
            await exchange(running.port, REQUEST.replace("Host: app.test\n", "")),
            await exchange(running.port, REQUEST + f"Cookie : {MARKER % 12}\n"),
        ]
        assert [answer[9:12] for answer in refused] == ["401", "400", "400", "400"]
        await until(lambda: len(running.events()) == 5)
        _, metrics = await ask(running.admin_port, "/metrics", host="localhost")
        _, ready = await ask(running.admin_port, "/readyz", host="localhost")
        events = json.dumps(running.events())
        messages = "\n".join(running.said)
    assert '"query": "token=***&client_secret=***&password=***&q=1"' in events
    for text in (events, messages, metrics, ready, *refused):
        assert found(text) == set()


async def test_a_bad_policy_is_told_without_its_passwords(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yml"
    policy.write_text(POLICY)
    async with serving(load=load_from(policy, 1), admin=True) as running:
        policy.write_text(
            "on_http_request: [{actions: [{type: basic-auth, config: {relm: x, credentials: "
            f'["alice:{PASSWORD}"]}}}}]}}]\n'
        )
        await said(running, "the old configuration stays")
        _, ready = await ask(running.admin_port, "/readyz", host="localhost")
    assert found("\n".join(running.said) + ready) == set()


EVALUATED = (
    POLICY
    + """
  - expressions: ["req.headers['authorization'][0] == 'x'"]
    actions: [{type: add-headers, config: {headers: {x: y}}}]
  - actions:
      - type: set-vars
        config:
          vars:
            - kept: "${req.cookies['session'][0].value}"
            - long: "${'LONG' + req.headers['cookie'][0]}"
"""
)


def evaluation(folder: Path, *flags: str) -> str:
    policy, request = folder / "policy.yml", folder / "request"
    # Long enough for its end to be cut in the middle of the cookie.
    policy.write_text(EVALUATED.replace("LONG", "x" * 105))
    request.write_text(REQUEST.replace("\n", "\r\n") + "\r\n")
    code, printed = run(
        ["eval", str(policy), str(request), *flags, "--upstream-header",
         f"set-cookie: sid={MARKER % 9}"],
    )  # fmt: skip
    assert code == 0, printed
    assert "password-in-clear-text" in printed
    return printed


@pytest.mark.parametrize("flags", [("--json",), (), ("--explain",)], ids=["json", "text", "all"])
def test_an_evaluation_shows_no_credential(tmp_path: Path, flags: tuple[str, ...]) -> None:
    printed = evaluation(tmp_path, *flags)
    if "--json" in flags:
        assert json.loads(printed[printed.index("{\n") :])["trace"][0]["actions"]
    assert "***" in printed
    assert found(printed) == set()
    # Nor the beginning of one that was cut because it was too long to show.
    assert "mark0" not in printed


@pytest.mark.parametrize("flags", [("--json",), ("--explain",)], ids=["json", "text"])
def test_credentials_are_shown_to_who_asks_for_them(tmp_path: Path, flags: tuple[str, ...]) -> None:
    assert MARKER % 7 in found(evaluation(tmp_path, *flags, "--show-secrets"))
