from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from actions.redirect import ACTION, REDIRECTED, Config, Result, run
from actions.url_replacement import INVALID_TARGET
from policy.action import Continue, Respond
from policy.exchange import Exchange

URL = "https://app.example.com/old/page?a=1"

TARGETS = {
    "another path": ({"from": "/old/", "to": "/new/"}, "https://app.example.com/new/page?a=1"),
    "a group": (
        {"from": r"/old/(\w+)\?a=(\d)", "to": "/$2/$1"},
        "https://app.example.com/1/page",
    ),
    "another host": (
        {"from": "^https://app.example.com/", "to": "https://new.example/"},
        "https://new.example/old/page?a=1",
    ),
    "the whole URL": ({"to": "https://new.example/"}, "https://new.example/"),
    "an absolute path": ({"to": "/x?y=z#part"}, "https://app.example.com/x?y=z#part"),
    "a relative path": ({"to": "next"}, "https://app.example.com/old/next"),
    "only a query": ({"to": "?b=2"}, "https://app.example.com/old/page?b=2"),
    "the same path on another host": ({"to": "//new.example/a"}, "https://new.example/a"),
    "everything by a path": ({"from": ".*", "to": "/x"}, "https://app.example.com/x"),
    "spaces": ({"to": "/a b"}, "https://app.example.com/a%20b"),
    "letters outside ASCII": ({"to": "/é"}, "https://app.example.com/%C3%A9"),
    "a backslash": ({"to": "/\\evil.example"}, "https://app.example.com/%5Cevil.example"),
    "concatenation as documented": (
        {"from": "/old/.*", "to": "https://new.example/"},
        "https://app.example.comhttps://new.example/",
    ),
}


def config(**fields: Any) -> Config:
    return Config.model_validate(fields)


@pytest.mark.parametrize(("fields", "target"), TARGETS.values(), ids=TARGETS)
def test_the_client_is_sent_to_the_result(
    exchange: Exchange, fields: dict[str, Any], target: str
) -> None:
    outcome = run(config(**fields), exchange)
    assert isinstance(outcome, Respond)
    assert outcome.status_code == 302
    assert outcome.reason == REDIRECTED
    assert outcome.headers == (("location", target),)
    assert outcome.body == b""
    assert outcome.runs_response_phase
    assert outcome.result is not None
    assert outcome.result.url == target


def test_without_a_match_nothing_happens(exchange: Exchange) -> None:
    outcome = run(config(**{"from": "^/old", "to": "/new"}), exchange)
    assert outcome == Continue(Result(matches=[], url=URL))


@pytest.mark.parametrize(
    "fields", [{"to": URL}, {"to": "/old/page?a=1"}, {"from": "old", "to": "old"}, {"to": ""}]
)
def test_the_same_url_is_no_redirect(exchange: Exchange, fields: dict[str, Any]) -> None:
    assert isinstance(run(config(**fields), exchange), Continue)


def test_status_and_fields_can_be_chosen(exchange: Exchange) -> None:
    headers = {"Cache-Control": "no-store", "Location": "https://evil.example/"}
    outcome = run(config(to="/x", status_code=308, headers=headers), exchange)
    assert isinstance(outcome, Respond)
    assert outcome.status_code == 308
    assert outcome.headers == (
        ("cache-control", "no-store"),
        ("location", "https://app.example.com/x"),
    )


@pytest.mark.parametrize("to", ["/a\r\nSet-Cookie: x", "/a\nb", "/\0"])
def test_a_control_character_ends_the_request(exchange: Exchange, to: str) -> None:
    outcome = run(config(to=to), exchange)
    assert isinstance(outcome, Respond)
    assert (outcome.status_code, outcome.reason, outcome.headers) == (500, INVALID_TARGET, ())
    assert outcome.error_code == "ERR_NGROK_2300"
    assert not outcome.runs_response_phase
    assert outcome.result is not None
    assert outcome.result.error is not None


def test_all_matches_are_told(exchange: Exchange) -> None:
    outcome = run(config(**{"from": "p+", "to": "q"}), exchange)
    assert outcome.result is not None
    assert outcome.result.matches == ["p", "pp", "p", "p"]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"location": "/x"},
        {"to": "/x", "status_code": 200},
        {"to": "/x", "status_code": 304},
        {"to": "/x", "status_code": 309},
        {"to": "/x", "from": "("},
        {"to": "/x", "headers": {"connection": "close"}},
    ],
)
def test_a_bad_configuration_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config(**fields)


def test_without_a_request_there_is_nothing_to_redirect(exchange: Exchange) -> None:
    exchange.request = None
    assert run(config(to="/x"), exchange) == Continue()


def test_a_pattern_on_the_path_alone_is_warned_of() -> None:
    assert ACTION.lint(config(**{"from": "^/a", "to": "/b"}))


def test_only_without_a_pattern_it_is_an_answer_to_everything() -> None:
    assert ACTION.answers(config(to="/x"))
    assert not ACTION.answers(config(**{"from": "a", "to": "/x"}))
    assert not ACTION.terminates(config(to="/x"))
