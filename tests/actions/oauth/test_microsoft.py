from __future__ import annotations

from typing import Any

import pytest

from actions.login.session import Person
from tests.actions.oauth.accounts import ACCOUNTS, PERSONAL_ID, WORK_ID
from tests.actions.oauth.scripts import Script, answer, settings

GRAPH = "https://graph.microsoft.com/v1.0"
ME, ORGANIZATION = f"GET {GRAPH}/me", f"GET {GRAPH}/organization"
GROUPS = f"GET {GRAPH}/me/memberOf/microsoft.graph.group"


def person(scopes: list[str] | None = None, **changes: Any) -> Person:
    keys = {"me": ME, "organization": ORGANIZATION, "groups": GROUPS}
    answers = {keys[key]: value for key, value in changes.items()}
    played = Script({**ACCOUNTS["microsoft"].answers, **answers})
    logged_in = played.finish(settings("microsoft", scopes=scopes or []))
    found = logged_in.person
    assert isinstance(found, Person)
    return found


def user(**changes: Any) -> dict[str, Any]:
    return {"id": WORK_ID, "displayName": "Ada M", "userPrincipalName": "ada@x.example", **changes}


@pytest.mark.parametrize(
    "mail",
    [
        "ceo@victim.example",
        "ada@example.com.evil.example",
        "ada@notexample.com",
        "ada@sub.example.com",
        "ada@evil.example@example.com",
        None,
    ],
)
def test_an_address_outside_the_organizations_domains_is_not_verified(mail: Any) -> None:
    """Administrators of any tenant can write any address there."""
    assert person(me=answer(user(mail=mail))).email == ""


def test_domains_have_no_case() -> None:
    assert person(me=answer(user(mail="Ada@EXAMPLE.com"))).email == "Ada@example.com"


@pytest.mark.parametrize(
    "organization",
    [
        answer({"value": []}),
        answer({"value": [{"verifiedDomains": None}]}),
        answer({"value": [{"verifiedDomains": [{}]}]}),
        answer(
            {
                "value": [
                    {"verifiedDomains": [{"name": "example.com"}]},
                    {"verifiedDomains": [{"name": "example.com"}]},
                ]
            }
        ),
        answer({}, status=403),
    ],
)
def test_without_the_organizations_domains_no_address_is_verified(organization: Any) -> None:
    found = person(organization=organization)
    assert found.email == ""
    assert found.subject == WORK_ID


def test_a_user_principal_name_is_no_address() -> None:
    guest = user(userPrincipalName="ada_gmail.com#EXT#@example.com")
    assert person(me=answer(guest)).email == ""


def test_owners_of_personal_accounts_have_proved_their_address() -> None:
    personal = user(id=PERSONAL_ID, userPrincipalName="ada@outlook.com", mail=None)
    found = person(me=answer(personal), organization=answer({}, status=500))
    assert (found.subject, found.email) == (PERSONAL_ID, "ada@outlook.com")
    assert "organization" not in found.claims


@pytest.mark.parametrize("identity", [WORK_ID, PERSONAL_ID.upper(), PERSONAL_ID + "0"])
def test_whoever_is_in_an_organization_has_no_personal_account(identity: str) -> None:
    forged = user(id=identity, mail=None, userPrincipalName="ceo@victim.example")
    assert person(me=answer(forged)).email == ""


def group_page(name: str, following: str | None = None) -> Any:
    content: dict[str, Any] = {"value": [{"id": name}]}
    if following:
        content["@odata.nextLink"] = following
    return answer(content)


@pytest.mark.parametrize(
    "scope", ["GroupMember.Read.All", "https://graph.microsoft.com/Directory.Read.All"]
)
def test_groups_are_read_where_a_scope_allows_it(scope: str) -> None:
    path = f"{GRAPH}/me/memberOf/microsoft.graph.group"
    pages = [group_page("g-1", f"{path}?$skiptoken=2"), group_page("g-2")]
    assert person([scope], groups=pages).claims["groups"] == ["g-1", "g-2"]


def test_groups_are_not_asked_for_without_a_scope() -> None:
    assert "groups" not in person().claims


@pytest.mark.parametrize("content", [{}, {"value": {}}, {"value": [1]}, []])
def test_groups_that_are_none_are_no_login(content: Any) -> None:
    played = Script({**ACCOUNTS["microsoft"].answers, GROUPS: answer(content)})
    refused = played.finish(settings("microsoft", scopes=["GroupMember.Read.All"]))
    assert refused.reason == "provider-answer-unusable"


def test_pages_of_groups_are_not_fetched_from_elsewhere() -> None:
    pages = group_page("g-1", "https://evil.example/v1.0/me/memberOf")
    played = Script({**ACCOUNTS["microsoft"].answers, GROUPS: pages})
    refused = played.finish(settings("microsoft", scopes=["Group.Read.All"]))
    assert refused.reason == "provider-answer-unusable"
