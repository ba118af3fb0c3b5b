"""Facebook's Graph API. It does not say whether an address is verified, so it counts as not."""

from __future__ import annotations

import hmac
from typing import Any, Final

from actions.login.protocol import Asking
from actions.login.session import Person
from actions.oauth.api import get_object, permission_missing
from actions.oauth.profile import Grant, chosen, email_of, person_of

FIELDS: Final = ("id", "name", "first_name", "last_name", "email")
NEEDED: Final = "email"
DECLINED: Final = "declined"


def facebook_user(grant: Grant) -> Asking[Person]:
    """Ask who a token is for; raises ApiError, also when the user has declined to say the e-mail.

    Whoever tries again is asked again, see `auth_type` among the provider's parameters.
    """
    proof = hmac.digest(grant.client_secret.encode(), grant.token.encode(), "sha256").hex()
    url = f"{grant.endpoints.api_url}/me?fields={','.join(FIELDS)},permissions"
    user = yield from get_object(f"{url}&appsecret_proof={proof}", grant.token)
    if NEEDED in _declined(user):
        raise permission_missing("the user has declined the permission 'email'")
    return person_of(
        user.get("id"),
        email=email_of(user.get("email"), is_verified=grant.takes_unverified_email),
        name=user.get("name"),
        claims=chosen(user, FIELDS),
    )


def _declined(user: dict[str, Any]) -> set[object]:
    permissions = user.get("permissions")
    data = permissions.get("data") if isinstance(permissions, dict) else None
    entries = [each for each in data if isinstance(each, dict)] if isinstance(data, list) else []
    return {each.get("permission") for each in entries if each.get("status") == DECLINED}
