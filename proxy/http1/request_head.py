"""The head of a request: what the client wants, and where the request ends (RFC 9112, 3 and 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from policy.fields import Fields
from policy.forwarding import times_passed
from proxy.http1.grammar import (
    LENGTH,
    TOKEN,
    FieldLines,
    GrammarError,
    check_line,
    check_singletons,
    list_tokens,
)
from proxy.http1.recurring import TOO_MANY_FIELDS, RecurringFields
from proxy.limits import REFUSED_METHODS, Limits

# `RequestHead.length` of a body in the chunked coding; other values are plain byte counts.
CHUNKED: Final = -1

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
_VERSIONS = frozenset({"HTTP/1.1", "HTTP/1.0"})
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


class RequestHead:
    """One request head. `length` is the body's size, 0 for none, or CHUNKED.

    `connection` holds the Connection options in lower case; `upgrade` the protocols that the
    client offers to switch to, none unless Connection names them.
    """

    __slots__ = (
        "connection", "expects_continue", "fields", "host", "length", "method", "target",
        "upgrade", "version",
    )  # fmt: skip

    def __init__(  # noqa: PLR0917 - made for every request, and names in a call take time
        self,
        method: str,
        target: str,
        version: str,
        fields: Fields,
        host: str,
        length: int,
        connection: Sequence[str] = (),
        upgrade: Sequence[str] = (),
        expects_continue: bool = False,  # noqa: FBT001, FBT002 - the same
    ) -> None:
        self.method = method
        self.target = target
        self.version = version
        self.fields = fields
        self.host = host
        self.length = length
        self.connection = connection
        self.upgrade = upgrade
        self.expects_continue = expects_continue

    @property
    def keeps_alive(self) -> bool:
        """Tell whether the client wants the connection to persist (RFC 9112, section 9.3)."""
        if self.version == "HTTP/1.1":
            return "close" not in self.connection
        return "keep-alive" in self.connection and "close" not in self.connection


class RequestHeads:
    """Reads the heads of one connection, whose fields are mostly the same again and again."""

    __slots__ = ("_fields", "_limits", "_max_fields", "_max_request_line")

    def __init__(self, field_lines: FieldLines) -> None:
        """Read with lines that all connections remember together."""
        self._fields = RecurringFields(field_lines, has_one_sender=True)
        # Those that were read with last, and what is asked of them each time.
        self._limits: Limits | None = None
        self._max_request_line = self._max_fields = 0

    def read(self, head: bytes, limits: Limits) -> RequestHead:
        """Read a head up to, not including, its empty line; raises BadRequest."""
        if limits is not self._limits:
            self._limits = limits
            self._max_request_line = limits.max_request_line_bytes
            self._max_fields = limits.max_fields
        end = head.find(b"\r\n")
        if end < 0:
            end = len(head)
        if end > self._max_request_line:
            raise BadRequest(414, "request-line-too-long")
        method, target, version = _request_line(
            head[:end].decode("utf-8", "surrogateescape"), limits
        )
        try:
            fields = self._fields.read(head[end:], self._max_fields)
            if len(head) > self._max_request_line:
                _check_sizes(fields, limits)
            return _request_head(method, target, version, fields)
        except GrammarError as error:
            status = 431 if error.reason == TOO_MANY_FIELDS else 400
            raise BadRequest(status, error.reason) from None


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


def _request_line(line: str, limits: Limits) -> list[str]:
    """Take a request line apart into method, target and version."""
    # request-line = method SP request-target SP HTTP-version (RFC 9112, section 3): exactly one
    # space between the parts. The target's own grammar stands in policy.url; controls have no
    # place in it.
    parts = line.split(" ")
    if len(parts) == 3:
        method, target, version = parts
        if method in METHODS and version in _VERSIONS and target and target.isprintable():
            return parts
    _check_request_line(line, parts, limits)
    return parts


def _check_request_line(line: str, parts: list[str], limits: Limits) -> None:
    """Look at a line that is not among the usual ones."""
    try:
        check_line(line)
    except GrammarError as error:
        raise BadRequest(400, error.reason) from None
    if len(parts) != 3:
        raise BadRequest(400, "bad-request-line")
    method, target, version = parts
    # HTTP-version = %s"HTTP" "/" DIGIT "." DIGIT, here one of two (T-SM-12).
    if version not in _VERSIONS:
        raise BadRequest(400, "bad-version")
    if method not in METHODS and method not in limits.additional_methods:
        raise _refused_method(method)
    if not target or not target.isprintable():
        raise BadRequest(400, "bad-request-line")


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


def _check_sizes(fields: Fields, limits: Limits) -> None:
    """Refuse lines that are too long. Only for heads that may hold such."""
    max_line = limits.max_field_line_bytes
    if max(map(len, fields.texts), default=0) > max_line:
        raise BadRequest(431, "field-line-too-long")
