"""The address at which a user logs out at the provider too (RP-Initiated Logout 1.0, section 2)."""

from __future__ import annotations

from typing import Final

from actions.login.protocol import Farewell
from actions.oauth2.authorization_request import with_parameters

# Some have claims enough in an ID token to make an address that servers refuse; without it the
# provider asks the user.
MAX_HINT: Final = 4096


def end_session_url(url: str, *, client_id: str, id_token: str, farewell: Farewell) -> str:
    """Return the address; `farewell.return_to` has to be registered at the provider."""
    hint = {"id_token_hint": id_token} if 0 < len(id_token) <= MAX_HINT else {}
    return with_parameters(
        url,
        hint
        | {
            "client_id": client_id,
            "post_logout_redirect_uri": farewell.return_to,
            "state": farewell.state,
        },
    )
