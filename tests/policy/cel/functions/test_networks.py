"""Addresses in networks; what is no address lies in none."""

from __future__ import annotations

from typing import Any

import pytest

from tests.policy.cel.requests import Values, assert_gives, compiled


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("inCidrRange('2001:db8::1', '2001:db8::/32')", True),
        ("inCidrRange('::ffff:10.0.0.1', '10.0.0.0/8')", True),
        ("inCidrRange('nonsense', '10.0.0.0/8')", False),
        ("inCidrRange('010.0.0.1', '10.0.0.0/8')", False),
        ("inCidrRange(conn.client_ip, test.text)", False),
        ("inCidrRanges('10.0.0.1', ['nonsense', '10.0.0.0/8'])", True),
        ("inCidrRanges('10.0.0.1', [])", False),
        ("inCidrRanges('10.0.0.1', [test.text, '10.0.0.1'])", True),
        ("'192.168.1.1'.isPrivateIp() && !'8.8.8.8'.isPrivateIp() && !''.isPrivateIp()", True),
    ],
    ids=str,
)
def test_an_address_lies_in_a_network_or_not(text: str, wanted: Any) -> None:
    assert_gives(text, wanted)


def test_what_is_no_text_among_networks_is_a_doubt() -> None:
    expression = compiled("inCidrRanges(conn.client_ip, [1, '203.0.113.0/24'])")
    assert [finding.code for finding in expression.warnings] == ["not-a-network"]
    assert expression.evaluate(Values()) is True
