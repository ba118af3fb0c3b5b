"""Replaces the running configuration by the one that its files now describe, if that is a good one.

Requests never wait for it: the new configuration is compiled in a thread and put in place between
two requests. Signals and file changes only ask; however many ask at once, one reload after the
other runs, and each sees the newest files (security T-DO-8, T-UP-1).
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from watchfiles import watch

from policy.problem import PolicyError, Problem
from proxy.assembly import Assembly
from proxy.completion_event import timestamp
from proxy.failure import Failure

# Some file systems never tell of a change; looking this often finds it all the same.
LOOK_AGAIN_MS = 2000
# How often files that change while they are read are read again.
MOST_TRIES = 4

Fingerprint: TypeAlias = dict[Path, tuple[int, int, int] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadResult:
    """How the last attempt to load a configuration ended. `error` is None for a good one."""

    at_ns: int
    error: PolicyError | Failure | None = None

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was wrong, as far as it has a place in a document."""
        return self.error.problems if isinstance(self.error, PolicyError) else ()

    def as_json(self) -> dict[str, Any]:
        """Return what the admin listener shows of it."""
        return {
            "successful": self.error is None,
            "at": timestamp(self.at_ns),
            "error": None if self.error is None or self.problems else str(self.error),
            "problems": [problem.as_json() for problem in self.problems],
        }


def change_lines(before: Assembly, after: Assembly) -> Iterator[str]:
    """Say which changes of the configuration only a restart brings."""
    old, new = before.plan, after.plan
    addresses = [each.address for each in old.listeners], old.admin
    if addresses != ([each.address for each in new.listeners], new.admin):
        yield "penstock: addresses to listen on have changed: restart to use them"
    if before.store != after.store:
        yield "penstock: the store or its keys have changed: restart to use them"
    if old.workers != new.workers:
        yield "penstock: the number of workers has changed: restart to use it"


def result_line(result: ReloadResult) -> str:
    """Say how an attempt ended."""
    if result.error is None:
        return "penstock: configuration loaded anew"
    return f"penstock: not loaded, the old configuration stays\n{result.error}"


class Reloader:
    """Loads anew when asked. `apply` puts a good configuration in place, `report` tells of each."""

    def __init__(
        self,
        *,
        current: Assembly,
        assemble: Callable[[], Assembly],
        apply: Callable[[Assembly], None],
        report: Callable[[ReloadResult], None],
        now_ns: Callable[[], int],
    ) -> None:
        """Start from a configuration that is in place."""
        self._assemble = assemble
        self._apply = apply
        self._report = report
        self._now_ns = now_ns
        self._asked = asyncio.Event()
        self._files = current.files
        self._seen = fingerprint(current.files)
        self._rewatch = asyncio.Event()
        self.last = ReloadResult(at_ns=now_ns())

    def ask(self) -> None:
        """Ask for a reload; it happens soon, together with others asked for meanwhile."""
        self._asked.set()

    async def run(self) -> None:
        """Reload whenever asked, one at a time, until cancelled."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            await self._reload()

    async def watch(self) -> None:
        """Ask whenever one of the configuration's files has changed, until cancelled."""
        while True:
            self._rewatch.clear()
            async for _ in _changes(watched_folders(self._files), self._rewatch):
                if fingerprint(self._files) != self._seen:
                    self.ask()

    async def _reload(self) -> None:
        # Taken before anything is read: a change in the middle of it is seen as one.
        seen = fingerprint(self._files)
        try:
            assembly = await asyncio.to_thread(self._assemble)
        except (PolicyError, Failure) as error:
            self._refuse(seen, error)
            return
        except Exception as error:  # noqa: BLE001 - a bug in us must not end all later reloads
            self._refuse(seen, Failure(f"internal error: {type(error).__name__}: {error}"))
            return
        self._seen = fingerprint(assembly.files) | {
            path: mark for path, mark in seen.items() if path in assembly.files
        }
        if assembly.files != self._files:
            self._files = assembly.files
            self._rewatch.set()
        self._apply(assembly)
        self._conclude(ReloadResult(at_ns=self._now_ns()))

    def _refuse(self, seen: Fingerprint, error: PolicyError | Failure) -> None:
        self._seen = seen
        self._conclude(ReloadResult(at_ns=self._now_ns(), error=error))

    def _conclude(self, result: ReloadResult) -> None:
        self.last = result
        self._report(result)


class Loaded(NamedTuple):
    """An assembly, and what tells the versions of its files from all others."""

    assembly: Assembly
    seen: Fingerprint

    @property
    def version(self) -> str:
        """The same in two processes that have loaded the same configuration."""
        marks = repr(sorted((str(path), mark) for path, mark in self.seen.items()))
        return hashlib.blake2s(marks.encode("utf-8", "surrogateescape")).hexdigest()


def load_version(assemble: Callable[[], Assembly], files: Iterable[Path]) -> Loaded:
    """Assemble from files that stay the same meanwhile; `files` are those that are known now.

    Raises as `assemble` does, and Failure when the files do not come to rest.
    """
    for _ in range(MOST_TRIES):
        before = fingerprint(files)
        assembly = assemble()
        seen = fingerprint(assembly.files)
        if before == seen:
            return Loaded(assembly, seen)
        files = assembly.files
    raise Failure("the configuration's files change all the time")


def fingerprint(files: Iterable[Path]) -> Fingerprint:
    """Return what tells one version of each file from another; None for a missing file."""
    return {path: _mark(path) for path in files}


def _mark(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def watched_folders(files: Iterable[Path]) -> set[Path]:
    """Return the folders in which a change of these files shows.

    Editors and deployments replace files instead of writing into them, and mounted configuration
    is a chain of links: so it is the folders that are watched, those of the link's target too.
    """
    folders = {
        folder for path in files for folder in (path.absolute().parent, _target(path).parent)
    }
    return {folder for folder in folders if folder.is_dir()}


def _target(path: Path) -> Path:
    return Path(os.path.realpath(path))


async def _changes(folders: set[Path], stop: asyncio.Event) -> AsyncIterator[None]:
    """Yield when something in the folders may have changed; end when stopped or out of folders."""
    if not folders:
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), LOOK_AGAIN_MS / 1000)
        yield
        return
    # Not `awatch`, with which a second event loop library of 1 MB would come.
    changes = watch(
        *folders,
        stop_event=stop,
        recursive=False,
        rust_timeout=LOOK_AGAIN_MS,
        yield_on_timeout=True,
        watch_filter=None,
        debounce=200,
    )
    try:
        while await asyncio.to_thread(next, changes, None) is not None:
            yield
    finally:
        # The thread looks at it; whoever cancels us does not wait for the next change.
        stop.set()
