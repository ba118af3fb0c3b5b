"""Cookies of the proxy's own: whoever holds one is somebody, so nobody else gets to see them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import NamedTuple

from policy.fields import Fields, encoded_plainly

COOKIE = "cookie"
SET_COOKIE = "set-cookie"
MAX_KNOWN = 1024
MAX_KNOWN_CHARACTERS = 1024


class Parted(NamedTuple):
    """A Cookie value: our own cookies by name, and what is left of it for others.

    `encoded` is the latter for `Fields.edit`.
    """

    taken: Mapping[str, tuple[str, ...]]
    left: str
    encoded: bytes | None


def take_cookies(fields: Fields, own: frozenset[str]) -> Mapping[str, tuple[str, ...]]:
    """Remove our own cookies from a request's fields, and return their values by name.

    The others stay as they were sent, in their order.
    """
    values = fields.by_name.get(COOKIE)
    if values is None:
        return {}
    if len(values) > 1:
        return _take_of_several(fields, [parted(value, own) for value in values])
    value = values[0]
    part = known if len(value) <= MAX_KNOWN_CHARACTERS else parted
    taken, left, encoded = part(value, own)
    if taken:
        if left:
            fields.edit(COOKIE, left, encoded)
        else:
            fields.remove(COOKIE)
    return taken


def parted(value: str, own: frozenset[str]) -> Parted:
    """Part a Cookie value."""
    # What stands before a name, the name, its content, what stands behind; and so on.
    parts = _pairs_of(own).split(f";{value}")
    taken: dict[str, tuple[str, ...]] = {}
    for name, content in zip(parts[1::3], parts[2::3], strict=True):
        taken[name] = (*taken.get(name, ()), content.strip(" \t"))
    left = "".join(parts[::3])[1:].strip(" \t")
    return Parted(taken, left, encoded_plainly(left))


# A browser sends the same with every request of a page. These are secrets, and so they are few,
# in this memory only, and never long: a session that is over is of no use to whoever reads them.
known = lru_cache(maxsize=MAX_KNOWN)(parted)


# The cookies of a policy are the same for all of its requests.
@lru_cache(maxsize=256)
def _pairs_of(own: frozenset[str]) -> re.Pattern[str]:
    """Return what finds some cookies in a value that begins with a semicolon (T-CK-2).

    A name ends at its first `=`, and one that is empty is nobody's.
    """
    names = "|".join(map(re.escape, sorted(own))) or "(?!)"
    return re.compile(rf";[ \t]*+({names})[ \t]*+=([^;]*+)")


def _take_of_several(fields: Fields, lines: list[Parted]) -> Mapping[str, tuple[str, ...]]:
    taken: dict[str, tuple[str, ...]] = {}
    for line in lines:
        for name, contents in line.taken.items():
            taken[name] = (*taken.get(name, ()), *contents)
    if taken:
        # Whole lines that go and are added, so that the others still pass as they came.
        fields.remove(COOKIE)
        for line in lines:
            if line.left:
                fields.add(COOKIE, line.left)
    return taken


def drop_set_cookies(fields: Fields, own: AbstractSet[str]) -> None:
    """Remove from a response what would set one of our own cookies (T-CK-2)."""
    values = fields.by_name.get(SET_COOKIE)
    if values is None:
        return
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
