"""The head of an upstream's response, held to the same strictness as a request (T-SM-R)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from policy.fields import Fields
from proxy.http1.grammar import (
    LENGTH,
    FieldLines,
    GrammarError,
    check_line,
    check_singletons,
    list_tokens,
)
from proxy.http1.recurring import RecurringFields
from proxy.http1.request_head import CHUNKED

# `ResponseHead.length` of a body that ends with the connection (RFC 9112, section 6.3, rule 8).
UNTIL_CLOSE: Final = -2

# status-line = HTTP-version SP status-code SP [ reason-phrase ] (RFC 9112, section 4)
_STATUS_LINE = re.compile(r"HTTP/1\.([01]) ([1-9][0-9]{2}) ([^\x00-\x08\x0a-\x1f\x7f]*+)")

_SINGLETONS = ("content-length", "content-type", "location", "transfer-encoding")

_MAX_KNOWN_LINES = 64
_MAX_KNOWN_BYTES = 64


class BadResponse(Exception):  # noqa: N818 - the counterpart of BadRequest
    """A response that can't be passed on: 502, and its connection is never used again."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class ResponseHead:
    """One response head. `length` is the body's size, CHUNKED or UNTIL_CLOSE.

    `keeps_alive` tells whether the connection may carry another request after this body.
    """

    __slots__ = ("fields", "keeps_alive", "length", "reason", "status", "upgrade")

    def __init__(  # noqa: PLR0917 - made for every response, and names in a call take time
        self,
        status: int,
        reason: str,
        fields: Fields,
        length: int,
        keeps_alive: bool,  # noqa: FBT001 - the same
        upgrade: Sequence[str] = (),
    ) -> None:
        self.status = status
        self.reason = reason
        self.fields = fields
        self.length = length
        self.keeps_alive = keeps_alive
        self.upgrade = upgrade


class StatusLine(NamedTuple):
    """The first line of a response; `minor` is the digit behind `HTTP/1.`."""

    status: int
    reason: str
    minor: str


class ResponseHeads:
    """Reads the response heads of one upstream, which are mostly the same again and again."""

    __slots__ = ("_fields", "_known_lines")

    def __init__(self) -> None:
        self._fields = RecurringFields(FieldLines(), has_one_sender=False)
        # Status lines that came before. Bounded: it starts anew when it is full.
        self._known_lines: dict[bytes, StatusLine] = {}

    def read(self, head: bytes, *, method: str, max_fields: int) -> ResponseHead:
        """Read a head up to, not including, its empty line; raises BadResponse.

        `method` is the request's: a response to HEAD has no body whatever its fields say.
        """
        end = head.find(b"\r\n")
        if end < 0:
            end = len(head)
        try:
            start = self._status_line(head[:end])
            fields = self._fields.read(head[end:], max_fields)
            return _response_head(start, fields, method)
        except GrammarError as error:
            raise BadResponse(error.reason) from None

    def _status_line(self, line: bytes) -> StatusLine:
        known = self._known_lines.get(line)
        if known is not None:
            return known
        read = _status_line(line.decode("utf-8", "surrogateescape"))
        if len(line) <= _MAX_KNOWN_BYTES:
            if len(self._known_lines) >= _MAX_KNOWN_LINES:
                self._known_lines.clear()
            self._known_lines[line] = read
        return read


def _status_line(line: str) -> StatusLine:
    check_line(line)
    found = _STATUS_LINE.fullmatch(line)
    if found is None:
        raise BadResponse("bad-status-line")
    return StatusLine(int(found[2]), found[3], found[1])


def _response_head(start: StatusLine, fields: Fields, method: str) -> ResponseHead:
    check_singletons(fields, _SINGLETONS)
    by_name = fields.by_name
    status, reason, minor = start
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
