"""T-IP-3: whose word about the client is taken, and what an unreadable word leads to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.net import NetworkSet
from proxy.trusted_proxies import Client, TrustedProxies, UnreadableForwardedFor

PROXIES = TrustedProxies(NetworkSet.parse(["10.0.0.0/8", "2001:db8:1::/48"]))

NAMED = [
    pytest.param(["203.0.113.7"], Client("203.0.113.7", 0), id="one entry"),
    pytest.param(["6.6.6.6, 203.0.113.7"], Client("203.0.113.7", 0), id="spoof left of the real"),
    pytest.param(["6.6.6.6", "203.0.113.7"], Client("203.0.113.7", 0), id="two lines are one list"),
    pytest.param(["203.0.113.7, 10.1.1.1,10.2.2.2"], Client("203.0.113.7", 0), id="behind two"),
    pytest.param(["203.0.113.7", "10.1.1.1"], Client("203.0.113.7", 0), id="through lines"),
    pytest.param(["unknown, 203.0.113.7"], Client("203.0.113.7", 0), id="nonsense left is unread"),
    pytest.param(["10.9.9.9, 10.1.1.1"], Client("10.9.9.9", 0), id="all trusted: left-most"),
    pytest.param(["203.0.113.7:4711"], Client("203.0.113.7", 4711), id="IPv4 with port"),
    pytest.param(["[2001:db8::7]:4711"], Client("2001:db8::7", 4711), id="IPv6 with port"),
    pytest.param(["[2001:db8::7]"], Client("2001:db8::7", 0), id="IPv6 in brackets"),
    pytest.param(["2001:DB8:0::7"], Client("2001:db8::7", 0), id="IPv6 in another spelling"),
    pytest.param(["203.0.113.7, ::ffff:10.1.1.1"], Client("203.0.113.7", 0), id="mapped proxy"),
    pytest.param(["::ffff:203.0.113.7"], Client("203.0.113.7", 0), id="mapped client"),
    pytest.param(["fe80::1%eth0"], Client("fe80::1", 0), id="zone dropped"),
    pytest.param([", ".join(["x"] * 9_999 + ["192.0.2.1"])], Client("192.0.2.1", 0), id="flood"),
    pytest.param([], None, id="no such field: the peer speaks for itself"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "client"), NAMED)
def test_the_right_most_untrusted_entry_is_the_client(
    lines: list[str], client: Client | None
) -> None:
    assert PROXIES.client(lines) == client


UNREADABLE = [
    pytest.param(["unknown"], id="unknown"),
    pytest.param(["_hidden"], id="obfuscated"),
    pytest.param([""], id="empty line"),
    pytest.param(["203.0.113.7,"], id="empty element"),
    pytest.param(["203.0.113.7", ""], id="empty last line"),
    pytest.param(["203.0.113.7, ,10.1.1.1"], id="empty element between proxies"),
    pytest.param(["010.0.0.1"], id="leading zero"),
    pytest.param(["10.1"], id="short form"),
    pytest.param(["0x0a000001"], id="hexadecimal"),
    pytest.param(["203.0.113.7:x"], id="port no number"),
    pytest.param(["203.0.113.7:4711:1"], id="two ports"),
    pytest.param(["203.0.113.0/24"], id="network"),
    pytest.param(['"203.0.113.7"'], id="quoted"),
    pytest.param(["203.0.113.7 198.51.100.1"], id="space instead of comma"),
    pytest.param([", ".join(["10.1.1.1"] * 10_000)], id="endless trusted chain"),
]


@pytest.mark.parametrize("lines", UNREADABLE)
def test_an_entry_that_names_no_address_is_refused_not_skipped(lines: list[str]) -> None:
    with pytest.raises(UnreadableForwardedFor):
        PROXIES.client(lines)


@given(st.lists(st.text(max_size=60), max_size=4))
def test_any_text_is_read_or_refused(lines: list[str]) -> None:
    try:
        client = PROXIES.client(lines)
    except UnreadableForwardedFor:
        return
    assert (client is None) is (not lines)


@pytest.mark.parametrize(
    ("peer", "trusted"),
    [("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("11.0.0.1", False), ("2001:db8:1::9", True),
     ("2001:db8:2::9", False), ("::1", False)],
)  # fmt: skip
def test_only_listed_peers_are_trusted(peer: str, trusted: bool) -> None:  # noqa: FBT001
    assert PROXIES.trusts(peer) is trusted


def test_an_empty_list_trusts_nobody() -> None:
    for nobody in (TrustedProxies(), TrustedProxies(NetworkSet.parse([]))):
        assert not nobody
        assert not nobody.trusts("127.0.0.1")
