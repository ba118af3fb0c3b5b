"""Content types: the media type and its parameters (RFC 9110, section 8.3.1)."""

from __future__ import annotations

import re

# What browsers send a form as, unless it has files in it.
FORM = "application/x-www-form-urlencoded"
TCHARS = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
# RFC 9110, section 5.6.6: parameters = *( OWS ";" OWS [ parameter ] )
PARAMETER = re.compile(
    rf'[ \t]*;[ \t]*(?:({TCHARS})=(?:({TCHARS})|"((?:[^"\\]|\\.)*)"))?', re.DOTALL
)
ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def media_type(field_value: str) -> str:
    """Return the type without its parameters, in lower case; "" for an empty field."""
    return field_value.partition(";")[0].strip().lower()


def parameters(field_value: str) -> dict[str, str]:
    """Return the parameters by lower-case name; reading stops at the first malformed one.

    Of a repeated parameter the first counts, as for every other look-up in the language.
    """
    found: dict[str, str] = {}
    start = field_value.find(";")
    while start >= 0 and (match := PARAMETER.match(field_value, start)):
        name, plain, quoted = match.groups()
        if name:
            found.setdefault(name.lower(), plain if quoted is None else ESCAPED.sub(r"\1", quoted))
        start = match.end() if match.end() < len(field_value) else -1
    return found
