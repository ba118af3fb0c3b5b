"""Places for connections: how many, and for whom."""

from __future__ import annotations

from proxy.limits import Limits
from proxy.open_connections import OpenConnections
from proxy.shared_counts import SharedCounts

THREE_EACH = Limits(max_connections=5, max_connections_per_address=3)
PEER = "192.0.2.1"


def test_an_address_has_its_bound_and_everybody_together_theirs() -> None:
    connections = OpenConnections()
    assert [connections.enter(PEER, THREE_EACH) for _ in range(4)] == [True, True, True, False]
    assert [connections.enter(f"192.0.2.{n}", THREE_EACH) for n in (2, 3, 4)] == [True, True, False]
    assert connections.is_full(THREE_EACH)
    assert (connections.total, connections.refused) == (5, 2)
    connections.leave(PEER)
    assert connections.enter(PEER, THREE_EACH)


def test_the_bounds_hold_over_all_workers() -> None:
    counts = SharedCounts(2)
    first, second = OpenConnections(counts.side(1)), OpenConnections(counts.side(2))
    assert first.enter(PEER, THREE_EACH)
    assert second.enter(PEER, THREE_EACH)
    assert first.enter(PEER, THREE_EACH)
    assert not second.enter(PEER, THREE_EACH)
    assert not first.enter(PEER, THREE_EACH)
    assert second.enter("192.0.2.2", THREE_EACH)
    assert first.enter("192.0.2.3", THREE_EACH)
    assert second.is_full(THREE_EACH)
    assert not second.enter("192.0.2.4", THREE_EACH)
    first.leave(PEER)
    assert second.enter(PEER, THREE_EACH)
    assert (first.total, second.total) == (2, 3)


def test_an_ipv6_network_of_64_bits_counts_as_one_address() -> None:
    connections = OpenConnections()
    ours = [f"2001:db8:0:1::{number:x}" for number in range(1, 5)]
    assert [connections.enter(each, THREE_EACH) for each in ours] == [True, True, True, False]
    assert connections.enter("2001:db8:0:2::1", THREE_EACH)
    connections.leave(ours[0])
    assert connections.enter(ours[3], THREE_EACH)


def test_a_trusted_proxy_may_come_for_many_clients_and_not_for_more_than_all() -> None:
    connections = OpenConnections()
    entered = [connections.enter(PEER, THREE_EACH, is_trusted=True) for _ in range(6)]
    assert entered == [True] * 5 + [False]
