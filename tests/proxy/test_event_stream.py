"""Lines stay whole, whoever writes them, whatever becomes of the disk or the reader."""

from __future__ import annotations

import errno
import os
import resource
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from proxy.event_stream import EventStream

LINE = b'{"event_id":"ev_1"}\n'


@contextmanager
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    try:
        yield reader, writer
    finally:
        for each in (reader, writer):
            try:
                os.close(each)
            except OSError:
                pass


def test_lines_arrive_and_are_counted() -> None:
    with pipe() as (reader, writer):
        assert EventStream(writer).write(LINE * 3) == (3, None)
        assert os.read(reader, 1000) == LINE * 3


def test_a_reader_that_is_gone_is_an_error_without_lines() -> None:
    with pipe() as (reader, writer):
        os.close(reader)
        written, error = EventStream(writer).write(LINE)
    assert written == 0
    assert error is not None
    assert error.errno == errno.EPIPE


def test_a_full_disk_is_an_error_without_lines() -> None:
    with open("/dev/full", "wb", buffering=0) as full:  # noqa: PTH123
        written, error = EventStream(full.fileno()).write(LINE)
    assert written == 0
    assert error is not None
    assert error.errno == errno.ENOSPC


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size: a disk that is full in mid-line.

    Only around the writes under test: the test runner's own output may be a file too.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


@pytest.mark.skipif(sys.platform != "linux", reason="the error differs")
def test_a_line_that_was_cut_off_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "log"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    stream = EventStream(descriptor)
    with files_of_at_most(50):
        written, error = stream.write(LINE * 4)
    assert written == 2
    assert error is not None
    assert path.read_bytes() == (LINE * 4)[:50]
    assert stream.write(LINE * 2) == (2, None)
    os.close(descriptor)
    assert path.read_bytes() == (LINE * 4)[:50] + b"\n" + LINE * 2


def test_a_pipe_that_someone_made_non_blocking_loses_nothing() -> None:
    with pipe() as (reader, writer):
        os.set_blocking(writer, False)
        received = bytearray()

        def read() -> None:
            while len(received) < 20_000 * len(LINE):
                received.extend(os.read(reader, 65536))

        thread = threading.Thread(target=read)
        thread.start()
        assert EventStream(writer).write(LINE * 20_000) == (20_000, None)
        thread.join()
    assert received == LINE * 20_000


def test_batches_of_several_processes_do_not_mix() -> None:
    """A pipe keeps only 4096 bytes of one process together."""
    with pipe() as (reader, writer):
        stream = EventStream(writer, shared=True)
        children = []
        for name in (b"a", b"b", b"c"):
            pid = os.fork()
            if not pid:
                for _ in range(20):
                    stream.write((name * 999 + b"\n") * 30)
                os._exit(0)
            children.append(pid)
        os.close(writer)
        with os.fdopen(os.dup(reader), "rb") as file:
            lines = Counter(file)
        for pid in children:
            assert os.waitpid(pid, 0)[1] == 0
    assert lines == {name * 999 + b"\n": 600 for name in (b"a", b"b", b"c")}
