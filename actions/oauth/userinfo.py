"""Providers that answer as OpenID Connect has it, if not always in every point.

Google, GitLab and LinkedIn: one object with `sub`, `name`, `email` and `email_verified`
(OpenID Connect Core, section 5.3).
"""

from __future__ import annotations

from typing import Any, Final

from actions.login.protocol import Asking
from actions.login.session import Person
from actions.oauth.api import get_object
from actions.oauth.profile import Grant, email_of, person_of

GOOGLE_PATH: Final = "oauth2/v3/userinfo"
GITLAB_PATH: Final = "oauth/userinfo"
LINKEDIN_PATH: Final = "v2/userinfo"
LEGACY_SCOPES: Final = frozenset({"r_liteprofile", "r_basicprofile", "r_emailaddress"})


def google_user(grant: Grant) -> Asking[Person]:
    """Ask who a token is for; `hd` in the claims is the organisation's domain."""
    user = yield from get_object(f"{grant.endpoints.api_url}/{GOOGLE_PATH}", grant.token)
    return _person(user, grant, username="")


def gitlab_user(grant: Grant) -> Asking[Person]:
    """Ask who a token is for; `groups` in the claims are the full paths of the user's groups."""
    user = yield from get_object(f"{grant.endpoints.api_url}/{GITLAB_PATH}", grant.token)
    return _person(user, grant, username=user.get("preferred_username") or user.get("nickname"))


def linkedin_user(grant: Grant) -> Asking[Person]:
    """Ask who a token is for.

    Applications from before August 2023 have other scopes, and no OpenID Connect with them.
    """
    if uses_legacy_linkedin(grant.scopes):
        return (yield from _legacy_linkedin_user(grant))
    user = yield from get_object(f"{grant.endpoints.api_url}/{LINKEDIN_PATH}", grant.token)
    return _person(user, grant, username="")


def uses_legacy_linkedin(scopes: tuple[str, ...]) -> bool:
    """Tell whether a LinkedIn application is of the old kind, by the scopes it has."""
    return not LEGACY_SCOPES.isdisjoint(scopes)


def _person(user: dict[str, Any], grant: Grant, *, username: object) -> Person:
    is_verified = user.get("email_verified") is True or grant.takes_unverified_email
    return person_of(
        user.get("sub"),
        email=email_of(user.get("email"), is_verified=is_verified),
        name=user.get("name"),
        username=username,
        claims=user,
    )


def _legacy_linkedin_user(grant: Grant) -> Asking[Person]:
    api = grant.endpoints.api_url
    user = yield from get_object(f"{api}/v2/me", grant.token)
    claims: dict[str, Any] = dict(user)
    address: object = ""
    if "r_emailaddress" in grant.scopes:
        url = f"{api}/v2/emailAddress?q=members&projection=(elements*(handle~))"
        answer = yield from get_object(url, grant.token)
        address = claims["email"] = _legacy_address(answer)
    names = (user.get("localizedFirstName"), user.get("localizedLastName"))
    return person_of(
        user.get("id"),
        email=email_of(address, is_verified=grant.takes_unverified_email),
        name=" ".join(each for each in names if isinstance(each, str)),
        claims=claims,
    )


def _legacy_address(answer: dict[str, Any]) -> str:
    elements = answer.get("elements")
    for element in elements if isinstance(elements, list) else ():
        handle = element.get("handle~") if isinstance(element, dict) else None
        address = handle.get("emailAddress") if isinstance(handle, dict) else None
        if isinstance(address, str):
            return address
    return ""
