"""Microsoft Graph: the user, the user's organisation and groups.

An organisation's administrator can write any address into a user's `mail`. It counts as verified
only if its domain is one that Microsoft has verified to be that organisation's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from actions.jose.strict_json import parse_object
from actions.login.protocol import Asking
from actions.login.session import Person
from actions.oauth.api import (
    MAX_VALUES,
    PERMISSION_MISSING,
    Answer,
    ApiError,
    get_object,
    get_pages,
)
from actions.oauth.profile import Grant, chosen, email_of, objects_in, person_of, text_of

FIELDS: Final = (
    "id", "displayName", "mail", "userPrincipalName", "givenName", "surname", "jobTitle",
    "officeLocation", "preferredLanguage",
)  # fmt: skip
# Any of these lets an application read the user's groups.
GROUP_SCOPES: Final = frozenset(
    {"groupmember.read.all", "group.read.all", "directory.read.all", "group.readwrite.all"}
)
GRAPH: Final = "https://graph.microsoft.com/"
# Ids of personal accounts; those of organisations' users are UUIDs, whatever they are called.
_PERSONAL = re.compile(r"[0-9a-f]{16}")


def microsoft_user(grant: Grant) -> Asking[Person]:
    """Ask who a token is for; raises ApiError.

    Claims: those of Graph's user, `organization` with `id`, `displayName` and `verifiedDomains`,
    and `groups` by id where a scope allows to read them.
    """
    api = grant.endpoints.api_url
    user = yield from get_object(f"{api}/me?$select={','.join(FIELDS)}", grant.token)
    claims = chosen(user, FIELDS)
    is_personal = bool(_PERSONAL.fullmatch(text_of(user.get("id"))))
    domains: list[str] = []
    if not is_personal:
        claims["organization"] = organization = yield from _organization(grant)
        domains = organization["verifiedDomains"]
    if reads_groups(grant.scopes):
        claims["groups"] = yield from _groups(grant)
    return person_of(
        user.get("id"),
        email=_address(user, domains, is_personal=is_personal, grant=grant),
        name=user.get("displayName"),
        username=user.get("userPrincipalName"),
        claims=claims,
    )


def reads_groups(scopes: tuple[str, ...]) -> bool:
    """Tell whether scopes allow to read the user's groups; they have no case."""
    return any(each.removeprefix(GRAPH).lower() in GROUP_SCOPES for each in scopes)


def _organization(grant: Grant) -> Asking[dict[str, Any]]:
    url = f"{grant.endpoints.api_url}/organization?$select=id,displayName,verifiedDomains"
    try:
        answer = yield from get_object(url, grant.token)
    except ApiError as error:
        # Without it there is no verified address, but there is a user.
        if error.refused.reason == PERMISSION_MISSING:
            return {"verifiedDomains": []}
        raise
    organizations = objects_in(answer.get("value"))
    if len(organizations) != 1:
        return {"verifiedDomains": []}
    domains = objects_in(organizations[0].get("verifiedDomains") or [])
    names = [text_of(each.get("name")).lower() for each in domains]
    return {
        **chosen(organizations[0], ("id", "displayName")),
        "verifiedDomains": [name for name in names if name],
    }


def _groups(grant: Grant) -> Asking[list[str]]:
    path = "me/memberOf/microsoft.graph.group?$select=id&$top=100"
    url = f"{grant.endpoints.api_url}/{path}"
    found = yield from get_pages(url, grant.token, _graph_page, parse=_read)
    return [text_of(each.get("id")) for each in objects_in(found)]


def _graph_page(answer: Answer) -> tuple[list[Any], str]:
    page: Mapping[str, Any] = answer.value
    return [*objects_in(page.get("value"))], text_of(page.get("@odata.nextLink"))


def _read(data: bytes) -> Any:
    return parse_object(data, max_values=MAX_VALUES)


def _address(
    user: Mapping[str, Any], domains: list[str], *, is_personal: bool, grant: Grant
) -> str:
    address = text_of(user.get("mail")) or (
        text_of(user.get("userPrincipalName")) if is_personal else ""
    )
    # Microsoft makes owners of personal accounts prove that an address is theirs.
    is_verified = is_personal or address.rpartition("@")[2].lower() in domains
    return email_of(address, is_verified=is_verified or grant.takes_unverified_email)
