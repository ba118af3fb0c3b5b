"""Cookies as requests and responses carry them (RFC 6265, sections 4.2 and 5.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from policy.cel.values import Duration, Timestamp

# A browser keeps about 180 cookies a site; more than this is an attack on whoever lists them.
MAX_COOKIES = 500
NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """One cookie. Attributes exist on responses only; on requests they keep their zero values."""

    name: str = ""
    value: str = ""
    domain: str = ""
    path: str = ""
    same_site: str = ""
    secure: bool = False
    http_only: bool = False
    expires: Timestamp | None = None
    max_age: Duration = field(default_factory=lambda: Duration(0))
    unparsed_attributes: Mapping[str, str] = field(default_factory=dict)


ABSENT = Cookie()


def request_cookies(field_values: Iterable[str]) -> dict[str, list[Cookie]]:
    """Read `Cookie` fields: values by name, in order. A nameless cookie is ignored (T-CK-2)."""
    found: dict[str, list[Cookie]] = {}
    count = 0
    for field_value in field_values:
        for pair in field_value.split(";"):
            name, equals, value = pair.partition("=")
            name = name.strip(" \t")
            if not equals or not name:
                continue
            count += 1
            if count > MAX_COOKIES:
                return found
            found.setdefault(name, []).append(Cookie(name=name, value=unquoted(value)))
    return found


def response_cookies(field_values: Iterable[str]) -> dict[str, list[Cookie]]:
    """Read `Set-Cookie` fields; cookies of one name stand longest path first."""
    found: dict[str, list[Cookie]] = {}
    for field_value in list(field_values)[:MAX_COOKIES]:
        cookie = parse_set_cookie(field_value)
        if cookie is not None:
            found.setdefault(cookie.name, []).append(cookie)
    for cookies in found.values():
        cookies.sort(key=lambda cookie: -len(cookie.path))
    return found


def parse_set_cookie(field_value: str) -> Cookie | None:
    """Read one `Set-Cookie` value; None when it names no cookie."""
    pair, *attributes = field_value.split(";")
    name, equals, value = pair.partition("=")
    name = name.strip(" \t")
    if not equals or not name:
        return None
    known: dict[str, str] = {}
    unparsed: dict[str, str] = {}
    for attribute in attributes:
        key, _, text = attribute.partition("=")
        key, text = key.strip(" \t"), text.strip(" \t")
        if key.lower() in ATTRIBUTES:
            known[key.lower()] = text
        elif key:
            unparsed[key] = text
    return Cookie(
        name=name,
        value=unquoted(value),
        domain=known.get("domain", "").removeprefix(".").lower(),
        path=known.get("path", ""),
        same_site=known.get("samesite", ""),
        secure="secure" in known,
        http_only="httponly" in known,
        expires=parse_expires(known.get("expires", "")),
        max_age=parse_max_age(known.get("max-age", "")),
        unparsed_attributes=unparsed,
    )


ATTRIBUTES = frozenset({"domain", "path", "samesite", "secure", "httponly", "expires", "max-age"})


def unquoted(value: str) -> str:
    """Drop the one pair of double quotes that RFC 6265, section 4.1.1, allows around a value."""
    value = value.strip(" \t")
    return value[1:-1] if len(value) >= 2 and value[0] == value[-1] == '"' else value


def parse_expires(text: str) -> Timestamp | None:
    """Read a cookie date; None when absent or unreadable, as browsers do."""
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text.replace("-", " "))
    except (TypeError, ValueError, OverflowError):  # the last for a day of many digits
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return Timestamp(int((aware - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * NS_PER_S)


def parse_max_age(text: str) -> Duration:
    """Read a Max-Age in seconds; zero when absent or unreadable."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 10):
        return Duration(0)
    return Duration(int(text) * NS_PER_S)
