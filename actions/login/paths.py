"""The paths that login actions answer on every endpoint that has one (language spec, 5.13)."""

from __future__ import annotations

from typing import Final

LOGIN: Final = "/ngrok/login"
LOGOUT: Final = "/ngrok/logout"
CALLBACK: Final = "/ngrok/oauth2/callback"
BACKCHANNEL_LOGOUT: Final = "/ngrok/backchannel-logout"

# The parameters that people and applications may give them.
AUTH_ID: Final = "auth_id"
REDIRECT_PATH: Final = "redirect_path"
STATE: Final = "state"


def with_auth_id(path: str, auth_id: str | None) -> str:
    """Return the path of one of several logins."""
    return path if auth_id is None else f"{path}?{AUTH_ID}={auth_id}"
