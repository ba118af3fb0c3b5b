from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from actions.login.protocol import LoggedIn
from tests.actions.oauth.accounts import ACCOUNTS
from tests.actions.oauth.scripts import CLIENT_ID, SECRET, Script, answer, settings

ACCOUNT = ACCOUNTS["facebook"]


def finished(permissions: Any) -> Any:
    about = {**ACCOUNT.answers[ACCOUNT.about], "permissions": permissions}
    played = Script({**ACCOUNT.answers, ACCOUNT.about: answer(about)})
    return played.finish(settings("facebook"))


def test_a_declined_permission_is_no_login() -> None:
    refused = finished({"data": [{"permission": "email", "status": "declined"}]})
    assert (refused.status_code, refused.reason) == (403, "permission-missing")
    assert refused.error_code == "ERR_NGROK_3101"


@pytest.mark.parametrize(
    "permissions",
    [
        None,
        [],
        {"data": 1},
        {"data": [1]},
        {"data": [{"permission": "user_friends", "status": "declined"}]},
    ],
)
def test_other_permissions_are_no_matter_of_the_login(permissions: Any) -> None:
    assert isinstance(finished(permissions), LoggedIn)


def test_requests_prove_that_we_know_the_secret_without_showing_it() -> None:
    played = Script(ACCOUNT.answers)
    assert isinstance(played.finish(settings("facebook")), LoggedIn)
    query = parse_qs(urlsplit(played.asked[2].url).query)
    assert len(query["appsecret_proof"][0]) == 64
    assert SECRET not in played.asked[2].url
    assert played.header(1, "authorization") == f"Bearer {CLIENT_ID}|{SECRET}"
    assert SECRET not in played.asked[1].url
