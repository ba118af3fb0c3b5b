from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.net import Address, AddressError, NetworkSet, parse_address, parse_network

addresses = st.ip_addresses()
networks = st.one_of(
    st.tuples(st.ip_addresses(v=4), st.integers(0, 32)),
    st.tuples(st.ip_addresses(v=6), st.integers(0, 128)),
).map(lambda pair: ipaddress.ip_network(pair, strict=False))


@pytest.mark.parametrize(
    ("text", "version", "canonical"),
    [
        ("203.0.113.7", 4, "203.0.113.7"),
        ("::1", 6, "::1"),
        ("2001:DB8:0:0::1", 6, "2001:db8::1"),
        ("::ffff:10.0.0.1", 4, "10.0.0.1"),
        ("::ffff:a00:1", 4, "10.0.0.1"),
        ("::10.0.0.1", 6, "::10.0.0.1"),
        ("fe80::1%eth0", 6, "fe80::1"),
    ],
)
def test_an_address_has_one_reading(text: str, version: int, canonical: str) -> None:
    """T-IP-1."""
    address = parse_address(text)
    assert address.version == version
    assert address.value == int(ipaddress.ip_address(canonical))
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "unknown",
        "10.1",
        "1.2.3.4.5",
        "1.2.3.256",
        "01.2.3.4",
        "1.2.3.4:80",
        "[::1]",
        ":::",
        "1.2.3.4%eth0",
        "\u0660.0.0.1",
        "_hidden",
        "12345::",
        "1::2::3",
        "0x7f.0.0.1",
        "1.2.3.",
        "::1_",
        "1.2.3.4_",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(AddressError):
        parse_address(text)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("010.0.0.1", "write 10.0.0.1: some software reads a leading zero as octal"),
        ("10.1", "write all four numbers of the address, for example 10.1.0.0/16"),
        ("10", "write all four numbers of the address, for example 10.1.0.0/16"),
        ("0x0a000001", "write 10.0.0.1"),
        ("167772161", "write 10.0.0.1"),
        ("10.0.0.300", "each of the four numbers goes from 0 to 255"),
        ("0x0a.0.0.1", "write four decimal numbers from 0 to 255"),
        (
            "10.0.0.0/33",
            "the length after '/' goes from 0 to 32, without sign or leading zero",
        ),
        ("::/129", "the length after '/' goes from 0 to 128, without sign or leading zero"),
        ("10.0.0.0/08", "the length after '/' goes from 0 to 32, without sign or leading zero"),
        ("10.0.0.0/+8", "the length after '/' goes from 0 to 32, without sign or leading zero"),
        ("10.0.0.0/", "the length after '/' goes from 0 to 32, without sign or leading zero"),
        ("10.0.0.0/1.2", "the length after '/' goes from 0 to 32, without sign or leading zero"),
        (" 10.0.0.1", "write '10.0.0.1'"),
        ("10.0.0.0/ 8", "write '10.0.0.0/8'"),
        ("10.0.0.0/255.0.0.0", "write 10.0.0.0/8: masks can be read in two ways"),
        ("10.0.0.0/0.255.255.255", "write 10.0.0.0/8: masks can be read in two ways"),
        ("fe80::1%eth0", "zones have no meaning in a rule: drop '%...'"),
        (
            "example.com",
            "write an IPv4 address such as 203.0.113.0/24, or an IPv6 one such as 2001:db8::/32",
        ),
        ("a.b.c.d", None),
    ],
)
def test_a_malformed_network_is_refused_with_what_to_write(text: str, hint: str | None) -> None:
    """T-IP-2."""
    with pytest.raises(AddressError) as refusal:
        parse_network(text)
    assert refusal.value.hint == hint


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("10.0.0.5/8", "10.0.0.0/8"),
        ("10.0.0.5", "10.0.0.5/32"),
        ("::1", "::1/128"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("::ffff:10.0.0.1", "10.0.0.1/32"),
        ("2001:db8::1/32", "2001:db8::/32"),
        ("0.0.0.0/0", "0.0.0.0/0"),
    ],
)
def test_a_network_has_one_text(text: str, meaning: str) -> None:
    assert str(parse_network(text)) == meaning


def test_host_bits_and_a_one_family_catch_all_are_noted() -> None:
    """T-IP-2."""
    notes = NetworkSet.parse(["10.0.0.5/8", "0.0.0.0/0", "::ffff:10.0.0.0/104"]).notes
    assert [(note.path, note.code, note.message, note.hint) for note in notes] == [
        (
            (0,),
            "network-host-bits",
            "'10.0.0.5/8' has bits set after its first 8: it means 10.0.0.0/8",
            "write 10.0.0.0/8",
        ),
        (
            (1,),
            "network-one-family",
            "0.0.0.0/0 covers IPv4 addresses only, no IPv6 address",
            "add ::/0 to cover IPv6 too",
        ),
    ]
    assert NetworkSet.parse(["0.0.0.0/0", "::/0", "10.0.0.0/8"]).notes == ()
    assert NetworkSet.parse(["::/0"]).notes[0].hint == "add 0.0.0.0/0 to cover IPv4 too"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.1.2.3", "10.1.2.0/24"),
        ("10.1.3.1", "10.1.0.0/16"),
        ("10.2.0.0", "10.0.0.0/8"),
        ("11.0.0.0", None),
        ("9.255.255.255", None),
        ("255.255.255.255", "255.255.255.255/32"),
        ("::ffff:10.1.2.3", "10.1.2.0/24"),
        ("::1", None),
        ("2001:db8::1", "2001:db8::/32"),
    ],
)
def test_the_most_specific_network_is_named(address: str, network: str | None) -> None:
    rules = ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.0/24", "255.255.255.255"]
    assert NetworkSet.parse([*rules, "2001:db8::/32"]).find(address) == network


def test_ipv6_loopback_is_in_no_ipv4_network() -> None:
    """T-IP-1."""
    assert NetworkSet.parse(["127.0.0.0/8"]).find("::1") is None


def test_an_unparsable_address_is_refused_rather_than_not_found() -> None:
    """T-IP-5."""
    with pytest.raises(AddressError):
        NetworkSet.parse(["0.0.0.0/0"]).find("")


def test_a_set_is_a_value() -> None:
    one, same = NetworkSet.parse(["10.0.0.0/8"]), NetworkSet.parse(["10.0.0.0/8"])
    assert one == same
    assert hash(one) == hash(same)
    assert one != NetworkSet.parse([])
    assert len(one) == 1
    assert [str(network) for network in one] == ["10.0.0.0/8"]
    assert Address(4, 10 << 24) in one
    assert Address(4, 11 << 24) not in one
    assert Address(4, 10 << 24) in next(iter(one))
    assert repr(one) == "NetworkSet(['10.0.0.0/8'])"


def expected(rules: list[ipaddress.IPv4Network | ipaddress.IPv6Network], text: str) -> str | None:
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    holding = [rule for rule in rules if address.version == rule.version and address in rule]
    return str(max(holding, key=lambda rule: rule.prefixlen)) if holding else None


@given(st.lists(networks, max_size=12), st.data())
def test_look_up_agrees_with_a_linear_scan(
    rules: list[ipaddress.IPv4Network | ipaddress.IPv6Network], data: st.DataObject
) -> None:
    edges = [str(end) for rule in rules for end in (rule[0], rule[-1])]
    text = data.draw(st.one_of(addresses.map(str), *map(st.just, edges)))
    found = NetworkSet.parse(map(str, rules)).find(text)
    wanted = expected(rules, text)
    if any(rule.version == 6 and str(rule).startswith("::ffff:") for rule in rules):
        return
    assert (found and ipaddress.ip_network(found)) == (wanted and ipaddress.ip_network(wanted))


@given(st.text(alphabet="0123456789abcdefx.:/% -+\n٣", max_size=24))
def test_any_text_is_a_network_or_an_address_error(text: str) -> None:
    try:
        network = parse_network(text)
    except AddressError:
        return
    assert parse_network(str(network)) == network
