"""Keeps workers running: starts them, restarts them, loads anew in all of them or in none.

The supervisor holds the listening sockets and serves nobody. Workers are forked from it and share
its sockets, so a connection that nobody has accepted yet belongs to no worker, and none is lost
when one goes. It has one thread and no event loop: forking needs both.

    reload   load here -> every worker loads the same -> all of them change, or none does
    restart  try -> become a new process -> its workers serve -> the old ones finish
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeAlias

from policy.problem import PolicyError, render_problem
from proxy.assembly import Assembly
from proxy.backoff import Backoff
from proxy.channel import Channel, Message, metrics_from_json, status_to_json
from proxy.data_plane import Say
from proxy.failure import Failure
from proxy.internal_error import HOW_TO_REPORT, internal_error, stack
from proxy.metrics import COUNTER, GAUGE, Metric, ReloadCounts, Sum
from proxy.reload import (
    Fingerprint,
    Loaded,
    ReloadResult,
    change_lines,
    fingerprint,
    load_version,
    result_line,
)
from proxy.status import Status
from proxy.takeover import start_trial

LOOK_S = 0.25
PREPARE_TIMEOUT_S = 60.0
REPORT_TIMEOUT_S = 1.0
# What a worker may take beyond `stop_timeout_s` before it is killed.
STOP_GRACE_S = 10.0
# The number of workers that the process before this one has left.
PREDECESSOR = 0
HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR2, signal.SIGCHLD)

Work: TypeAlias = Callable[[int, Assembly, socket.socket], None]


@dataclass(slots=True, eq=False)
class Hand:
    """One worker, as its supervisor sees it."""

    number: int
    pid: int
    channel: Channel
    started: float
    ready: bool = False
    retiring: bool = False
    report: tuple[Metric, ...] = ()


@dataclass(slots=True)
class PendingReload:
    """A configuration that is good, until every worker has it."""

    loaded: Loaded
    waiting: set[Hand]
    end: float


@dataclass(slots=True)
class PendingStatus:
    """A worker's question about the whole, until every worker has reported."""

    asker: Hand
    waiting: set[Hand]
    end: float


@dataclass(slots=True)
class Slot:
    """A place that must always have a worker."""

    number: int
    hand: Hand | None = None
    due: float = 0.0
    backoff: Backoff = field(default_factory=Backoff)


class Supervisor:
    """One running proxy of several processes."""

    def __init__(
        self,
        assembly: Assembly,
        assemble: Callable[[], Assembly],
        *,
        work: Work,
        lost: Callable[[int], None],
        sockets: Iterable[socket.socket],
        say: Say,
        on_ready: Callable[[], None],
        upgrade: Callable[[list[tuple[int, int]], Iterable[Metric]], None],
        predecessors: Iterable[tuple[int, socket.socket]] = (),
        counted: Iterable[Metric] = (),
    ) -> None:
        """Prepare to run `assembly.plan.workers` workers.

        `work` serves in a worker's process: by the worker's number, an assembly and the worker's
        end of its channel. `lost` is told the number of a worker that is gone. `sockets` are
        closed here when everything stops. `upgrade` replaces this process by a new one of the
        same configuration, and gives it the workers (process ids and descriptors) and the
        counters of those that have ended; it returns only by raising OSError. `predecessors` and
        `counted` are what the process before this one has left.
        """
        self._assembly = assembly
        self._assemble = assemble
        self._work = work
        self._lost = lost
        self._sockets = tuple(sockets)
        self._say = say
        self._on_ready = on_ready
        self._upgrade = upgrade
        self._seen: Fingerprint = fingerprint(assembly.files)
        self._looked: Fingerprint = self._seen
        self._slots = [Slot(number) for number in range(1, assembly.plan.workers + 1)]
        self._hands: set[Hand] = set()
        self._predecessors = tuple(predecessors)
        self._trial: subprocess.Popen[bytes] | None = None
        self._reload: PendingReload | None = None
        self._statuses: list[PendingStatus] = []
        self._last = ReloadResult(at_ns=time.time_ns())
        self._reloads = ReloadCounts()
        self._sum = Sum()
        self._sum.end(counted)
        self._restarts = 0
        self._reload_asked = False
        self._attempt = 0
        self._serving = False
        self._stop_by: float | None = None
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()

    def run(self) -> None:
        """Run until SIGINT or SIGTERM. Raises Failure when workers can't be started at all."""
        self._handle_signals()
        for pid, sock in self._predecessors:
            self._hire(Hand(PREDECESSOR, pid, Channel(sock), time.monotonic(), ready=True))
        try:
            while self._stop_by is None or self._hands:
                self._turn()
        finally:
            self._abandon()

    def _abandon(self) -> None:
        """Leave no worker behind; those of a predecessor may finish what they are doing."""
        for hand in self._hands:
            if hand.number == PREDECESSOR:
                hand.channel.send("stop")
            else:
                with suppress(ProcessLookupError):
                    os.kill(hand.pid, signal.SIGKILL)
        self._selector.close()
        signal.set_wakeup_fd(-1)

    def _turn(self) -> None:
        self._fill_slots()
        for key, _ in self._selector.select(LOOK_S):
            if key.data is None:
                self._hear_signals()
            else:
                self._hear(key.data)
        self._reap()
        self._end_trial()
        self._look_at_files()
        self._expire()

    # Signals

    def _handle_signals(self) -> None:
        for end in (self._wake, self._woken):
            end.setblocking(False)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        for each in HANDLED:
            signal.signal(each, _only_wake)
        self._selector.register(self._woken, selectors.EVENT_READ)

    def _hear_signals(self) -> None:
        for number in set(self._woken.recv(4096)):
            match number:
                case signal.SIGINT | signal.SIGTERM:
                    self._stop()
                case signal.SIGHUP:
                    self._reload_asked = True
                case signal.SIGUSR2:
                    self._restart()

    # Workers come and go

    def _fill_slots(self) -> None:
        # Not while a reload is on its way: the new worker would be left out of it.
        if self._stop_by is not None or self._reload is not None:
            return
        now = time.monotonic()
        for slot in self._slots:
            if slot.hand is None and slot.due <= now:
                slot.hand = self._fork(slot.number)

    def _fork(self, number: int) -> Hand:
        ours, theirs = socket.socketpair()
        sys.stderr.flush()
        # A signal that reaches the child before it has its own handlers would reach us as well.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
        pid = os.fork()
        if not pid:
            ours.close()
            self._become_worker(number, theirs, before)
        theirs.close()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return self._hire(Hand(number, pid, Channel(ours), time.monotonic()))

    def _become_worker(self, number: int, channel: socket.socket, mask: Iterable[int]) -> None:
        """Leave the supervisor behind and serve. The process ends here, whatever happens."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for each in HANDLED:
                # Whoever means all of us sends it to the whole group: only the supervisor acts.
                ignored = each not in {signal.SIGTERM, signal.SIGCHLD}
                signal.signal(each, signal.SIG_IGN if ignored else signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            for hand in self._hands:
                hand.channel.close()
            self._selector.close()
            self._wake.close()
            self._woken.close()
            self._work(number, self._assembly, channel)
            code = 0
        except BaseException as error:  # noqa: BLE001 - the last stop of this process
            self._say(f"{stack(error)}penstock: worker {number}: {internal_error(error)}")
            self._say(f"        this is {HOW_TO_REPORT}")
        finally:
            sys.stderr.flush()
            os._exit(code)

    def _hire(self, hand: Hand) -> Hand:
        self._hands.add(hand)
        self._selector.register(hand.channel.socket, selectors.EVENT_READ, hand)
        return hand

    def _reap(self) -> None:
        for hand in tuple(self._hands):
            pid, status = _waited(hand.pid)
            if pid:
                # It may have said its last words before it went.
                self._hear(hand)
                self._lose(hand, status)

    def _lose(self, hand: Hand, status: int) -> None:
        if hand.channel.socket.fileno() >= 0:
            self._unlisten(hand)
        self._hands.discard(hand)
        self._sum.end(hand.report)
        for waiting in self._waiting():
            waiting.discard(hand)
        self._settle()
        slot = next((each for each in self._slots if each.hand is hand), None)
        if slot is None or self._stop_by is not None:
            return
        if not self._serving:
            raise Failure(f"a worker could not start: {_cause(status)}")
        slot.hand = None
        self._lost(hand.number)
        delay_s = slot.backoff.after(time.monotonic() - hand.started)
        slot.due = time.monotonic() + delay_s
        self._restarts += 1
        again = f"starting another in {delay_s:g} s"
        self._say(f"penstock: worker {hand.number} ({hand.pid}) {_cause(status)}: {again}")

    def _unlisten(self, hand: Hand) -> None:
        self._selector.unregister(hand.channel.socket)
        hand.channel.close()

    def _retire(self, hand: Hand) -> None:
        hand.retiring = True
        hand.channel.send("stop")

    def _stop(self) -> None:
        if self._stop_by is not None:
            for hand in self._hands:
                hand.channel.send("stop-now")
            return
        limit_s = self._assembly.runtime.limits.stop_timeout_s
        self._stop_by = time.monotonic() + limit_s + STOP_GRACE_S
        # Closed here first: the last one to close takes what nobody has accepted along with it.
        for each in self._sockets:
            each.close()
        for hand in self._hands:
            self._retire(hand)

    def _restart(self) -> None:
        if self._serving and self._stop_by is None and self._trial is None:
            self._say("penstock: rolling restart: trying whether program and configuration load")
            self._trial = start_trial()

    def _end_trial(self) -> None:
        """Become a new process when it is clear that one would run, and nothing else goes on."""
        trial = self._trial
        if trial is None or trial.poll() is None or self._reload is not None:
            return
        self._trial = None
        if self._stop_by is not None:
            return
        if trial.returncode:
            self._say(f"penstock: not restarted: the trial ended with code {trial.returncode}")
            return
        workers = [(each.pid, each.channel.socket.fileno()) for each in self._hands]
        try:
            self._upgrade(workers, self._sum.of(()))
        except OSError as error:
            self._say(f"penstock: not restarted: {error}")

    # What workers say

    def _hear(self, hand: Hand) -> None:
        if hand.channel.socket.fileno() < 0:
            return
        messages = hand.channel.receive() if _readable(hand.channel.socket) else []
        if messages is None:
            self._unlisten(hand)
            return
        for message in messages:
            match message["kind"]:
                case "ready":
                    self._welcome(hand)
                case "prepared":
                    self._prepared(hand, message)
                case "report":
                    hand.report = metrics_from_json(message["metrics"])
                    for each in self._statuses:
                        each.waiting.discard(hand)
                case "status":
                    self._ask_all(hand)
        self._settle()

    def _welcome(self, hand: Hand) -> None:
        hand.ready = True
        if self._serving or not all(each.hand and each.hand.ready for each in self._slots):
            return
        self._serving = True
        for each in self._hands:
            if each.number == PREDECESSOR:
                self._retire(each)
        self._on_ready()

    def _ask_all(self, asker: Hand) -> None:
        waiting = {each for each in self._hands if each.ready and each.channel.send("report")}
        self._statuses.append(PendingStatus(asker, waiting, time.monotonic() + REPORT_TIMEOUT_S))

    def _status(self) -> Status:
        serving = sum(each.ready and not each.retiring for each in self._hands)
        return Status(
            ready=serving > 0 and self._stop_by is None,
            last_reload=self._last.as_json(),
            metrics=(
                *self._sum.of(each.report for each in self._hands),
                *self._reloads.metrics(),
                Metric("penstock_workers", GAUGE, "Workers that serve.", serving),
                Metric(
                    "penstock_worker_restarts_total",
                    COUNTER,
                    "Workers that ended without being told to.",
                    self._restarts,
                ),
            ),
        )

    def _waiting(self) -> list[set[Hand]]:
        reload = [] if self._reload is None else [self._reload.waiting]
        return [*reload, *(each.waiting for each in self._statuses)]

    def _settle(self) -> None:
        """Go on with what nobody is waited for any more."""
        answered = [each for each in self._statuses if not each.waiting]
        if answered:
            self._statuses = [each for each in self._statuses if each.waiting]
            status = status_to_json(self._status())
            for each in answered:
                each.asker.channel.send("status", **status)
        if self._reload is not None and not self._reload.waiting:
            self._commit(self._reload.loaded)

    def _expire(self) -> None:
        now = time.monotonic()
        for each in self._statuses:
            if each.end < now:
                each.waiting.clear()
        if self._reload is not None and self._reload.end < now:
            numbers = ", ".join(str(each.number) for each in self._reload.waiting)
            self._refuse(Failure(f"worker {numbers} did not load it in time"))
        self._settle()
        if self._stop_by is not None and self._stop_by < now:
            for hand in self._hands:
                os.kill(hand.pid, signal.SIGKILL)
            self._stop_by = float("inf")

    # Reload

    def _look_at_files(self) -> None:
        if self._stop_by is not None or not self._serving or self._reload is not None:
            return
        looked, self._looked = self._looked, fingerprint(self._assembly.files)
        # Twice the same: whoever writes has finished.
        if self._reload_asked or (self._looked != self._seen and self._looked == looked):
            self._reload_asked = False
            self._begin_reload()

    def _begin_reload(self) -> None:
        self._seen = self._looked
        try:
            loaded = load_version(self._assemble, self._assembly.files)
        except (PolicyError, Failure) as error:
            self._refuse(error)
            return
        except Exception as error:  # noqa: BLE001 - a bug in us must not end what runs
            self._refuse(Failure(f"internal error: {type(error).__name__}: {error}"))
            return
        self._seen = self._looked = loaded.seen
        self._attempt += 1
        waiting = {each for each in self._hands if not each.retiring}
        self._reload = PendingReload(loaded, waiting, time.monotonic() + PREPARE_TIMEOUT_S)
        for each in waiting:
            each.channel.send("prepare", number=self._attempt)
        self._settle()

    def _prepared(self, hand: Hand, message: Message) -> None:
        pending = self._reload
        if pending is None or message["number"] != self._attempt:
            return
        if message["version"] == pending.loaded.version:
            pending.waiting.discard(hand)
        elif message["error"] is None:
            # The files have changed since we looked: all of this again, with what they are now.
            self._drop()
            self._reload_asked = True
        else:
            self._refuse(Failure(f"worker {hand.number} could not load it: {message['error']}"))

    def _commit(self, loaded: Loaded) -> None:
        self._reload = None
        lines = list(change_lines(self._assembly, loaded.assembly))
        self._assembly = loaded.assembly
        for hand in self._hands:
            if not hand.retiring:
                hand.channel.send("commit")
        self._conclude(ReloadResult(at_ns=time.time_ns()))
        for line in (*lines, *map(render_problem, loaded.assembly.warnings)):
            self._say(line)

    def _refuse(self, error: PolicyError | Failure) -> None:
        self._drop()
        self._conclude(ReloadResult(at_ns=time.time_ns(), error=error))

    def _drop(self) -> None:
        self._reload = None
        for hand in self._hands:
            hand.channel.send("drop")

    def _conclude(self, result: ReloadResult) -> None:
        self._last = result
        self._reloads.count(good=result.error is None)
        self._say(result_line(result))


def _only_wake(_number: int, _frame: object) -> None:
    """Do nothing: the descriptor that wakes the loop tells it which signal came."""


def _readable(sock: socket.socket) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_READ)
        return bool(selector.select(0))


def _waited(pid: int) -> tuple[int, int]:
    try:
        return os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return pid, 0


def _cause(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
