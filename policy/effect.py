"""What an action may ask of the outside world.

An action does no IO: it yields an effect and is handed the answer, by the proxy, by the
evaluator or by a test.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from policy.store import StoreDelete, StoreFind, StoreGet, StorePut, StoreTake


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBody:
    """Buffer the whole request body; answered with its bytes, or None when over the limit."""

    limit_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """Ask for the time; answered with nanoseconds since the epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """Make one HTTP request; answered with Fetched or FetchFailed, never with an exception.

    Only https, or http to a literal loopback address. Redirects are not followed, cookies are not
    kept, a compressed answer is a failure. Whatever takes longer than `timeout_s` in total, or
    has a larger body, fails. Unless the policy itself names the host (`is_host_trusted`), only
    public addresses are connected to (T-SS-1).
    """

    url: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    limit_bytes: int
    timeout_s: float
    is_host_trusted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A complete answer, of whatever status."""

    status_code: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchFailed:
    """No usable answer; `reason` is a stable code for the log."""

    reason: str


class BadDocument(ValueError):  # noqa: N818 - what was fetched, not what failed
    """What was fetched is no document of the wanted kind; `reason` is a stable code."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


DocumentKey: TypeAlias = tuple[str, Callable[[bytes], Any], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class GetDocument:
    """Ask for a document that is kept fresh for us: a provider's keys, its metadata.

    Answered with Document or Unavailable. What is at hand is answered at once, however often it
    is asked for; it is fetched again in the background, and a failure never drops a good one.
    `parse` reads what was fetched, once per version; it raises BadDocument. Without `wait` only
    what is at hand counts. `newer_than` asks for a version above that one: it is fetched now,
    though not more often than once a minute. A document that no policy names is fetched from
    public addresses only (T-SS-1), unless it is `is_host_trusted`: on the host of one that is.
    `key` tells documents apart: from where one may be fetched is part of what it is, as a policy's
    trust is for its own only.
    """

    url: str
    parse: Callable[[bytes], Any]
    wait: bool = True
    newer_than: int = 0
    is_host_trusted: bool = False
    key: DocumentKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Made once: nearly every request looks a document up by it.
        object.__setattr__(self, "key", (self.url, self.parse, self.is_host_trusted))


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document as `parse` read it. Versions count from 1 and grow when the content changes."""

    value: Any
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailable:
    """There is no such document, not even an old one; `reason` is for the log."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """Do something that must not be done twice at a time; answered with what `work` returns.

    `work` makes a generator of effects. Whoever asks under the same `name` while it runs gets
    the same answer. It runs to its end even when nobody waits for it any more: a refresh token
    that was sent must not be lost with the client that happened to need it.
    """

    name: str
    work: Callable[[], Generator[Effect, Any, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Let some time pass, for another process to finish; answered with None."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Compute:
    """Calculate something that takes over a millisecond, while others are served.

    `run` touches nothing that others use; it is answered with what it returns, and what it raises
    is raised where the effect was yielded.
    """

    run: Callable[[], Any]


Effect: TypeAlias = (
    ReadBody
    | Now
    | Fetch
    | GetDocument
    | StoreGet
    | StorePut
    | StoreTake
    | StoreDelete
    | StoreFind
    | Once
    | Wait
    | Compute
)
