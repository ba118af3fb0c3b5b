"""Events never hold up a request: they are buffered, and counted when the reader is too slow."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable

from policy.exchange import Connection
from proxy.completion import Completion
from proxy.event_stream import EventStream
from proxy.event_writer import EventWriter
from proxy.rare_warning import RareWarning

COMPLETION = Completion(
    connection=Connection(
        client_ip="127.0.0.1", client_port=1, server_ip="127.0.0.1", server_port=2, started_ns=0
    )
)


def unheard() -> RareWarning:
    return RareWarning(lambda _: None, "events lost")


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def read_all(descriptor: int) -> list[dict[str, object]]:
    with os.fdopen(descriptor, "rb") as file:
        return [json.loads(line) for line in file]


def test_every_event_is_written_in_order_before_the_end() -> None:
    reader, writer = os.pipe()
    events = EventWriter(EventStream(writer), process_id="p", lost=unheard())
    for _ in range(20):
        events(COMPLETION)
    events.close()
    os.close(writer)
    assert [each["event_id"] for each in read_all(reader)] == [f"ev_p_{n}" for n in range(1, 21)]
    assert (events.written, events.dropped) == (20, 0)


def test_a_reader_that_does_not_read_costs_events_and_is_told_so() -> None:
    reader, writer = os.pipe()
    events = EventWriter(
        EventStream(writer), process_id="p", lost=unheard(), max_buffered_bytes=100_000
    )
    for _ in range(2000):
        events(COMPLETION)
    assert events.dropped
    received = os.fdopen(reader, "rb")
    told = 0
    while told < events.dropped:
        told += json.loads(received.readline()).get("count", 0)
    assert told == events.dropped
    events.close()
    os.close(writer)
    received.close()


def test_a_reader_that_is_gone_ends_nothing() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    events = EventWriter(EventStream(writer), process_id="p", lost=unheard())
    events(COMPLETION)
    events.close()
    os.close(writer)
    assert (events.written, events.dropped) == (0, 1)


def test_a_full_disk_costs_events_and_is_told_once_a_minute() -> None:
    said: list[str] = []
    now = [0.0]
    lost = RareWarning(said.append, "events lost", clock=lambda: now[0])
    with open("/dev/full", "wb", buffering=0) as full:  # noqa: PTH123
        events = EventWriter(EventStream(full.fileno()), process_id="p", lost=lost)
        for _ in range(5):
            events(COMPLETION)
            wait_until(lambda: not events._buffered_bytes)
        assert (events.written, events.dropped) == (0, 5)
        assert said == ["penstock: events lost: 1 (no space left on device)"]
        now[0] = 60.0
        events(COMPLETION)
        events.close()
    assert said[1:] == ["penstock: events lost: 5 (no space left on device)"]
