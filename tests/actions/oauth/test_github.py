from __future__ import annotations

from typing import Any

import pytest

from actions.login.protocol import LoggedIn, LoginRefused
from actions.oauth.api import MAX_PAGES
from policy.effect import Fetched
from tests.actions.oauth.accounts import ACCOUNTS, GITHUB
from tests.actions.oauth.scripts import Script, answer, settings

CONFIG = settings("github")
EMAILS, ORGS, TEAMS = (f"GET {GITHUB}/user/{each}" for each in ("emails", "orgs", "teams"))


def finished(**changes: Any) -> Any:
    return script(changes).finish(CONFIG)


def script(changes: dict[str, Any]) -> Script:
    return Script({**ACCOUNTS["github"].answers, **changes})


def page(number: int, *, following: str = "") -> Fetched:
    link = f'<{GITHUB}/user/orgs?page=1>; rel="first"'
    if following:
        link += f', <{following}>; rel="next"'
    return answer([{"login": f"org-{number}"}], headers={"Link": link})


def next_url(number: int) -> str:
    return f"{GITHUB}/user/orgs?per_page=100&page={number}"


def test_all_pages_of_organizations_are_read() -> None:
    pages = [page(1, following=next_url(2)), page(2, following=next_url(3)), page(3)]
    played = script({ORGS: pages})
    logged_in = played.finish(CONFIG)
    assert isinstance(logged_in, LoggedIn)
    assert logged_in.person.claims["organizations"] == ["org-1", "org-2", "org-3"]
    asked = [each.url for each in played.asked if "/user/orgs" in each.url]
    assert asked == [f"{GITHUB}/user/orgs?per_page=100", next_url(2), next_url(3)]


def test_a_list_without_end_is_no_login() -> None:
    """A list that is cut off would let in whom a rule keeps out."""
    played = script({ORGS: [page(n, following=next_url(n + 1)) for n in range(1, 50)]})
    refused = played.finish(CONFIG)
    assert isinstance(refused, LoginRefused)
    assert (refused.status_code, refused.reason) == (403, "too-many-groups")
    assert len([each for each in played.asked if "/user/orgs" in each.url]) == MAX_PAGES


@pytest.mark.parametrize(
    "following",
    [
        "https://evil.example/user/orgs",
        "http://api.github.com/user/orgs",
        "https://api.github.com:444/user/orgs",
        "https://api.github.com@evil.example/user/orgs",
        "/user/orgs?page=2",
    ],
)
def test_a_token_is_not_shown_to_another_server(following: str) -> None:
    played = script({ORGS: page(1, following=following)})
    assert played.finish(CONFIG).reason == "provider-answer-unusable"
    assert {each.url.split("/")[2] for each in played.asked} == {"github.com", "api.github.com"}


@pytest.mark.parametrize("path", [EMAILS, ORGS, TEAMS])
@pytest.mark.parametrize("status", [403, 404])
def test_a_scope_that_is_missing_is_no_login(path: str, status: int) -> None:
    refused = script({path: answer({"message": "No"}, status=status)}).finish(CONFIG)
    assert (refused.status_code, refused.reason) == (403, "permission-missing")
    assert path.rpartition("/")[2] in refused.detail


@pytest.mark.parametrize("path", [EMAILS, ORGS, TEAMS])
@pytest.mark.parametrize("content", [{}, [1], [None], b"[", [[]]])
def test_a_list_that_is_none_is_no_login(path: str, content: Any) -> None:
    refused = script({path: answer(content)}).finish(CONFIG)
    assert refused.reason == "provider-answer-unusable"


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (ORGS, [{"login": ""}]),
        (ORGS, [{"login": 7}]),
        (TEAMS, [{"slug": "ops"}]),
        (TEAMS, [{"slug": "", "organization": {"login": "acme"}}]),
    ],
)
def test_a_membership_without_a_name_is_no_login(path: str, content: Any) -> None:
    assert script({path: answer(content)}).finish(CONFIG).reason == "provider-answer-unusable"


@pytest.mark.parametrize(
    "emails",
    [
        [],
        [{"email": "ada@example.com", "verified": False, "primary": True}],
        [{"email": "ada@example.com", "verified": "true", "primary": True}],
        [{"email": "ada@example.com", "verified": True, "primary": False}],
        [{"email": "ada@example.com", "primary": True}],
        [{"email": 7, "verified": True, "primary": True}],
    ],
)
def test_only_the_primary_address_counts_and_only_if_verified(emails: Any) -> None:
    """D2-25. The address on the public page is anything that the user has written there."""
    logged_in = script({EMAILS: answer(emails)}).finish(CONFIG)
    assert isinstance(logged_in, LoggedIn)
    assert logged_in.person.email == ""


def test_an_organization_is_no_user() -> None:
    user = {"login": "acme", "id": 1, "type": "Organization"}
    played = script({f"GET {GITHUB}/user": answer(user)})
    assert played.finish(CONFIG).reason == "provider-answer-unusable"
