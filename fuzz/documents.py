"""Targets that read what authors write: policies, expressions, templates, configurations."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from actions import LANGUAGE
from fuzz.target import Target, text_of
from penstock.sample_exchange import exchange_for, request_of
from penstock.sample_request import parse_sample
from policy.cel import CelError, ExpressionError, Finding, Limits, compile_expression
from policy.duration import DurationError, parse_duration_ns, render_duration
from policy.exchange import Exchange
from policy.load import load_policy
from policy.net import parse_address
from policy.phase import Phase
from policy.problem import PolicyError, Problem, render_problem
from policy.source import parse_source
from policy.template import InterpolationError, TemplateError, parse_template
from policy.variables import Activation, environment
from proxy.config import plan_of

ROOT = Path(__file__).resolve().parent.parent
NAMES = environment(Phase.ON_HTTP_REQUEST, LANGUAGE.actions.values(), Limits())
NOW_NS = 1_772_366_400_000_000_000
SAMPLE = parse_sample(
    b"GET /admin/a?page=2 HTTP/1.1\r\nHost: a.test\r\nUser-Agent: Mozilla/5.0 (X11)\r\n"
    b"Cookie: session=4f1c\r\nX-Odd: \xff\xed\xa0\x80\r\n\r\n",
    scheme="https",
)


def activation() -> Activation:
    exchange: Exchange = exchange_for(SAMPLE, client=parse_address("203.0.113.7"), now_ns=NOW_NS)
    exchange.request = request_of(SAMPLE, now_ns=NOW_NS)
    exchange.phase = Phase.ON_HTTP_REQUEST
    return Activation(exchange)


def policy(data: bytes) -> None:
    """Every problem has a place in the document, and can be shown."""
    try:
        problems = load_policy(data, name="fuzz.yml", language=LANGUAGE).warnings
    except PolicyError as error:
        problems = error.problems
        assert problems
    check_problems(problems)


def configuration(data: bytes) -> None:
    try:
        root = parse_source(data, name="penstock.yml")
    except PolicyError as error:
        check_problems(error.problems)
        return
    check_problems(plan_of(root, name="penstock.yml", folder=Path()).problems)


def check_problems(problems: tuple[Problem, ...]) -> None:
    for problem in problems:
        render_problem(problem)
        problem.as_json()
        assert problem.place.line >= 1
        assert 1 <= problem.place.column <= problem.place.end_column


def expression(data: bytes) -> None:
    """Give a value or an error of the language; findings have their places."""
    text = text_of(data)
    try:
        compiled = compile_expression(text, NAMES)
    except ExpressionError as error:
        check_findings(error.findings, text)
        return
    check_findings(compiled.warnings, text)
    values = activation()
    with suppress(CelError):
        compiled.evaluate(values)
    compiled.explain(values)


def template(data: bytes) -> None:
    text = text_of(data)
    try:
        found = parse_template(text, NAMES)
    except TemplateError as error:
        check_findings(error.findings, text)
        return
    if isinstance(found, str):
        return
    check_findings(found.warnings, text)
    with suppress(InterpolationError):
        assert isinstance(found.render(activation()), str)
        found.value(activation())


def check_findings(findings: tuple[Finding, ...] | list[Finding], text: str) -> None:
    for finding in findings:
        assert finding.message
        assert 0 <= finding.start <= finding.end <= len(text)


def duration(data: bytes) -> None:
    try:
        found = parse_duration_ns(text_of(data))
    except DurationError:
        return
    assert parse_duration_ns(render_duration(found)) == found


def examples(pattern: str) -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in sorted(ROOT.glob(pattern)))


CEL_WORDS = (
    "req.headers['", "req.url.path", "req.method", "conn.client_ip", "conn.geo.", "vars.",
    "actions.ngrok.", "req.cookies[", "req.user_agent.", ".startsWith(", ".matches(", ".split(",
    ".map(x, ", ".filter(x, ", ".exists(x, ", ".all(x, ", "has(", "size(", "inCidrRange(",
    "timestamp(", "duration(", "string(", "bytes(", "int(", "double(", "hash.sha256(",
    "encodeJson(", "decodeJson(", "rand.int(", " && ", " || ", " ? ", " in ", "true", "null",
    "b'", "r'", "'''", "\\u", "9223372036854775807", "0xff", "1e308", "1u", "[1, 2]", "{'a': 1}",
)  # fmt: skip
EXPRESSION_SEEDS = (
    b"req.url.path.startsWith('/admin') && !(req.method in ['GET', 'HEAD'])",
    b"[1, 2u, 3.0].map(x, x > 1, string(x)).exists(y, y == '2')",
    b"has(req.headers['x-odd']) ? req.headers['x-odd'][0].matches('^a+$') : true",
    b"timestamp('2026-03-01T12:00:00Z') + duration('90m') > conn.ts.start",
    b"{'a': b'\\xff', 'c': r'\\d'}['a'] == bytes('x') || 9223372036854775807 + 1 > 0",
)
POLICY_WORDS = (
    "on_http_request:", "on_tcp_connect:", "on_http_response:", "expressions:", "actions:",
    "- type: ", "config:", "deny", "custom-response", "add-headers", "set-vars", "redirect",
    "url-rewrite", "restrict-ips", "headers:", "status_code:", "${", "$${", "&a ", "*a", "!!str",
    "|-\n", ">\n", "? ", "<<: ",
)  # fmt: skip

DOCUMENT_TARGETS = (
    Target(
        name="policy",
        run=policy,
        seeds=(
            *examples("policies-examples/*/policy.yaml"),
            b'{"on_http_request": [{"actions": [{"type": "deny"}]}]}',
        ),
        words=POLICY_WORDS,
    ),
    Target(
        name="configuration",
        run=configuration,
        seeds=(
            *examples("tests/cases/config/*.yml"),
            b"version: 3\nendpoints: [{name: a, url: https://a.test, upstream: {url: 8080}}]\n",
        ),
        words=("endpoints:", "listeners:", "upstream:", "trusted_proxies:", "tls:", "limits:"),
    ),
    Target(name="expression", run=expression, seeds=EXPRESSION_SEEDS, words=CEL_WORDS),
    Target(
        name="template",
        run=template,
        seeds=(
            b"from ${conn.client_ip} to $${x} ${req.method.lowerAscii()}",
            b'${"a" + \\"b\\"}$1 ${[1, {}]}',
            *(b"${" + seed + b"}" for seed in EXPRESSION_SEEDS),
        ),
        words=("${", "$${", "}", '\\"', *CEL_WORDS),
    ),
    Target(name="duration", run=duration, seeds=(b"1h30m", b"-1.5us", b"0"), words=("ms", "ns")),
)
