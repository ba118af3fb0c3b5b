"""What people see of a login that did not go through, and of a logout.

Plain pages that work on any screen, without scripts, images or anything from elsewhere. They say
what happened and what to do, and give a reference that the log has too; why exactly something was
refused is not for whoever stands in front of it (security P17).
"""

from __future__ import annotations

import json
from base64 import b32encode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from typing import Any, Final

from policy.action import Respond
from policy.exchange import Exchange

REFERENCE_BYTES: Final = 5

STYLE: Final = (
    ":root{color-scheme:light dark;--line:#d5dae1;--ink:#1c2330;--paper:#f5f7fa;--card:#fff;"
    "--soft:#5a6576;--key:#1f5fbf;--on:#fff}"
    "@media(prefers-color-scheme:dark){:root{--line:#39414f;--ink:#e7ebf2;--paper:#151a22;"
    "--card:#1e2530;--soft:#a3aebd;--key:#8ab4f8;--on:#10141b}}"
    "*{box-sizing:border-box}"
    "body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.25rem;"
    "background:var(--paper);color:var(--ink);font:1rem/1.55 system-ui,sans-serif}"
    "main{width:100%;max-width:27rem;padding:2rem;background:var(--card);"
    "border:1px solid var(--line);border-radius:.75rem}"
    "h1{margin:0 0 .75rem;font-size:1.35rem;line-height:1.3}p{margin:0 0 1rem}"
    "a.go,button{display:inline-block;margin:.25rem .75rem .25rem 0;padding:.6rem 1.1rem;border:0;"
    "border-radius:.5rem;background:var(--key);color:var(--on);font:inherit;font-weight:600;"
    "text-decoration:none;cursor:pointer}"
    "a.go:focus-visible,button:focus-visible{outline:3px solid var(--key);outline-offset:2px}"
    "footer{margin-top:1.5rem;padding-top:.9rem;border-top:1px solid var(--line);"
    "color:var(--soft);font-size:.85rem;overflow-wrap:anywhere}code{font-size:.95em}"
)
STYLE_HASH: Final = b64encode(sha256(STYLE.encode()).digest()).decode()
# Nothing may be loaded but the style above, and nobody may frame the page (OA-23).
CONTENT_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)

PAGE_FIELDS: Final = (
    ("content-type", "text/html; charset=utf-8"),
    ("content-security-policy", CONTENT_POLICY),
    ("x-frame-options", "DENY"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cache-control", "no-store"),
)
# A form to another site, sent by the only script that we have. `form-action` is left out: browsers
# would apply it to where the other site redirects as well.
TRAVEL_SCRIPT: Final = "document.forms[0].submit()"
TRAVEL_HASH: Final = b64encode(sha256(TRAVEL_SCRIPT.encode()).digest()).decode()
TRAVEL_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; script-src 'sha256-{TRAVEL_HASH}'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
TRAVEL_FIELDS: Final = tuple(
    (name, TRAVEL_POLICY if name == "content-security-policy" else value)
    for name, value in PAGE_FIELDS
)
DATA_FIELDS: Final = (
    ("content-type", "application/json"),
    ("x-content-type-options", "nosniff"),
    ("cache-control", "no-store"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A way on: a text to press, and a path of ours."""

    text: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a page says."""

    title: str
    text: str


SIGN_IN_AGAIN: Final = "Sign in again"

REFUSED: Final = {
    400: Words(
        title="This sign-in can't be completed",
        text="It took too long, was completed already, or began in another browser.",
    ),
    403: Words(
        title="You can't use this with the account you chose",
        text="You are signed in, but this account has no access here. "
        "Ask whoever runs this service, or choose another account.",
    ),
    500: Words(
        title="Sign-in is not set up correctly",
        text="Whoever runs this service has to look at it.",
    ),
    502: Words(
        title="The sign-in service gave an answer that can't be used",
        text="Try again. If that does not help, tell whoever runs this service.",
    ),
    503: Words(
        title="Sign-in is not available at the moment",
        text="Try again in a minute.",
    ),
}
SESSION_OVER: Final = Words(
    title="You are not signed in",
    text="Your session has ended, so what you sent was not passed on. Sign in, then send it again.",
)
SIGNED_OUT: Final = Words(title="You are signed out", text="You can close this page.")
TRAVELLING: Final = Words(title="One moment", text="You are being sent on.")
CONFIRM_LOGOUT: Final = Words(
    title="Sign out?", text="Another site sent you here. Nothing has changed so far."
)


def reference_of(exchange: Exchange) -> str:
    """Return what people can quote; the completion event of the request has it too."""
    if not exchange.reference:
        exchange.reference = b32encode(exchange.surroundings.random_bytes(REFERENCE_BYTES)).decode()
    return exchange.reference


def page(words: Words, *, reference: str = "", link: Link | None = None, form: str = "") -> bytes:
    """Render a page; `form` is HTML of ours, everything else is escaped."""
    way_on = f'<a class="go" href="{escape(link.path)}">{escape(link.text)}</a>' if link else ""
    footer = f"<footer>Reference <code>{escape(reference)}</code></footer>" if reference else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(words.title)}</title><style>{STYLE}</style></head>"
        f"<body><main><h1>{escape(words.title)}</h1><p>{escape(words.text)}</p>"
        f"{form}{way_on}{footer}</main></body></html>\n"
    ).encode()


def confirmation_form(path: str) -> str:
    """Render the button that really logs out: only this page of ours can send it."""
    button = '<button type="submit">Sign out</button>'
    return f'<form method="post" action="{escape(path)}">{button}</form>'


def travelling_form(url: str, fields: Iterable[tuple[str, str]]) -> str:
    """Render a form that sends itself; it needs TRAVEL_FIELDS, and without scripts its button."""
    inputs = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in fields
    )
    button = '<button type="submit">Continue</button>'
    return (
        f'<form method="post" action="{escape(url)}">{inputs}{button}</form>'
        f"<script>{TRAVEL_SCRIPT}</script>"
    )


def data(error: str, reference: str, **members: Any) -> bytes:
    """Render what programs read in place of a page."""
    content = {"error": error, **members, "reference": reference}
    return json.dumps(content, separators=(",", ":")).encode() + b"\n"


def respond(
    status_code: int,
    reason: str,
    body: bytes,
    *,
    fields: tuple[tuple[str, str], ...] = PAGE_FIELDS,
    headers: tuple[tuple[str, str], ...] = (),
    error_code: str | None = None,
    result: Any = None,
) -> Respond[Any]:
    """Answer with a page, or with data for programs."""
    return Respond(
        status_code=status_code,
        reason=reason,
        headers=(*fields, *headers),
        body=body,
        error_code=error_code,
        result=result,
    )
