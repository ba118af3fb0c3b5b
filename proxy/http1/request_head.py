"""The head of a request: what the client wants, and where the request ends (RFC 9112, 3 and 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from policy.fields import Fields
from policy.forwarding import times_passed
from proxy.http1.grammar import (
    LENGTH,
    TOKEN,
    FieldLines,
    GrammarError,
    check_line,
    check_line_sizes,
    check_singletons,
    head_lines,
    list_tokens,
)
from proxy.limits import REFUSED_METHODS, Limits

# `RequestHead.length` of a body in the chunked coding; other values are plain byte counts.
CHUNKED = -1

# Registered methods (RFC 9110, section 18.2, and its registry) and two that caches understand.
# Methods are compared exactly: `get` and `GET\x0b` are other methods than GET (T-PA-4). Others
# pass where `limits.additional_methods` names them: many a server treats what it does not know as
# a GET, and rules that list methods would not see it coming.
METHODS = frozenset(
    {
        "ACL", "BASELINE-CONTROL", "BAN", "BIND", "CHECKIN", "CHECKOUT", "COPY", "DELETE", "GET",
        "HEAD", "LABEL", "LINK", "LOCK", "MERGE", "MKACTIVITY", "MKCALENDAR", "MKCOL",
        "MKREDIRECTREF", "MKWORKSPACE", "MOVE", "OPTIONS", "ORDERPATCH", "PATCH", "POST",
        "PROPFIND", "PROPPATCH", "PURGE", "PUT", "QUERY", "REBIND", "REPORT", "SEARCH", "UNBIND",
        "UNCHECKOUT", "UNLINK", "UNLOCK", "UPDATE", "UPDATEREDIRECTREF", "VERSION-CONTROL",
    }
)  # fmt: skip
_MAX_METHOD = 64
# A gate at the edge, one beside the service, one in front of its own calls: more than this many
# are one request that goes round (T-SS-5).
MAX_TIMES_PASSED = 5

# Two of these let two readers choose differently (T-SM-1, T-SM-11).
_SINGLETONS = ("content-length", "content-type", "expect", "host", "transfer-encoding")
# A head without any of these has nothing to say about its body and its connection. All of them
# are NOTABLE.
_TELLING = frozenset(
    {"authorization", "cdn-loop", "connection", "content-length", "expect", "transfer-encoding"}
)


class BadRequest(Exception):  # noqa: N818 - it is the name of the status it mostly becomes
    """A request that is refused with `status`; the connection is closed after the answer."""

    def __init__(self, status: int, reason: str) -> None:
        self.status = status
        self.reason = reason
        super().__init__(reason)


class RequestHead(NamedTuple):
    """One request head. `length` is the body's size, 0 for none, or CHUNKED.

    `connection` holds the Connection options in lower case; `upgrade` the protocols that the
    client offers to switch to, none unless Connection names them.
    """

    method: str
    target: str
    version: str
    fields: Fields
    host: str
    length: int
    connection: Sequence[str] = ()
    upgrade: Sequence[str] = ()
    expects_continue: bool = False

    @property
    def keeps_alive(self) -> bool:
        """Tell whether the client wants the connection to persist (RFC 9112, section 9.3)."""
        if self.version == "HTTP/1.1":
            return "close" not in self.connection
        return "keep-alive" in self.connection and "close" not in self.connection


class RequestHeads:
    """Reads the heads of one connection, whose fields are often the same again and again.

    Fields that came before byte for byte have been checked before: only the request line is new.
    """

    __slots__ = ("_field_lines", "_kept", "_last")

    def __init__(self, field_lines: FieldLines) -> None:
        """Read with lines that all connections remember together."""
        self._field_lines = field_lines
        self._last = b""
        # The head of which `_last` is a part, untouched by any policy; None until it comes twice.
        self._kept: RequestHead | None = None

    def read(self, head: bytes, limits: Limits) -> RequestHead:
        """Read a head up to, not including, its empty line; raises BadRequest."""
        end = head.find(b"\r\n")
        field_bytes = head[end:]
        kept = self._kept
        if field_bytes != self._last or end > limits.max_request_line_bytes:
            self._last = field_bytes
            self._kept = None
            return parse_request_head(head, limits, self._field_lines)
        if kept is None:
            read = parse_request_head(head, limits, self._field_lines)
            self._kept = read._replace(fields=read.fields.twin())
            return read
        line = head[:end].decode("utf-8", "surrogateescape")
        method, target, version = _request_line(line, limits)
        if version != kept.version:
            return parse_request_head(head, limits, self._field_lines)
        return RequestHead(method, target, version, kept.fields.twin(), *kept[4:])


def parse_request_head(head: bytes, limits: Limits, field_lines: FieldLines) -> RequestHead:
    """Read a head up to, not including, its empty line; raises BadRequest."""
    try:
        lines = head_lines(head)
        if len(head) > limits.max_request_line_bytes:
            _check_sizes(lines, limits)
        first = lines.pop(0)
        check_line(first)
        method, target, version = _request_line(first, limits)
        if len(lines) > limits.max_fields:
            raise BadRequest(431, "too-many-fields")
        end = head.find(b"\r\n")
        fields = field_lines.read(lines, head[end:] if end >= 0 else b"")
        return _request_head(method, target, version, fields)
    except GrammarError as error:
        raise BadRequest(400, error.reason) from None


def _request_head(method: str, target: str, version: str, fields: Fields) -> RequestHead:
    check_singletons(fields, _SINGLETONS)
    by_name = fields.by_name
    if "host" not in by_name:
        raise BadRequest(400, "missing-host")
    host = by_name["host"][0]
    if _TELLING.isdisjoint(fields.notable):
        return RequestHead(method, target, version, fields, host, 0)
    if len(set(by_name.get("authorization", ()))) > 1:
        # One reader believes the first, another the last (T-HD-6).
        raise BadRequest(400, "conflicting-authorization")
    if "cdn-loop" in by_name and times_passed(by_name["cdn-loop"]) >= MAX_TIMES_PASSED:
        raise BadRequest(508, "forwarding-loop")
    connection = list_tokens(by_name["connection"]) if "connection" in by_name else []
    return RequestHead(
        method,
        target,
        version,
        fields,
        host,
        _body_length(by_name, version),
        connection,
        list_tokens(by_name.get("upgrade", [])) if "upgrade" in connection else (),
        "expect" in by_name and _expects_continue(by_name["expect"][0], version),
    )


def _request_line(line: str, limits: Limits) -> tuple[str, str, str]:
    # request-line = method SP request-target SP HTTP-version (RFC 9112, section 3): exactly one
    # space between the parts. The target's own grammar stands in policy.url.
    parts = line.split(" ")
    if len(parts) != 3:
        raise BadRequest(400, "bad-request-line")
    method, target, version = parts
    # HTTP-version = %s"HTTP" "/" DIGIT "." DIGIT, here one of two (T-SM-12).
    if version not in ("HTTP/1.1", "HTTP/1.0"):
        raise BadRequest(400, "bad-version")
    if method not in METHODS and method not in limits.additional_methods:
        raise _refused_method(method)
    # Controls have no place in a target; whatever else it may not hold, policy.url refuses.
    if not target or not target.isprintable():
        raise BadRequest(400, "bad-request-line")
    return method, target, version


def _refused_method(method: str) -> BadRequest:
    if method in REFUSED_METHODS:
        return BadRequest(405, "method-refused")
    if len(method) > _MAX_METHOD or TOKEN.fullmatch(method) is None:
        return BadRequest(400, "bad-method")
    return BadRequest(501, "unknown-method")


def _body_length(by_name: Mapping[str, list[str]], version: str) -> int:
    """Decide where the body ends (RFC 9112, section 6.3), with every ambiguity refused."""
    if "transfer-encoding" in by_name:
        if "content-length" in by_name:
            raise BadRequest(400, "length-and-transfer-encoding")
        # Only the one coding that every recipient must understand, in its plainest form.
        if version != "HTTP/1.1" or by_name["transfer-encoding"][0].lower() != "chunked":
            raise BadRequest(400, "bad-transfer-encoding")
        return CHUNKED
    if "content-length" not in by_name:
        return 0
    length = by_name["content-length"][0]
    if LENGTH.fullmatch(length) is None:
        raise BadRequest(400, "bad-content-length")
    return int(length)


def _expects_continue(value: str, version: str) -> bool:
    """Read Expect (RFC 9110, section 10.1.1); in HTTP/1.0 the expectation is to be ignored."""
    if value.lower() != "100-continue":
        raise BadRequest(417, "unknown-expectation")
    return version == "HTTP/1.1"


def _check_sizes(lines: list[str], limits: Limits) -> None:
    too_long = check_line_sizes(
        lines, max_first=limits.max_request_line_bytes, max_field=limits.max_field_line_bytes
    )
    if too_long is not None:
        raise BadRequest(414 if too_long == "request-line-too-long" else 431, too_long)
