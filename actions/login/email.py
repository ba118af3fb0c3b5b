"""E-mail addresses that can be read in one way only (OA-7)."""

from __future__ import annotations

import re
from typing import Final

MAX_EMAIL: Final = 254

# One '@', no quotes, no spaces, no controls, ASCII only: what looks the same is the same.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"([A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}})@({_LABEL}(?:\.{_LABEL})*)")


def plain_email(value: object) -> str:
    """Return an address, its domain in lower case; "" for any other value."""
    if not isinstance(value, str) or len(value) > MAX_EMAIL:
        return ""
    match = _EMAIL.fullmatch(value)
    return f"{match[1]}@{match[2].lower()}" if match else ""
