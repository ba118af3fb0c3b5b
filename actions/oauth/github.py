"""GitHub's API: the user, the user's addresses, organisations and teams (D2-25)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from actions.login.protocol import Asking
from actions.login.session import Person
from actions.oauth.api import get_object, get_pages, invalid_answer, linked_page
from actions.oauth.profile import (
    Grant,
    chosen,
    email_of,
    objects_in,
    person_of,
    shown_text,
    text_of,
)

HEADERS: Final = (
    ("accept", "application/vnd.github+json"),
    ("x-github-api-version", "2022-11-28"),
)
SHOWN: Final = ("login", "id", "name", "company", "html_url", "avatar_url", "type")
PAGE: Final = "per_page=100"


def github_user(grant: Grant) -> Asking[Person]:
    """Ask who a token is for; raises ApiError.

    Claims: `organizations` by login, `teams` as `organization/slug`, `emails` as far as they are
    verified. GitHub itself leaves out organisations that have not let this application in.
    """
    api = grant.endpoints.api_url
    user = yield from get_object(f"{api}/user", grant.token, headers=HEADERS)
    if user.get("type") not in (None, "User"):
        raise invalid_answer("the account is no user's")
    addresses = yield from _list(grant, "user/emails")
    organizations = yield from _list(grant, "user/orgs")
    teams = yield from _list(grant, "user/teams")
    verified = list(_verified(addresses))
    return person_of(
        user.get("id"),
        email=next((each for each, is_primary in verified if is_primary), ""),
        name=user.get("name"),
        username=user.get("login"),
        claims={
            **chosen(user, SHOWN),
            "emails": [each for each, _ in verified],
            "organizations": [_login(each) for each in organizations],
            "teams": [_team(each) for each in teams],
        },
    )


def _list(grant: Grant, path: str) -> Asking[list[Mapping[str, Any]]]:
    url = f"{grant.endpoints.api_url}/{path}?{PAGE}"
    found = yield from get_pages(url, grant.token, linked_page, headers=HEADERS)
    return objects_in(found)


def _verified(addresses: list[Mapping[str, Any]]) -> Iterator[tuple[str, bool]]:
    for each in addresses:
        address = email_of(each.get("email"), is_verified=each.get("verified") is True)
        if address:
            yield address, each.get("primary") is True


def _login(organization: Mapping[str, Any]) -> str:
    login = shown_text(organization.get("login"))
    if not login:
        raise invalid_answer("an organisation has no name")
    return login


def _team(team: Mapping[str, Any]) -> str:
    owner, slug = team.get("organization"), text_of(team.get("slug"))
    if not isinstance(owner, dict) or not slug:
        raise invalid_answer("a team has no name")
    return f"{_login(owner)}/{slug}"
