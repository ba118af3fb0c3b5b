"""Workers know of each other's connections."""

from __future__ import annotations

import os

import pytest

from proxy.shared_counts import SharedCounts


def test_each_side_counts_the_others_and_not_itself() -> None:
    counts = SharedCounts(3)
    first, second, third = (counts.side(number) for number in (1, 2, 3))
    for _ in range(3):
        first.entered("192.0.2.1")
    second.entered("192.0.2.1")
    second.entered("192.0.2.2")
    assert [side.others() for side in (first, second, third)] == [2, 3, 5]
    assert [side.others_of("192.0.2.1") for side in (first, second, third)] == [1, 3, 4]
    assert third.others_of("192.0.2.2") == 1
    assert third.others_of("198.51.100.7") == 0


def test_what_has_left_is_not_counted() -> None:
    counts = SharedCounts(2)
    first, second = counts.side(1), counts.side(2)
    for _ in range(2):
        first.entered("192.0.2.1")
    first.left("192.0.2.1")
    assert (second.others(), second.others_of("192.0.2.1")) == (1, 1)


def test_a_worker_that_is_gone_leaves_nothing_behind() -> None:
    counts = SharedCounts(2)
    second = counts.side(2)
    counts.side(1).entered("192.0.2.1")
    counts.wipe(1)
    assert (second.others(), second.others_of("192.0.2.1")) == (0, 0)


def test_counts_pass_between_processes() -> None:
    counts = SharedCounts(2)
    child = os.fork()
    if not child:
        counts.side(2).entered("192.0.2.1")
        os._exit(0)
    os.waitpid(child, 0)
    assert counts.side(1).others_of("192.0.2.1") == 1


def test_many_addresses_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    # With a key by chance, one run in some hundreds has an address that meets two others.
    monkeypatch.setattr("proxy.shared_counts.secrets.token_bytes", bytes)
    counts = SharedCounts(2)
    first, second = counts.side(1), counts.side(2)
    for number in range(2000):
        first.entered(f"198.51.{number // 256}.{number % 256}")
    assert second.others() == 2000
    strangers = [second.others_of(f"203.0.113.{number}") for number in range(256)]
    assert max(strangers) <= 1
    assert strangers.count(0) > 240
