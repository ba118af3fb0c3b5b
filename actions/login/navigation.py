"""What a request shows about how it came about: a person who opens a page, a script, another site.

Only what browsers set themselves counts, and only to be stricter: nobody gets in by it.
"""

from __future__ import annotations

from typing import Final

from policy.exchange import Request

DOCUMENTS: Final = frozenset({"document", "iframe", "frame", "object", "embed"})
SAME_SITE: Final = frozenset({"same-origin", "same-site", "none"})


def is_navigation(request: Request) -> bool:
    """Tell whether a login page would be seen by a person (D2-38).

    A client that shows nothing about itself counts as one, as the language has it.
    """
    fields = request.headers
    accept = fields.all("accept")
    return (
        request.method in ("GET", "HEAD")
        and fields.first("sec-fetch-mode") in (None, "navigate")
        and fields.first("sec-fetch-dest") in (None, *DOCUMENTS)
        and "x-requested-with" not in fields
        and "upgrade" not in fields
        and (not accept or any("text/html" in each or "*/*" in each for each in accept))
    )


def is_preflight(request: Request) -> bool:
    """Tell whether a browser asks what a script of another origin may do (CORS)."""
    fields = request.headers
    return (
        request.method == "OPTIONS"
        and "origin" in fields
        and "access-control-request-method" in fields
    )


def is_websocket(request: Request) -> bool:
    """Tell whether a request would open a WebSocket."""
    upgrades = request.headers.all("upgrade")
    return bool(upgrades) and any("websocket" in each.lower() for each in upgrades)


def is_from_elsewhere(request: Request, origin: str) -> bool:
    """Tell whether another site made the browser send this; `origin` is our own."""
    fields = request.headers
    sites = fields.all("sec-fetch-site")
    if sites:
        return any(each not in SAME_SITE for each in sites)
    sent = fields.all("origin")
    if sent:
        return any(each.lower() != origin for each in sent)
    return any(not f"{each.lower()}/".startswith(f"{origin}/") for each in fields.all("referer"))


def is_subresource(request: Request) -> bool:
    """Tell whether a page loads this as an image, a script, a frame: no person asked for it."""
    fields = request.headers
    return (
        fields.first("sec-fetch-mode") not in (None, "navigate")
        or fields.first("sec-fetch-dest") not in (None, "document")
        or "x-requested-with" in fields
    )


def is_foreign_websocket(request: Request, origin: str) -> bool:
    """Tell whether a page of another origin opens a WebSocket with a user's cookies (T-WS-1).

    Programs send no Origin; browsers always do, and can't be made to lie.
    """
    return is_websocket(request) and any(
        each.lower() != origin for each in request.headers.all("origin")
    )
