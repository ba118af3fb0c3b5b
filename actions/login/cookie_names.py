"""How the cookies of a login are named.

`__Host-` binds a cookie to this very host (OA-10); where a domain shares the session that is
`__Secure-`, and on a plain http endpoint there is no prefix (RFC 6265bis, section 4.1.3).
"""

from __future__ import annotations

from typing import Final

SESSION: Final = "session"
NONCE: Final = "nonce"

BOUND_TO_HOST: Final = "__Host-"
BOUND_TO_HTTPS: Final = "__Secure-"
PREFIXES: Final = ("", BOUND_TO_HOST, BOUND_TO_HTTPS)


def unbound_name(login_name: str, purpose: str) -> str:
    """Return the name of a cookie without a prefix."""
    return f"ngrok.{login_name}.{purpose}"


def session_names(login_name: str, *, is_shared: bool) -> tuple[str, str]:
    """Return the names of a session's cookie on http and on https."""
    name = unbound_name(login_name, SESSION)
    return name, f"{BOUND_TO_HTTPS if is_shared else BOUND_TO_HOST}{name}"
