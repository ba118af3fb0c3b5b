from __future__ import annotations

import pytest
from pydantic import ValidationError

from actions.custom_response import ACTION, ANSWERED, Config, content_type, lint, run
from policy.action import Respond
from policy.config_types import Pending
from policy.exchange import Exchange

BODIES = {
    "object": ('{"a": 1}', "application/json"),
    "array behind space": (" \n[1]", "application/json"),
    "broken object": ('{"a": 1', "text/plain"),
    "template braces": ("{name}", "text/plain"),
    "bare number": ("1", "text/plain"),
    "too deep for a parser": ("[" * 100_000, "text/plain"),
    "doctype": ("<!DOCTYPE html><p>", "text/html"),
    "html": ("\n<html lang='en'>", "text/html"),
    "other tag": ("<b>x</b>", "text/plain"),
    "html in the middle": ("a <html>", "text/plain"),
    "html as part of a name": ("<htmlx>", "text/plain"),
    "xml": ('<?xml version="1.0"?><a/>', "application/xml"),
    "text": ("hello", "text/plain"),
}


@pytest.mark.parametrize(("body", "expected"), BODIES.values(), ids=BODIES)
def test_the_content_type_is_read_off_the_body(body: str, expected: str) -> None:
    assert content_type(body) == f"{expected}; charset=utf-8"


def test_without_config_it_is_an_empty_200(exchange: Exchange) -> None:
    assert run(Config(), exchange) == Respond(
        status_code=200, reason=ANSWERED, runs_response_phase=True
    )


def test_fields_and_body_are_sent(exchange: Exchange) -> None:
    config = Config(status_code=503, headers={"Retry-After": "5"}, body="soon é\udcff")
    outcome = run(config, exchange)
    assert outcome.status_code == 503
    assert outcome.headers == (
        ("content-type", "text/plain; charset=utf-8"),
        ("retry-after", "5"),
    )
    assert outcome.body == "soon é".encode() + b"\xff"
    assert outcome.runs_response_phase


def test_a_content_type_of_the_policy_stays(exchange: Exchange) -> None:
    config = Config(headers={"Content-Type": "text/css"}, body="{}")
    assert run(config, exchange).headers == (("content-type", "text/css"),)


def test_a_fixed_response_is_made_once(exchange: Exchange) -> None:
    config = Config(body="x")
    assert run(config, exchange) is run(config, exchange)


@pytest.mark.parametrize("status_code", [204, 304])
def test_a_body_where_none_fits_is_refused(status_code: int) -> None:
    with pytest.raises(ValidationError, match="has no body"):
        Config(status_code=status_code, body="x")
    assert Config(status_code=status_code).body == ""


@pytest.mark.parametrize(
    "name",
    ["Content-Length", "transfer-encoding", "Connection", "ngrok-error-code", "Transfer_Encoding"],
)
def test_fields_of_the_proxy_itself_are_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="written by the proxy"):
        Config(headers={name: "x"})


@pytest.mark.parametrize("value", ["a\r\nX: 1", "a\nb", "a\0"])
def test_a_value_with_a_line_break_is_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        Config(headers={"x-a": value})


def test_eleven_fields_are_too_many() -> None:
    with pytest.raises(ValidationError, match="at most 10"):
        Config(headers={f"x-{number}": "1" for number in range(11)})


def test_a_body_that_is_a_value_should_have_a_content_type() -> None:
    doubtful = Config(body=Pending("${req.url.query}"))
    assert [finding.code for finding in lint(doubtful)] == ["content-type-from-value"]
    named = Config(body=Pending("${req.url.query}"), headers={"Content-Type": "text/plain"})
    assert lint(named) == ()
    assert lint(Config(body=Pending("Hello ${req.url.query}"))) == ()
    assert lint(Config(body="fixed")) == ()


def test_nothing_runs_behind_it() -> None:
    assert ACTION.terminates(Config())
