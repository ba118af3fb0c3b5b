from __future__ import annotations

from policy.ip_policy import IpPolicy
from policy.net import parse_network


def test_rules_are_sorted_by_what_they_say() -> None:
    office, guest = parse_network("192.0.2.0/24"), parse_network("192.0.2.66")
    policy = IpPolicy.of([(office, "allow"), (guest, "deny")])
    assert tuple(policy.allow) == (office,)
    assert tuple(policy.deny) == (guest,)


def test_no_rules_are_two_empty_lists() -> None:
    assert not IpPolicy.of([]).allow
    assert not IpPolicy.of([]).deny
