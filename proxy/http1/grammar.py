"""The lines and fields of a message head (RFC 9112, sections 2 to 5), for both directions.

A head is checked as a whole before anything in it is believed: which bytes may occur at all, then
each field line. What the grammar does not allow is refused, never repaired, because the next hop
may repair it in another way (T-SM-9).
"""

from __future__ import annotations

import re

# token = 1*tchar (RFC 9110, section 5.6.2)
TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++")

# field-vchar = VCHAR / obs-text; besides these a line may hold SP and HTAB (RFC 9110, section
# 5.5). All others are controls. NUL, bare CR and bare LF are the ones that servers disagree about.
NOT_CONTROL = b"\t" + bytes(octet for octet in range(0x20, 0x100) if octet != 0x7F)

# Content-Length = 1*DIGIT (RFC 9110, section 8.6). Stricter: no leading zero, which some read as
# octal, and nothing near the overflow of 64 bits.
LENGTH = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)

# Names whose disguised forms (T-SM-4) some servers fold into the real one.
_FRAMING = frozenset({"content-length", "transfer-encoding", "host", "connection", "trailer"})

# Spellings that nearly all traffic uses, to spare their check and lower-casing.
_COMMON = (
    "Accept", "Accept-Encoding", "Accept-Language", "Accept-Ranges", "Access-Control-Allow-Origin",
    "Age", "Authorization", "Cache-Control", "Connection", "Content-Encoding", "Content-Language",
    "Content-Length", "Content-Security-Policy", "Content-Type", "Cookie", "DNT", "Date", "ETag",
    "Expect", "Expires", "Host", "If-Match", "If-Modified-Since", "If-None-Match", "Keep-Alive",
    "Last-Modified", "Link", "Location", "Origin", "Pragma", "Priority", "Range", "Referer",
    "Referrer-Policy", "Sec-CH-UA", "Sec-CH-UA-Mobile", "Sec-CH-UA-Platform", "Sec-Fetch-Dest",
    "Sec-Fetch-Mode", "Sec-Fetch-Site", "Sec-Fetch-User", "Server", "Set-Cookie",
    "Strict-Transport-Security", "TE", "Transfer-Encoding", "Upgrade", "Upgrade-Insecure-Requests",
    "User-Agent", "Vary", "Via", "X-Content-Type-Options", "X-Forwarded-For", "X-Forwarded-Host",
    "X-Forwarded-Proto", "X-Frame-Options", "X-Powered-By", "X-Request-Id", "X-Requested-With",
)  # fmt: skip
_KNOWN = {spelling: name.lower() for name in _COMMON for spelling in (name, name.lower())}


class GrammarError(Exception):
    """Bytes that no message may have. `reason` is a stable kebab-case code."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def head_lines(head: bytes) -> list[str]:
    """Split a head, its closing empty line cut off, into lines; raises GrammarError.

    Text is UTF-8 with surrogate escapes, so that every byte from 0x80 survives.
    """
    lines = head.decode("utf-8", "surrogateescape").split("\r\n")
    # Each CRLF brings two controls. Any more are a bare CR, a bare LF, or do not belong here.
    if len(head.translate(None, NOT_CONTROL)) != 2 * (len(lines) - 1):
        raise GrammarError("control-character-in-head")
    return lines


def field_lines(
    lines: list[str], watched: frozenset[str], singletons: frozenset[str]
) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """Read the lines after the first as fields; raises GrammarError.

    Returns all (name, value) pairs in order, and the values of the `watched` lower-case names,
    repeated ones joined by a comma (RFC 9110, section 5.3). A `singletons` name may stand once.
    """
    pairs: list[tuple[str, str]] = []
    found: dict[str, str] = {}
    known = _KNOWN.get
    first = True
    for line in lines:
        if first:
            first = False
            continue
        # field-line = field-name ":" OWS field-value OWS (RFC 9112, section 5). Neither space
        # before the colon nor a folded line passes: both make a name that is no token.
        name, colon, value = line.partition(":")
        key = known(name) or _field_name(name)
        if not colon:
            raise GrammarError("field-line-without-colon")
        value = value.strip(" \t")
        if key in watched:
            if key not in found:
                found[key] = value
            elif key in singletons:
                raise GrammarError(f"repeated-{key}")
            else:
                found[key] += ", " + value
        pairs.append((name, value))
    return pairs, found


def _field_name(name: str) -> str:
    """Check one field name and return it in lower case."""
    if TOKEN.fullmatch(name) is None:
        raise GrammarError("bad-field-name")
    key = name.lower()
    if ("_" in key or "." in key) and key.replace("_", "-").replace(".", "-") in _FRAMING:
        raise GrammarError("disguised-framing-field")
    return key


def list_tokens(value: str) -> list[str]:
    """Return the members of a comma-separated list in lower case, empty ones dropped."""
    return [token for part in value.split(",") if (token := part.strip(" \t").lower())]


def check_line_sizes(lines: list[str], *, max_first: int, max_field: int) -> str | None:
    """Return the reason why a line is too long, or None. Only for heads that may hold such."""
    if len(lines[0]) > max_first:
        return "request-line-too-long"
    if any(len(line) > max_field for line in lines):
        return "field-line-too-long"
    return None
