"""`penstock eval`: what the proxy would do, for people and for machines."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.console import ROOT, run

POLICY = """
on_tcp_connect:
  - name: Not this one
    expressions: ["conn.client_ip == '198.51.100.66'"]
    actions: [{type: close-connection}]
on_http_request:
  - name: Private
    expressions:
      - req.url.path.startsWith('/private')
      - "!('x-key' in req.headers) || req.headers['x-key'][0] != 'open'"
    actions: [{type: deny, config: {status_code: 451}}]
  - expressions: [req.url.path == '/teapot']
    actions: [{type: custom-response, config: {status_code: 418, body: "short, ${req.method}"}}]
  - expressions: [req.url.path == '/moved']
    actions: [{type: redirect, config: {from: /moved, to: /new}}]
  - expressions: ["req.url.path == '/broken' && [1][int(req.headers['n'][0])] == 1"]
    actions: [{type: deny}]
  - name: Count
    actions:
      - type: set-vars
        config: {vars: [{n: "${1 + 1}"}, {when: "${timestamp(time.now)}"}]}
      - type: add-headers
        config: {headers: {x-count: "${vars.n}"}}
on_http_response:
  - name: Hide failures
    expressions: [res.status_code >= 500]
    actions: [{type: custom-response, config: {status_code: 502, body: later}}]
  - actions:
      - type: set-vars
        config: {vars: [{seen: "${res.status_code}"}]}
      - type: add-headers
        config: {headers: {x-seen: "${vars.seen}"}}
"""
KEYS = [
    "outcome", "status", "reason", "phase", "rule", "action", "response", "upstream_request",
    "variables", "would_fetch", "own_path", "trace",
]  # fmt: skip


@pytest.fixture
def policy(tmp_path: Path) -> str:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY, "utf-8")
    return str(path)


def evaluated(policy: str, *arguments: str) -> dict[str, Any]:
    code, printed = run(["eval", policy, *arguments, "--json"])
    assert code == 0, printed
    found: dict[str, Any] = json.loads(printed)
    assert list(found) == KEYS
    return found


def test_a_forwarded_request_shows_both_messages(policy: str) -> None:
    found = evaluated(
        policy, "--url", "https://app.example.com/a?b=c", "-H", "X-Count: 9", "-H", "Accept: */*"
    )
    assert found["outcome"] == "forward"
    assert (found["status"], found["reason"], found["phase"]) == (200, None, None)
    assert (found["rule"], found["action"]) == (None, None)
    upstream = found["upstream_request"]
    assert (upstream["method"], upstream["url"]) == ("GET", "https://app.example.com/a?b=c")
    assert [value for name, value in upstream["headers"] if name.lower() == "x-count"] == ["2"]
    assert ["Accept", "*/*"] in upstream["headers"]
    assert ["x-forwarded-for", "127.0.0.1"] in upstream["headers"]
    assert found["response"] == {"status": 200, "headers": [["x-seen", "200"]], "body": ""}


def test_a_denial_names_rule_action_and_reason(policy: str) -> None:
    found = evaluated(policy, "--url", "/private/x")
    assert (found["outcome"], found["status"], found["reason"]) == ("respond", 451, "denied")
    assert (found["phase"], found["action"]) == ("on_http_request", "deny")
    assert found["rule"] == {"index": 0, "name": "Private"}
    assert found["response"] == {"status": 451, "headers": [], "body": ""}
    assert found["upstream_request"] is None


def test_an_answer_of_the_policy_passes_the_response_phase(policy: str) -> None:
    found = evaluated(policy, "--url", "/teapot", "--method", "PUT")
    assert (found["outcome"], found["reason"]) == ("respond", "custom-response")
    assert found["rule"] == {"index": 1, "name": None}
    assert found["response"]["body"] == "short, PUT"
    assert ["x-seen", "418"] in found["response"]["headers"]


def test_a_redirect_passes_the_response_phase(policy: str) -> None:
    found = evaluated(policy, "--url", "http://a.example/moved")
    assert (found["outcome"], found["status"], found["action"]) == ("respond", 302, "redirect")
    assert ["location", "http://a.example/new"] in found["response"]["headers"]
    assert ["x-seen", "302"] in found["response"]["headers"]


def test_a_closed_connection_has_no_status_and_no_response(policy: str) -> None:
    found = evaluated(policy, "--client-ip", "198.51.100.66")
    assert (found["outcome"], found["status"], found["phase"]) == ("close", None, "on_tcp_connect")
    assert found["response"] is None
    assert found["upstream_request"] is None


def test_a_failing_expression_refuses_and_has_no_action(policy: str) -> None:
    found = evaluated(policy, "--url", "/broken", "-H", "n: 5")
    assert (found["outcome"], found["status"]) == ("respond", 500)
    assert (found["reason"], found["action"]) == ("expression-failed", None)
    assert found["rule"]["index"] == 3
    assert ["ngrok-error-code", "ERR_NGROK_2254"] in found["response"]["headers"]
    failed = found["trace"][4]["expressions"][0]
    assert failed["error"]
    assert failed["value"] is None


def test_a_response_rule_that_answers_keeps_the_upstream_request(policy: str) -> None:
    found = evaluated(policy, "--upstream-status", "503", "--upstream-body", "secret stack trace")
    assert (found["outcome"], found["status"], found["phase"]) == (
        "respond", 502, "on_http_response",
    )  # fmt: skip
    assert found["upstream_request"] is not None
    assert "secret" not in json.dumps(found["response"])


def test_the_upstreams_answer_is_what_the_flags_say(policy: str) -> None:
    found = evaluated(
        policy, "--upstream-status", "201", "--upstream-header", "X-A: 1",
        "--upstream-header", "x-a: 2", "--upstream-body", "grüße",
    )  # fmt: skip
    response = found["response"]
    assert response["status"] == 201
    assert response["headers"][:2] == [["X-A", "1"], ["x-a", "2"]]
    assert ["content-length", "7"] in response["headers"]
    assert response["body"] == "grüße"


def test_variables_of_all_phases_and_results_are_shown(policy: str) -> None:
    found = evaluated(policy, "--time", "2026-07-14T09:30:00+02:00")
    assert found["variables"]["vars"] == {"n": 2, "when": "2026-07-14T07:30:00Z", "seen": 200}
    results = found["variables"]["actions"]["ngrok"]
    assert results["add_headers"]["headers_added"] == {"x-seen": "200"}


def test_the_trace_holds_every_rule_reached_or_not(policy: str) -> None:
    trace = evaluated(policy, "--url", "/private", "-H", "x-key: shut")["trace"]
    assert [(each["phase"], each["rule"]["index"]) for each in trace] == [
        ("on_tcp_connect", 0),
        *(("on_http_request", index) for index in range(5)),
        *(("on_http_response", index) for index in range(2)),
    ]
    assert [each["matched"] for each in trace] == [False, True, *[None] * 6]
    decided = trace[1]
    assert [each["value"] for each in decided["expressions"]] == [True, True]
    parts = {each["text"]: each["value"] for each in decided["expressions"][1]["parts"]}
    assert parts["req.headers['x-key'][0]"] == "shut"
    assert decided["actions"] == [
        {
            "type": "deny",
            "outcome": "respond",
            "status": 451,
            "reason": "denied",
            "checks": [],
            "result": None,
        }
    ]
    assert trace[2]["skipped_expressions"] == ["req.url.path == '/teapot'"]


def test_expressions_behind_a_false_one_are_not_evaluated(policy: str) -> None:
    rule = evaluated(policy, "--url", "/open")["trace"][1]
    assert rule["matched"] is False
    assert [each["value"] for each in rule["expressions"]] == [False]
    assert len(rule["skipped_expressions"]) == 1


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
        pytest.param(["--url", "http://a.example/%2fprivate"], 400,
                     "hidden-separator-or-control", id="path-read-in-two-ways"),
        pytest.param(["--method", "TRACE"], 405, "method-refused", id="refused-method"),
        pytest.param(["--method", "get"], 501, "unknown-method", id="method-in-lower-case"),
        pytest.param(["-H", "Content-Length: 3", "-H", "Transfer-Encoding: chunked"], 400,
                     "length-and-transfer-encoding", id="two-lengths"),
        pytest.param(["-H", "Host: a/b"], 400, "bad-host", id="odd-host"),
        pytest.param(["-H", f"x: {'y' * 9000}"], 431, "field-line-too-long", id="long-line"),
        pytest.param(["-H", "content-length: 9", "--body", "four"], 400, "incomplete-body",
                     id="short-body"),
    ],
)  # fmt: skip
def test_what_the_proxy_refuses_before_any_rule_is_refused_here(
    policy: str, arguments: list[str], status: int, reason: str
) -> None:
    found = evaluated(policy, *arguments)
    assert (found["outcome"], found["status"], found["reason"]) == ("respond", status, reason)
    assert (found["phase"], found["rule"], found["trace"]) == (None, None, [])


def test_a_path_with_an_encoded_slash_is_played_where_the_endpoint_keeps_it(policy: str) -> None:
    found = evaluated(policy, "--url", "http://a.example/x%2fy", "--keep-encoded-slashes")
    assert found["upstream_request"]["url"] == "http://a.example/x%2Fy"


RAW = "POST /private/a HTTP/1.1\r\nHost: h.example\r\nX-Key: open\r\nContent-Length: 2\r\n\r\nhi"


@pytest.mark.parametrize(
    ("raw", "url", "length"),
    [
        pytest.param(RAW, "http://h.example/private/a", "2", id="as-on-the-wire"),
        pytest.param(RAW.replace("\r\n", "\n"), "http://h.example/private/a", "2", id="bare-lf"),
        pytest.param(
            "POST https://h.example/private/a HTTP/1.1\nX-Key: open\n\nhello",
            "https://h.example/private/a", "5", id="full-url-without-host-and-length",
        ),
        pytest.param(
            "GET /a HTTP/1.1\nHost: h.example\nX-Key: open", "http://h.example/a", None,
            id="no-empty-line",
        ),
    ],
)  # fmt: skip
def test_a_request_file_is_played(
    policy: str, tmp_path: Path, raw: str, url: str, length: str | None
) -> None:
    (tmp_path / "request.http").write_bytes(raw.encode())
    found = evaluated(policy, str(tmp_path / "request.http"))
    assert found["outcome"] == "forward"
    assert found["upstream_request"]["url"] == url
    headers = {name.lower(): value for name, value in found["upstream_request"]["headers"]}
    assert headers.get("content-length") == length


def test_a_chunked_request_file_is_played(policy: str, tmp_path: Path) -> None:
    head = b"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    (tmp_path / "r.http").write_bytes(head + b"5\r\nhello\r\n0\r\n\r\n")
    assert evaluated(policy, str(tmp_path / "r.http"))["outcome"] == "forward"
    (tmp_path / "r.http").write_bytes(head + b"5\r\nhello\r\n")
    assert evaluated(policy, str(tmp_path / "r.http"))["reason"] == "incomplete-body"


def test_standard_input_is_a_request(policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(RAW.encode())))
    assert evaluated(policy, "-")["outcome"] == "forward"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(["--url", "/private"], 0, id="refused-without-the-flag"),
        pytest.param(["--url", "/private", "--exit-code"], 1, id="denied"),
        pytest.param(["--client-ip", "198.51.100.66", "--exit-code"], 1, id="closed"),
        pytest.param(["--url", "/%2f", "--exit-code"], 1, id="before-any-rule"),
        pytest.param(["--url", "/moved", "--exit-code"], 0, id="redirected"),
        pytest.param(["--url", "/open", "--exit-code"], 0, id="forwarded"),
        pytest.param(["--upstream-status", "404", "--exit-code"], 0, id="the-upstream-said-no"),
        pytest.param(["--client-ip", "10.1"], 2, id="no-address"),
        pytest.param(["--url", "ftp://a.example/"], 2, id="other-scheme"),
        pytest.param(["--header", "no colon"], 2, id="no-header"),
        pytest.param(["--header", "a: b\r\nc: d"], 2, id="line-break-in-a-header"),
        pytest.param(["--upstream-header", "nope"], 2, id="no-upstream-header"),
        pytest.param(["--upstream-status", "42"], 2, id="no-status"),
        pytest.param(["--time", "yesterday"], 2, id="no-time"),
        pytest.param(["--time", "2026-07-14T09:30:00"], 2, id="time-without-zone"),
        pytest.param(["request.http", "--url", "/"], 2, id="file-and-flags"),
        pytest.param(["no-such-request.http"], 1, id="missing-request"),
    ],
)
def test_the_exit_code_tells_yes_no_and_misuse(
    policy: str, arguments: list[str], expected: int
) -> None:
    code, printed = run(["eval", policy, *arguments])
    assert code == expected
    assert "Traceback" not in printed


def test_problems_of_the_policy_are_printed_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("on_http_request:\n  - actions: [{type: denny}]\n", "utf-8")
    code, printed = run(["eval", str(path), "--json"])
    assert code == 1
    assert printed.startswith(f"{path}:2:22: unknown-action: ")
    assert "did you mean 'deny'?" in printed


def test_a_missing_policy_is_one_clear_message() -> None:
    code, printed = run(["eval", "no-such-policy.yaml"])
    assert code == 1
    assert printed.startswith("no-such-policy.yaml:1:1: file-unusable: ")


def test_warnings_do_not_disturb_the_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("on_http_request:\n  actions: [{type: deny}]\n", "utf-8")
    _, printed = run(["eval", str(path), "--json"])
    warning, brace, rest = printed.partition("{")
    assert ": warning: phase-is-map: " in warning
    assert json.loads(brace + rest)["reason"] == "denied"
    assert capsys.readouterr().out == ""


def test_explain_shows_every_rule_and_why(policy: str) -> None:
    _, printed = run(["eval", policy, "--url", "/private", "--explain"])
    lines = printed.splitlines()
    assert 'on_http_request[0] "Private": matched' in lines
    assert "on_http_request[1]: not reached" in lines
    assert any(line.split("  ")[-1] == '"/private"' and "req.url.path " in line for line in lines)
    assert "  -> deny: respond 451: denied" in lines


def test_explain_shows_what_was_not_evaluated_and_what_failed(policy: str) -> None:
    _, printed = run(["eval", policy, "--url", "/broken", "-H", "n: 5", "--explain"])
    assert "on_http_request[3]: failed" in printed
    assert "is failed: " in printed
    assert "not evaluated" in printed
    assert "respond 500 Internal Server Error: expression-failed" in printed


def test_the_text_is_for_a_person_and_safe_on_a_terminal(policy: str) -> None:
    _, printed = run(
        ["eval", policy, "--upstream-header", "x: \x1b[2J", "--upstream-body", "a\x1b]0;b\x07"]
    )
    assert "\x1b" not in printed
    assert "< x: \\x1b[2J" in printed


def test_the_example_in_the_documentation_of_the_format_is_complete() -> None:
    page = (ROOT / "docs/machine-formats.md").read_text("utf-8")
    assert [key for key in KEYS if f"`{key}`" not in page] == []
