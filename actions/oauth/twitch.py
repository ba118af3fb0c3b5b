"""Twitch's API: it tells addresses that are verified, and no others."""

from __future__ import annotations

from typing import Final

from actions.login.protocol import Asking
from actions.login.session import Person
from actions.oauth.api import get_object, invalid_answer
from actions.oauth.profile import Grant, chosen, email_of, objects_in, person_of

SHOWN: Final = (
    "id", "login", "display_name", "type", "broadcaster_type", "email", "created_at",
    "profile_image_url",
)  # fmt: skip


def twitch_user(grant: Grant) -> Asking[Person]:
    """Ask who a token is for; raises ApiError."""
    headers = (("client-id", grant.client_id),)
    answer = yield from get_object(f"{grant.endpoints.api_url}/users", grant.token, headers=headers)
    users = objects_in(answer.get("data"))
    if len(users) != 1:
        raise invalid_answer("exactly one user was expected")
    [user] = users
    return person_of(
        user.get("id"),
        email=email_of(user.get("email"), is_verified=True),
        name=user.get("display_name"),
        username=user.get("login"),
        claims=chosen(user, SHOWN),
    )
