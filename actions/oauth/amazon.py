"""Login with Amazon. It does not say whether an address is verified, so it counts as not."""

from __future__ import annotations

from typing import Final

from actions.login.protocol import Asking
from actions.login.session import Person
from actions.oauth.api import get_object
from actions.oauth.profile import Grant, chosen, email_of, person_of

SHOWN: Final = ("user_id", "name", "email", "postal_code")


def amazon_user(grant: Grant) -> Asking[Person]:
    """Ask who a token is for; raises ApiError."""
    user = yield from get_object(f"{grant.endpoints.api_url}/user/profile", grant.token)
    return person_of(
        user.get("user_id"),
        email=email_of(user.get("email"), is_verified=grant.takes_unverified_email),
        name=user.get("name"),
        claims=chosen(user, SHOWN),
    )
