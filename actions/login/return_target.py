"""Where a browser goes after a login or logout: only ever to a path of the same origin (T-RD-*).

A target is kept with the login on our side. It has to read the same to us and to every browser:
a path in its canonical form, printable ASCII, no backslash, nothing that could be taken for
another host.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, urlencode

from actions.login.paths import AUTH_ID, LOGIN, REDIRECT_PATH
from policy.exchange import Request
from policy.url import UrlError, canonical_path

HOME: Final = "/"
OWN_PREFIX: Final = "/ngrok/"
MAX_TARGET: Final = 2048

_PLAIN = re.compile(r"/(?![/\\])[!-\[\]-~]*")


def safe_target(text: str) -> str | None:
    """Return a target that may be followed as it is; None for any other text."""
    if len(text) > MAX_TARGET or not _PLAIN.fullmatch(text) or "#" in text:
        return None
    path, mark, query = text.partition("?")
    if mark and not query:
        # Nothing would be lost, but what is kept reads back as just what was kept.
        return None
    try:
        canonical = canonical_path(path)
    except UrlError:
        return None
    if canonical != path or '"' in query or "<" in query or ">" in query:
        return None
    # Back to a login or a logout is where nobody wants to be after one.
    return None if path.startswith(OWN_PREFIX) else text


def asked_target(request: Request) -> str:
    """Return the target named in `redirect_path`, or the start page."""
    values = request.url.query_params.get(REDIRECT_PATH, [])
    return (safe_target(values[0]) or HOME) if len(values) == 1 else HOME


def own_target(request: Request) -> str:
    """Return the target of a request that has to wait for a login: what it asked for."""
    if request.method not in ("GET", "HEAD"):
        return HOME
    return safe_target(request.public_url.uri) or HOME


def login_path(auth_id: str | None, target: str) -> str:
    """Return the path that begins a login and then leads to a target."""
    parameters = {} if target == HOME else {REDIRECT_PATH: target}
    if auth_id is not None:
        parameters[AUTH_ID] = auth_id
    return f"{LOGIN}?{urlencode(parameters, safe='/', quote_via=quote)}" if parameters else LOGIN
