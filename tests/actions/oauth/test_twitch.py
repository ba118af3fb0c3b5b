from __future__ import annotations

from typing import Any

import pytest

from tests.actions.oauth.accounts import ACCOUNTS
from tests.actions.oauth.scripts import CLIENT_ID, TOKEN, Script, answer, settings

ACCOUNT = ACCOUNTS["twitch"]


def test_the_token_is_shown_as_twitch_wants_it() -> None:
    played = Script(ACCOUNT.answers)
    played.finish(settings("twitch"))
    assert played.header(1, "authorization") == f"OAuth {TOKEN}"
    assert played.header(2, "client-id") == CLIENT_ID


@pytest.mark.parametrize("data", [[], [{"id": "1"}, {"id": "2"}], None, [1]])
def test_exactly_one_user_is_somebody(data: Any) -> None:
    played = Script({**ACCOUNT.answers, ACCOUNT.about: answer({"data": data})})
    assert played.finish(settings("twitch")).reason == "provider-answer-unusable"


def test_without_the_permission_there_is_no_address() -> None:
    user = {"data": [{"id": "141", "login": "ada", "email": ""}]}
    played = Script({**ACCOUNT.answers, ACCOUNT.about: answer(user)})
    assert played.finish(settings("twitch")).person.email == ""
