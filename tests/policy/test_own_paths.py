"""Paths that actions answer by themselves, before any rule."""

from __future__ import annotations

from collections.abc import Generator
from typing import Annotated, Any

import pytest

from actions import LANGUAGE
from policy.action import Action, ActionConfig, Continue, Doc, Exchange, Outcome, Respond, Site
from policy.compiled import Policy
from policy.effect import Effect, Now
from policy.evaluation import Evaluation, UpstreamAnswer, evaluate
from policy.load import Language, load_policy
from policy.phase import Phase
from policy.problem import PolicyError
from tests import exchanges


class Config(ActionConfig):
    auth_id: Annotated[str | None, Doc("Its name.")] = None
    declines: Annotated[bool, Doc("Leave it to others.")] = False
    gives_way: Annotated[bool, Doc("Let rules answer.")] = False


def serve(
    config: Config,
    _exchange: Exchange,
    is_last: bool,  # noqa: FBT001 - a Site's
) -> Generator[Effect, Any, Outcome[Any]]:
    yield Now()
    if config.declines and not is_last:
        return Continue()
    return Respond(
        status_code=200,
        reason=f"served-{config.auth_id}",
        headers=(("set-cookie", "own=; Max-Age=0"),),
        rules_may_replace=config.gives_way,
    )


def run(_config: Config, _exchange: Exchange) -> Outcome[Any]:
    return Respond(status_code=401, reason="guarded")


ACTION = Action(
    name="guard",
    phases=frozenset({Phase.ON_HTTP_REQUEST}),
    config=Config,
    run=run,
    site=Site(
        paths=frozenset({"/own"}),
        auth_id=lambda config: config.auth_id,
        cookies=lambda config: frozenset({f"own.{config.auth_id}"}),
        serve=serve,
    ),
)


def policy(text: str) -> Policy:
    language = Language(actions={**LANGUAGE.actions, "guard": ACTION})
    return load_policy(text, name="policy.yml", language=language)


def ask(loaded: Policy, target: str) -> Evaluation:
    request = exchanges.request(target)
    return evaluate(loaded, exchanges.exchange(request), request, b"", UpstreamAnswer())


def reason(loaded: Policy, target: str) -> str | None:
    decision = ask(loaded, target).decision
    return None if decision is None else decision.reason


NEVER = (
    "on_http_request:\n"
    "- expressions: [\"req.url.path == '/never'\"]\n"
    "  actions: [{type: guard}]\n"
    "- actions: [{type: deny}]\n"
)


def test_a_path_is_answered_wherever_its_rule_stands() -> None:
    loaded = policy(NEVER)
    assert reason(loaded, "/own") == "served-None"
    assert reason(loaded, "/own/deeper") == "denied"
    answered = ask(loaded, "/own").decision
    assert answered is not None
    assert (answered.action, answered.rule) == ("guard", None)


TWO = (
    "on_http_request:\n"
    "- actions: [{type: guard, config: {auth_id: a, declines: true}}]\n"
    "- actions: [{type: guard, config: {auth_id: b}}]\n"
)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/own?auth_id=a", "served-a"),
        ("/own?auth_id=b", "served-b"),
        ("/own?auth_id=c", "unknown-auth-id"),
        ("/own?auth_id=a&auth_id=b", "unknown-auth-id"),
        ("/own", "served-b"),
    ],
)
def test_several_are_told_apart_by_name_and_else_tried_in_turn(target: str, expected: str) -> None:
    assert reason(policy(TWO), target) == expected


GIVES_WAY = (
    "on_http_request:\n"
    "- actions: [{type: deny, config: {status_code: 418}}]\n"
    "- expressions: [\"req.url.path == '/own'\"]\n"
    "  actions: [{type: custom-response, config: {status_code: 200, body: bye}}]\n"
    "- expressions: ['true']\n"
    "  actions: [{type: guard, config: {gives_way: true}}]\n"
)


def test_a_default_gives_way_to_a_rule_that_is_about_the_path() -> None:
    answer = ask(policy(GIVES_WAY), "/own")
    assert answer.response is not None
    assert answer.response.body == b"bye"
    assert ("set-cookie", "own=; Max-Age=0") in answer.response.headers


REFUSALS = {
    "a denial": "{expressions: ['true'], actions: [{type: deny}]}",
    "a closed connection": "{expressions: ['true'], actions: [{type: close-connection}]}",
    "a failure": "{expressions: ['int(req.method) == 1'], actions: [{type: deny}]}",
}


@pytest.mark.parametrize("rule", REFUSALS.values(), ids=REFUSALS)
def test_a_default_does_not_give_way_to_what_refuses(rule: str) -> None:
    """Rules about who is logged in would refuse everybody who logs out."""
    guard = "{expressions: ['true'], actions: [{type: guard, config: {gives_way: true}}]}"
    assert reason(policy(f"on_http_request: [{rule}, {guard}]"), "/own") == "served-None"
    bye = "{expressions: ['true'], actions: [{type: custom-response, config: {status_code: 200}}]}"
    assert reason(policy(f"on_http_request: [{rule}, {bye}, {guard}]"), "/own") == "custom-response"


def test_a_default_stands_where_no_rule_is_about_the_path() -> None:
    text = "on_http_request: [{actions: [{type: guard, config: {gives_way: true}}]}]"
    assert reason(policy(text), "/own") == "served-None"


def test_2239_no_two_have_the_same_name() -> None:
    text = "on_http_request: [{actions: [{type: guard}]}, {actions: [{type: guard}]}]"
    with pytest.raises(PolicyError) as refused:
        policy(text)
    (problem, *_) = [each for each in refused.value.problems if each.code == "login-twice"]
    assert problem.reference == "ERR_NGROK_2239"


def test_cookies_of_all_of_them_are_known() -> None:
    assert policy(TWO).own_cookies == {"own.a", "own.b"}


def test_an_explanation_shows_what_answered() -> None:
    record = ask(policy(NEVER), "/own").trace.own_path
    assert record is not None
    assert (record.type, record.outcome, record.reason) == ("guard", "respond", "served-None")
