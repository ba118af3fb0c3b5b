"""`conn.*` as expressions read it."""

from __future__ import annotations

import pytest

from policy.cel import Timestamp
from policy.ip_intelligence import AutonomousSystem, Geo, IpRecord, Place
from policy.phase import Phase
from tests import exchanges


class OneRecord:
    """Knows the client and nothing else."""

    def lookup(self, address: str) -> IpRecord:
        if address != "203.0.113.7":
            return IpRecord()
        return IpRecord(
            autonomous_system=AutonomousSystem(number=64500, organization="Example"),
            geo=Geo(
                location=Place(
                    city="London", country="United Kingdom", country_code="GB",
                    subdivision="England", latitude="51.5", longitude="-0.1", radius="10",
                ),
                registered_location=Place(country_code="US", is_eu=False),
            ),
            categories=("blocklist", "blocklist.x", "proxy.anonymous.tor"),
        )  # fmt: skip


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("conn.client_ip", "203.0.113.7"),
        ("conn.client_ip + '!'", "203.0.113.7!"),
        ("conn.client_port", 50123),
        ("conn.server_ip", "127.0.0.1"),
        ("conn.server_port", 4000),
        ("conn.server_region", "eu"),
        ("conn.ts.start", Timestamp(exchanges.NOON_NS)),
        ("conn.bytes_in", 3),
        ("conn.bytes_out", 4),
        ("conn.geo.city", "London"),
        ("conn.geo.country", "United Kingdom"),
        ("conn.geo.country_code", "GB"),
        ("conn.geo.subdivision", "England"),
        ("double(conn.geo.latitude) > 51.0", True),
        ("conn.geo.longitude", "-0.1"),
        ("conn.geo.radius", "10"),
        ("conn.client_ip.categories[1]", "blocklist.x"),
        ("'proxy.anonymous.tor' in conn.client_ip.categories", True),
        ("conn.client_ip.is_on_blocklist", True),
        ("conn.client_ip.is_tor_node", True),
        ("conn.client_ip.as.number", 64500),
        ("conn.client_ip.as.organization", "Example"),
        ("conn.client_ip.geo.location.city", "London"),
        ("conn.client_ip.geo.registered_location.country_code", "US"),
        ("conn.client_ip.geo.registered_location.is_eu", False),
        ("conn.server_ip.categories", ()),
        ("conn.server_ip.is_on_blocklist", False),
        ("conn.server_ip.is_tor_node", False),
        ("conn.server_ip.as.number", 0),
        ("conn.server_ip.as.organization", ""),
        ("conn.server_ip.geo.location.city", ""),
        ("conn.k8s.pod.id", ""),
        ("conn.k8s.pod.metadata.namespace", ""),
        ("endpoint.id", "ep_orders"),
        ("endpoint.url", "https://orders.example.com"),
        ("endpoint.addr", "orders.example.com:443"),
        ("endpoint.host", "orders.example.com"),
        ("endpoint.port", 443),
        ("endpoint.protocol", "https"),
        ("time.now", "2026-03-01T12:00:00Z"),
        ("timestamp(time.now).getHours()", 12),
        ("vars.unset", None),
    ],
)
def test_value(expression: str, expected: object) -> None:
    on = exchanges.exchange(intelligence=OneRecord(), server_region="eu", bytes_in=3, bytes_out=4)
    assert exchanges.value(expression, on) == expected


def test_byte_counts_are_read_anew() -> None:
    on = exchanges.exchange()
    assert exchanges.value("conn.bytes_in", on) == 0
    on.connection.bytes_in = 9
    assert exchanges.value("conn.bytes_in", on) == 9


def test_time_is_read_anew() -> None:
    moments = iter([0, 1_000_000_000])
    on = exchanges.exchange()
    on.surroundings = exchanges.surroundings(now_ns=lambda: next(moments))
    assert exchanges.value("time.now", on) == "1970-01-01T00:00:00Z"
    assert exchanges.value("time.now", on) == "1970-01-01T00:00:01Z"


def test_the_connection_is_known_before_any_request() -> None:
    on = exchanges.exchange(phase=Phase.ON_TCP_CONNECT)
    assert exchanges.value("conn.client_ip == '203.0.113.7'", on) is True
