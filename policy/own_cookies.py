"""Cookies of the proxy's own: whoever holds one is somebody, so nobody else gets to see them."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from policy.fields import Fields

COOKIE = "cookie"
SET_COOKIE = "set-cookie"


def take_cookies(fields: Fields, own: AbstractSet[str]) -> Mapping[str, tuple[str, ...]]:
    """Remove our own cookies from a request's fields, and return their values by name.

    The others stay as they were sent, in their order.
    """
    taken: dict[str, tuple[str, ...]] = {}
    values = fields.all(COOKIE)
    kept: list[str] = []
    for value in values:
        others = []
        for pair in value.split(";"):
            name, separator, content = pair.partition("=")
            name = name.strip(" \t")
            if separator and name in own:
                taken[name] = (*taken.get(name, ()), content.strip(" \t"))
            else:
                others.append(pair)
        kept.append(";".join(others).strip(" \t"))
    if taken:
        # Whole lines that go and are added, so that the others still pass as they came.
        fields.remove(COOKIE)
        for value in kept:
            if value:
                fields.add(COOKIE, value)
    return taken


def drop_set_cookies(fields: Fields, own: AbstractSet[str]) -> None:
    """Remove from a response what would set one of our own cookies (T-CK-2)."""
    values = fields.all(SET_COOKIE)
    kept = [value for value in values if shown_name(value) not in own]
    if len(kept) < len(values):
        fields.remove(SET_COOKIE)
        for value in kept:
            fields.add(SET_COOKIE, value)


def shown_name(set_cookie: str) -> str:
    """Return the name under which a browser will show us what a response sets.

    A cookie without a name is shown as its value alone, and that may look like another one
    (RFC 6265bis, section 5.5).
    """
    name, separator, content = set_cookie.partition(";")[0].partition("=")
    name = name.strip(" \t")
    if separator and not name:
        name = content.partition("=")[0].strip(" \t")
    return name
