from __future__ import annotations

from typing import Any

import pytest

from actions.login.protocol import LoggedIn
from tests.actions.oauth.accounts import ACCOUNTS
from tests.actions.oauth.scripts import Script, answer, settings
from tests.actions.oauth.test_protocol import begun

ME = "GET https://api.linkedin.com/v2/me"
ADDRESS = "GET https://api.linkedin.com/v2/emailAddress"
OLD = ["r_liteprofile", "r_emailaddress"]
MEMBER = {"id": "yrZCpj2Z12", "localizedFirstName": "Ada", "localizedLastName": "L"}
ELEMENTS = {"elements": [{"handle~": {"emailAddress": "ada@example.com"}}]}


def legacy(scopes: list[str], **changes: Any) -> Any:
    answers = {**ACCOUNTS["linkedin"].answers, ME: MEMBER, ADDRESS: changes.pop("address", None)}
    return Script(answers).finish(settings("linkedin", scopes=scopes, **changes))


def test_an_application_of_the_old_kind_is_asked_in_the_old_way() -> None:
    assert begun(settings("linkedin", scopes=OLD))["scope"] == "r_liteprofile r_emailaddress"
    logged_in = legacy(OLD, address=ELEMENTS)
    assert isinstance(logged_in, LoggedIn)
    assert (logged_in.person.subject, logged_in.person.name) == ("yrZCpj2Z12", "Ada L")
    assert logged_in.person.email == ""
    assert logged_in.person.claims["email"] == "ada@example.com"
    trusting = legacy(OLD, address=ELEMENTS, accept_unverified_email=True)
    assert trusting.person.email == "ada@example.com"


def test_without_its_scope_the_address_is_not_asked_for() -> None:
    assert legacy(["r_liteprofile"]).person.claims == MEMBER


@pytest.mark.parametrize(
    "content", [{}, {"elements": 1}, {"elements": [1]}, {"elements": [{"handle~": []}]}]
)
def test_an_address_that_is_not_there_is_none(content: Any) -> None:
    assert legacy(OLD, address=answer(content)).person.claims["email"] == ""


def test_further_scopes_leave_an_application_of_today_as_it_is() -> None:
    scopes = begun(settings("linkedin", scopes=["w_member_social"]))["scope"]
    assert scopes == "openid profile email w_member_social"


def test_gitlabs_name_to_log_in_with_is_the_username() -> None:
    about = {"sub": "7", "preferred_username": "ada2", "nickname": "ada"}
    played = Script({**ACCOUNTS["gitlab"].answers, ACCOUNTS["gitlab"].about: answer(about)})
    assert played.finish(settings("gitlab")).person.username == "ada2"
