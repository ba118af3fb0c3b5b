"""The head of an upstream's response, held to the same strictness as a request (T-SM-R)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from policy.fields import Fields
from proxy.http1.grammar import (
    LENGTH,
    FieldLines,
    GrammarError,
    check_line,
    check_singletons,
    head_lines,
    list_tokens,
)
from proxy.http1.request_head import CHUNKED

# `ResponseHead.length` of a body that ends with the connection (RFC 9112, section 6.3, rule 8).
UNTIL_CLOSE = -2

# status-line = HTTP-version SP status-code SP [ reason-phrase ] (RFC 9112, section 4)
_STATUS_LINE = re.compile(r"HTTP/1\.([01]) ([1-9][0-9]{2}) ([^\x00-\x08\x0a-\x1f\x7f]*+)")

_SINGLETONS = ("content-length", "content-type", "location", "transfer-encoding")

_MAX_REMEMBERED_HEADS = 128
_MAX_REMEMBERED_BYTES = 2048


class BadResponse(Exception):  # noqa: N818 - the counterpart of BadRequest
    """A response that can't be passed on: 502, and its connection is never used again."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class ResponseHead(NamedTuple):
    """One response head. `length` is the body's size, CHUNKED or UNTIL_CLOSE.

    `keeps_alive` tells whether the connection may carry another request after this body.
    """

    status: int
    reason: str
    fields: Fields
    length: int
    keeps_alive: bool
    upgrade: Sequence[str] = ()


class ResponseHeads:
    """Reads the response heads of one upstream, some of which come again and again.

    A head that came before byte for byte has been checked before. The memory is bounded and
    starts anew when it is full; heads with cookies stay out of it.
    """

    __slots__ = ("_field_lines", "_heads")

    def __init__(self) -> None:
        self._field_lines = FieldLines()
        # None for a head that came once: keeping it costs something, so it has to come twice.
        self._heads: dict[bytes, ResponseHead | None] = {}

    def read(self, head: bytes, *, method: str, max_fields: int) -> ResponseHead:
        """Read a head up to, not including, its empty line; raises BadResponse."""
        if method == "HEAD":
            return parse_response_head(
                head, self._field_lines, method=method, max_fields=max_fields
            )
        kept = self._heads.get(head)
        if kept is not None:
            return ResponseHead(
                kept.status,
                kept.reason,
                kept.fields.twin(),
                kept.length,
                kept.keeps_alive,
                kept.upgrade,
            )
        read = parse_response_head(head, self._field_lines, method=method, max_fields=max_fields)
        if head in self._heads:
            self._heads[head] = read._replace(fields=read.fields.twin())
        elif len(head) <= _MAX_REMEMBERED_BYTES and "set-cookie" not in read.fields.by_name:
            if len(self._heads) >= _MAX_REMEMBERED_HEADS:
                self._heads.clear()
            self._heads[head] = None
        return read


def parse_response_head(
    head: bytes, field_lines: FieldLines, *, method: str, max_fields: int
) -> ResponseHead:
    """Read a head up to, not including, its empty line; raises BadResponse.

    `method` is the request's: a response to HEAD has no body whatever its fields say.
    """
    try:
        lines = head_lines(head)
        first = lines.pop(0)
        check_line(first)
        start = _STATUS_LINE.fullmatch(first)
        if start is None:
            raise BadResponse("bad-status-line")
        if len(lines) > max_fields:
            raise BadResponse("too-many-fields")
        end = head.find(b"\r\n")
        fields = field_lines.read(lines, head[end:] if end >= 0 else b"")
        return _response_head(start, fields, method)
    except GrammarError as error:
        raise BadResponse(error.reason) from None


def _response_head(start: re.Match[str], fields: Fields, method: str) -> ResponseHead:
    check_singletons(fields, _SINGLETONS)
    by_name = fields.by_name
    minor, code, reason = start.groups()
    status = int(code)
    length = _body_length(by_name, status, method, minor)
    if "connection" not in by_name:
        keeps_alive = length != UNTIL_CLOSE and minor == "1"
        return ResponseHead(status, reason, fields, length, keeps_alive)
    connection = list_tokens(by_name["connection"])
    keeps_alive = "close" not in connection and (minor == "1" or "keep-alive" in connection)
    return ResponseHead(
        status,
        reason,
        fields,
        length,
        keeps_alive and length != UNTIL_CLOSE,
        list_tokens(by_name.get("upgrade", [])) if "upgrade" in connection else (),
    )


def _body_length(by_name: Mapping[str, list[str]], status: int, method: str, minor: str) -> int:
    """Decide where the body ends (RFC 9112, section 6.3), with every ambiguity refused."""
    coding = by_name["transfer-encoding"][0] if "transfer-encoding" in by_name else None
    text = by_name["content-length"][0] if "content-length" in by_name else None
    if coding is not None and (
        text is not None or minor == "0" or coding.lower() != "chunked" or status < 200
    ):
        raise BadResponse("bad-transfer-encoding")
    if text is not None and LENGTH.fullmatch(text) is None:
        raise BadResponse("bad-content-length")
    length = UNTIL_CLOSE if text is None else int(text)
    if status < 200 or status in (204, 304):
        # RFC 9110, section 8.6, allows a length on 304; whoever reads it as the body's is led
        # astray, so both are refused. Zero is harmless and common.
        if length > 0 or (coding is not None and status == 204):
            raise BadResponse("length-without-body")
        return 0
    if method == "HEAD":
        return 0
    return CHUNKED if coding is not None else length
