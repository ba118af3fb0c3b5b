"""The values of number, string and bytes literals (CEL language definition, "Values")."""

from __future__ import annotations

import re
from typing import Final

from policy.cel.values import UINT_MAX, Uint

_ESCAPE: Final = re.compile(
    r"""\\(?:(?P<plain>[abfnrtv\\?"'`])|[xX](?P<byte>[0-9a-fA-F]{2})|(?P<octal>[0-3][0-7]{2})"""
    r"""|u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8})|(?P<bad>.?))""",
    re.DOTALL,
)
_PLAIN: Final = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", "?": "?", '"': '"', "'": "'", "`": "`",
}  # fmt: skip


class LiteralError(Exception):
    """A literal without a value; `start` and `end` are offsets inside its text."""

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = end


def parse_integer(text: str) -> int | Uint:
    """Read a decimal or hexadecimal literal, unsigned with a trailing `u`.

    A signed literal may be one above the largest value: the minus before it is another token.
    """
    unsigned = text[-1] in "uU"
    digits = text[:-1] if unsigned else text
    # Longer digit strings can't fit, and int() refuses the very long ones with its own error.
    if len(digits) > 32:
        raise LiteralError("the number does not fit into 64 bits", 0, len(text))
    value = int(digits, 16) if digits[:2] in ("0x", "0X") else int(digits)
    if value > (UINT_MAX if unsigned else 2**63):
        raise LiteralError("the number does not fit into 64 bits", 0, len(text))
    return Uint(value) if unsigned else value


def parse_string(text: str) -> str | bytes:
    """Read a string or bytes literal in any of its forms: raw, bytes, triple-quoted."""
    quote_at = min(i for i in (text.find("'"), text.find('"')) if i >= 0)
    prefix = text[:quote_at].lower()
    width = 3 if text[quote_at : quote_at + 3] in ('"""', "'''") else 1
    start = quote_at + width
    body = text[start : len(text) - width]
    if "r" in prefix or "\\" not in body:
        return body.encode("utf-8", "surrogateescape") if "b" in prefix else body
    return _unescape_bytes(body, start) if "b" in prefix else _unescape_text(body, start)


def plain_body_start(text: str) -> int | None:
    """Return where a string literal's value begins in its text, if it stands there unchanged."""
    prefix = len(text) - len(text.lstrip("bBrR"))
    quote = text[prefix : prefix + 1]
    if not quote or quote not in "'\"":
        return None
    width = 3 if text[prefix : prefix + 3] == quote * 3 else 1
    body = text[prefix + width : len(text) - width]
    is_raw = "r" in text[:prefix].lower()
    return prefix + width if is_raw or "\\" not in body else None


def _unescape_text(body: str, offset: int) -> str:
    def value(match: re.Match[str]) -> str:
        plain = match["plain"]
        if plain is not None:
            return _PLAIN[plain]
        return chr(_code_point(match, offset))

    return _ESCAPE.sub(value, body)


def _unescape_bytes(body: str, offset: int) -> bytes:
    pieces: list[bytes] = []
    position = 0
    for match in _ESCAPE.finditer(body):
        pieces.append(body[position : match.start()].encode("utf-8", "surrogateescape"))
        position = match.end()
        if match["plain"] is not None:
            pieces.append(_PLAIN[match["plain"]].encode())
        elif match["short"] or match["long"]:
            raise _bad_escape(match, offset, "a bytes literal has no \\u and \\U escapes")
        else:
            pieces.append(bytes([_code_point(match, offset)]))
    pieces.append(body[position:].encode("utf-8", "surrogateescape"))
    return b"".join(pieces)


def _code_point(match: re.Match[str], offset: int) -> int:
    if match["bad"] is not None:
        raise _bad_escape(match, offset, f"{match[0]!r} is not an escape; write '\\\\' or r'...'")
    if match["octal"] is not None:
        return int(match["octal"], 8)
    code = int(match["byte"] or match["short"] or match["long"], 16)
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise _bad_escape(match, offset, f"{match[0]} is not a Unicode character")
    return code


def _bad_escape(match: re.Match[str], offset: int, message: str) -> LiteralError:
    return LiteralError(message, offset + match.start(), offset + match.end())
