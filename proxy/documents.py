"""Keeps documents of others fresh: key sets and provider metadata. Answers GetDocument.

    a document that a policy names   fetched at the start, then every 15 minutes
    one whose URL a request made up  fetched when asked for, one of 64 at most
    asked for while it is fetched    everybody waits for the same fetch
    asked for a newer version        fetched now, once a minute at most
    a fetch fails                    the last good one serves on, for a day; tried again soon

What is at hand is answered at once, without a task: that is what nearly every request gets.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import unquote, urlsplit

from policy.effect import (
    BadDocument,
    Document,
    DocumentKey,
    Fetch,
    Fetched,
    FetchFailed,
    GetDocument,
    Unavailable,
)

# These two are not Final, which would write them into the compiled code: tests set them lower.
REFRESH_S = 900.0
NEWER_S = 60.0
FIRST_RETRY_S: Final = 1.0
LAST_RETRY_S: Final = 60.0
# Without any version at hand, requests are being refused; but what was never there in two minutes
# may never be.
LAST_RETRY_WITHOUT_S: Final = 8.0
MANY_FAILURES: Final = 16
TIMEOUT_S: Final = 5.0
LIMIT_BYTES: Final = 512 * 1024
MAX_UNNAMED: Final = 64
HTTP_OK: Final = 200

NOT_NAMED: Final = "file-not-named-by-policy"
FILE_UNREADABLE: Final = "file-unreadable"
TOO_LARGE: Final = "answer-too-large"
TOO_OLD: Final = "too-old"
TOO_MANY: Final = "too-many-documents"
NOT_AT_HAND: Final = "not-at-hand"
STOPPED: Final = "stopped"

Answer: TypeAlias = Document | Unavailable
FetchNow: TypeAlias = Callable[[Fetch], Awaitable[Fetched | FetchFailed]]


@dataclass(slots=True, eq=False)
class _Entry:
    """One document. Times are the loop's; `good` is the last good version."""

    url: str
    parse: Callable[[bytes], Any]
    is_host_trusted: bool
    is_named: bool
    good: Document | None = None
    good_until: float = -inf
    content: bytes = b""
    next_at: float = -inf
    newer_at: float = -inf
    used_at: float = -inf
    failures: int = 0
    reason: str = NOT_AT_HAND
    refreshing: asyncio.Task[None] | None = None

    def answer(self, now: float) -> Answer:
        """Return what is at hand."""
        if self.good is not None and now < self.good_until:
            return self.good
        return Unavailable(reason=self.reason if self.good is None else TOO_OLD)


class Documents:
    """All documents of a running proxy."""

    def __init__(self, fetch: FetchNow, *, now: Callable[[], float]) -> None:
        """Prepare. `now` reads a clock in seconds that never goes back."""
        self._fetch = fetch
        self._now = now
        self._entries: dict[DocumentKey, _Entry] = {}
        self._named_changed = asyncio.Event()
        self._max_stale_s = inf
        self._stopped = False
        # Called when a document that a policy names has new content.
        self.on_change: Callable[[], None] = _nothing

    def keep(self, requests: Iterable[GetDocument], *, max_stale_s: float) -> None:
        """Keep just these fresh from now on: those that the running policies name.

        What was derived from a document, such as remembered tokens, is dropped; its content is
        not. A good document serves on for `max_stale_s` after its last successful fetch.
        """
        self._max_stale_s = max_stale_s
        named = {request.key for request in requests}
        self._entries = {
            key: entry for key, entry in self._entries.items() if key in named or not entry.is_named
        }
        for key in named:
            entry = self._entries.setdefault(key, _Entry(*key, is_named=True))
            entry.is_named = True
        for entry in self._entries.values():
            if entry.good is not None:
                value = entry.parse(entry.content)
                entry.good = Document(value=value, version=entry.good.version)
            if document_path(entry.url) is not None:
                # A changed file is why a configuration is loaded anew.
                entry.next_at = -inf
        self._named_changed.set()

    def answer(self, request: GetDocument) -> Answer | asyncio.Future[Answer]:
        """Answer at once where that is possible, else with what to wait for."""
        entry = self._entries.get(request.key)
        now = self._now()
        if entry is None:
            if not request.wait:
                return Unavailable(reason=NOT_AT_HAND)
            made = self._unnamed(request)
            if isinstance(made, Unavailable):
                return made
            entry = made
        entry.used_at = now
        if now >= entry.next_at:
            self._refresh(entry)
        good = entry.good
        if good is not None and now < entry.good_until:
            if good.version > request.newer_than or not request.wait:
                return good
            if now - entry.newer_at >= NEWER_S:
                entry.newer_at = now
                self._refresh(entry)
            elif entry.refreshing is None:
                return good
        elif not request.wait:
            return entry.answer(now)
        if entry.refreshing is None:
            return entry.answer(now)
        return asyncio.ensure_future(self._wait(entry, entry.refreshing))

    def at_hand(self, request: GetDocument) -> Document | None:
        """Return a good document, unless asking for it would begin to fetch it anew."""
        entry = self._entries.get(request.key)
        if entry is None:
            return None
        now = self._now()
        if now >= entry.good_until:
            return None
        if not entry.is_named:
            if now >= entry.next_at:
                return None
            # Only of these the least used one makes room.
            entry.used_at = now
        return entry.good

    async def run(self) -> None:
        """Keep the named documents fresh, until cancelled."""
        while True:
            self._named_changed.clear()
            now = self._now()
            named = [entry for entry in self._entries.values() if entry.is_named]
            for entry in named:
                if now >= entry.next_at:
                    self._refresh(entry)
            due = min((entry.next_at for entry in named), default=inf)
            with suppress(TimeoutError):
                async with asyncio.timeout(None if due == inf else max(due - now, FIRST_RETRY_S)):
                    await self._named_changed.wait()

    async def close(self) -> None:
        """Stop every fetch; whoever waits for one is told that there is nothing."""
        self._stopped = True
        tasks = [each.refreshing for each in self._entries.values() if each.refreshing is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _unnamed(self, request: GetDocument) -> _Entry | Unavailable:
        """Make room for a document that no policy names."""
        if document_path(request.url) is not None:
            return Unavailable(reason=NOT_NAMED)
        unnamed = [
            (entry.used_at, key) for key, entry in self._entries.items() if not entry.is_named
        ]
        if len(unnamed) >= MAX_UNNAMED:
            oldest = min(unnamed, key=lambda each: each[0])[1]
            if self._entries[oldest].refreshing is not None:
                return Unavailable(reason=TOO_MANY)
            del self._entries[oldest]
        key = request.key
        entry = self._entries[key] = _Entry(*key, is_named=False)
        return entry

    def _refresh(self, entry: _Entry) -> None:
        """Begin to fetch, unless that is going on."""
        if entry.refreshing is None and not self._stopped:
            # Nobody begins another one before this one has ended.
            entry.next_at = inf
            entry.refreshing = asyncio.get_running_loop().create_task(self._get(entry))

    async def _wait(self, entry: _Entry, refreshing: asyncio.Task[None]) -> Answer:
        # The fetch is everybody's: a client that goes away must not end it.
        await asyncio.wait([refreshing])
        return entry.answer(self._now()) if not self._stopped else Unavailable(reason=STOPPED)

    async def _get(self, entry: _Entry) -> None:
        try:
            content = await self._content(entry)
            if isinstance(content, FetchFailed):
                self._failed(entry, content.reason)
            else:
                self._succeeded(entry, content)
        except BadDocument as error:
            self._failed(entry, error.reason)
        finally:
            entry.refreshing = None
            entry.next_at = min(entry.next_at, self._now() + REFRESH_S)
            self._named_changed.set()

    async def _content(self, entry: _Entry) -> bytes | FetchFailed:
        path = document_path(entry.url)
        if path is not None:
            return await asyncio.to_thread(read_document, path)
        answer = await self._fetch(
            Fetch(
                url=entry.url,
                headers=(("Accept", "application/json, */*;q=0.5"),),
                limit_bytes=LIMIT_BYTES,
                timeout_s=TIMEOUT_S,
                is_host_trusted=entry.is_named or entry.is_host_trusted,
            )
        )
        if isinstance(answer, FetchFailed):
            return answer
        if answer.status_code != HTTP_OK:
            return FetchFailed(reason=f"status-{answer.status_code}")
        return answer.body

    def _succeeded(self, entry: _Entry, content: bytes) -> None:
        """Take what was fetched; the same content stays the same version. Raises BadDocument."""
        digest = hashlib.sha256(content).digest()
        good = entry.good
        if good is None or digest != hashlib.sha256(entry.content).digest():
            value = entry.parse(content)
            entry.good = Document(value=value, version=1 if good is None else good.version + 1)
            entry.content = content
            if good is not None and entry.is_named:
                self.on_change()
        now = self._now()
        entry.failures = 0
        entry.good_until = now + self._max_stale_s
        entry.next_at = now + REFRESH_S

    def _failed(self, entry: _Entry, reason: str) -> None:
        """Keep what there is, and try again soon."""
        entry.reason = reason
        is_urgent = entry.good is None and entry.failures < MANY_FAILURES
        longest_s = LAST_RETRY_WITHOUT_S if is_urgent else LAST_RETRY_S
        wait_s = min(FIRST_RETRY_S * 2.0**entry.failures, longest_s)
        entry.failures = min(entry.failures + 1, MANY_FAILURES)
        entry.next_at = self._now() + wait_s


def _nothing() -> None:
    """Do nothing about a change."""


def read_document(path: Path) -> bytes | FetchFailed:
    """Read a document of the operator's own."""
    try:
        with path.open("rb") as file:
            content = file.read(LIMIT_BYTES + 1)
    except OSError:
        return FetchFailed(reason=FILE_UNREADABLE)
    return content if len(content) <= LIMIT_BYTES else FetchFailed(reason=TOO_LARGE)


def document_path(url: str) -> Path | None:
    """Return the file that a `file:` URL names, None for other URLs."""
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None
