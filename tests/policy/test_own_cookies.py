"""Cookies of the proxy's own are for nobody else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.fields import Fields
from policy.own_cookies import (
    MAX_KNOWN,
    MAX_KNOWN_CHARACTERS,
    drop_set_cookies,
    known,
    parted,
    take_cookies,
)

OWN = frozenset({"__Host-ngrok.default.session", "ngrok.default.session"})

TAKEN = {
    "alone": (["ngrok.default.session=a"], {"ngrok.default.session": ("a",)}, []),
    "among others": (
        ["x=1; ngrok.default.session=a; y=2"],
        {"ngrok.default.session": ("a",)},
        ["x=1; y=2"],
    ),
    "without spaces": (
        ["x=1;ngrok.default.session=a;y=2"],
        {"ngrok.default.session": ("a",)},
        ["x=1;y=2"],
    ),
    "twice": (
        ["ngrok.default.session=a", "ngrok.default.session=b; x=1"],
        {"ngrok.default.session": ("a", "b")},
        ["x=1"],
    ),
    "spaces around": (
        ["x=1; ngrok.default.session = a "],
        {"ngrok.default.session": ("a",)},
        ["x=1"],
    ),
    "T-CK-2 nameless": (["=ngrok.default.session=a"], {}, ["=ngrok.default.session=a"]),
    "other case": (["NGROK.default.session=a"], {}, ["NGROK.default.session=a"]),
    "none": (["x=1; y"], {}, ["x=1; y"]),
}


@pytest.mark.parametrize(("sent", "taken", "kept"), TAKEN.values(), ids=TAKEN)
def test_t_ck_1_our_cookies_are_set_apart(
    sent: list[str], taken: dict[str, tuple[str, ...]], kept: list[str]
) -> None:
    fields = Fields([("Cookie", value) for value in sent])
    assert take_cookies(fields, OWN) == taken
    assert fields.all("cookie") == kept


@given(st.lists(st.text(max_size=80), max_size=4))
def test_whatever_is_sent_none_of_ours_is_left(values: list[str]) -> None:
    fields = Fields([("Cookie", f"{value}; ngrok.default.session=a") for value in values])
    take_cookies(fields, OWN)
    names = [
        pair.partition("=")[0].strip(" \t")
        for value in fields.all("cookie")
        for pair in value.split(";")
        if "=" in pair
    ]
    assert not OWN.intersection(names)


# What decides what a value is made of, and little else.
VALUES = st.lists(
    st.sampled_from(
        ["ngrok.default.session", "__Host-", "x", "=", "=", ";", ";", " ", "\t", "a", "ä", "\udc80"]
    ),
    max_size=14,
).map("".join)


def read_pair_by_pair(value: str) -> tuple[dict[str, tuple[str, ...]], str]:
    taken: dict[str, tuple[str, ...]] = {}
    others = []
    for pair in value.split(";"):
        name, separator, content = pair.partition("=")
        name = name.strip(" \t")
        if separator and name in OWN:
            taken[name] = (*taken.get(name, ()), content.strip(" \t"))
        else:
            others.append(pair)
    return taken, ";".join(others).strip(" \t")


@given(VALUES | st.text(max_size=80))
def test_a_value_is_parted_as_if_read_pair_by_pair(value: str) -> None:
    assert parted(value, OWN)[:2] == read_pair_by_pair(value)


def test_without_names_nothing_is_taken() -> None:
    fields = Fields([("Cookie", "=a; x=1; ngrok.default.session=b")])
    assert take_cookies(fields, frozenset()) == {}
    assert fields.all("cookie") == ["=a; x=1; ngrok.default.session=b"]


def received(value: str) -> Fields:
    wire = f"\r\nHost: a\r\nCookie: {value}\r\nAccept: b".encode()
    return Fields.received(
        ["Host: a", f"Cookie: {value}", "Accept: b"],
        {"host": ["a"], "cookie": [value], "accept": ["b"]},
        wire,
        has_plain_names=True,
    )


def test_what_is_left_stays_where_it_was() -> None:
    fields = received("x=1; ngrok.default.session=a; y=2")
    take_cookies(fields, OWN)
    assert fields.wire == b"\r\nHost: a\r\nCookie: x=1; y=2\r\nAccept: b"
    assert fields.lines == [("Host", "a"), ("Cookie", "x=1; y=2"), ("Accept", "b")]


def test_a_line_of_our_cookies_alone_goes() -> None:
    fields = received("ngrok.default.session=a")
    take_cookies(fields, OWN)
    assert fields.wire == b"\r\nHost: a\r\nAccept: b"
    assert "cookie" not in fields


def test_what_is_known_is_bounded_and_no_long_value_is() -> None:
    known.cache_clear()
    long = f"x={'a' * MAX_KNOWN_CHARACTERS}; ngrok.default.session=a"
    assert take_cookies(received(long), OWN) == {"ngrok.default.session": ("a",)}
    assert known.cache_info().currsize == 0
    for number in range(MAX_KNOWN + 9):
        take_cookies(received(f"ngrok.default.session={number}"), OWN)
    assert known.cache_info().currsize == MAX_KNOWN


def test_t_ck_2_the_upstream_sets_none_of_them() -> None:
    fields = Fields(
        [
            ("Set-Cookie", "theme=dark; Path=/"),
            ("Set-Cookie", "__Host-ngrok.default.session=evil; Path=/; Secure"),
            ("Set-Cookie", " ngrok.default.session =evil"),
            ("X-Other", "1"),
        ]
    )
    drop_set_cookies(fields, OWN)
    assert fields.all("set-cookie") == ["theme=dark; Path=/"]
    assert fields.first("x-other") == "1"


SET = {
    "ours": "ngrok.default.session=a; Path=/",
    "ours with a prefix": "__Host-ngrok.default.session=a; Path=/; Secure",
    "T-CK-2 spaces around": " \tngrok.default.session\t = a",
    "T-CK-2 without a value": "ngrok.default.session",
    "T-CK-2 without a value, with attributes": "ngrok.default.session; Path=/",
    "T-CK-2 nameless, shown as ours": "=ngrok.default.session=a; Path=/",
    "T-CK-2 nameless, with spaces": " = ngrok.default.session =a",
}


@pytest.mark.parametrize("value", SET.values(), ids=SET)
def test_t_ck_2_an_upstream_sets_none_of_ours(value: str) -> None:
    fields = Fields([("Set-Cookie", "x=1"), ("Set-Cookie", value), ("Set-Cookie", "y=2")])
    drop_set_cookies(fields, OWN)
    assert fields.all("set-cookie") == ["x=1", "y=2"]


KEPT = {
    "another": "x=1",
    "ours as a value": "x=ngrok.default.session=a",
    "ours as an attribute": "x=1; ngrok.default.session=a",
    "nameless": "=x; Path=/",
    "longer": "ngrok.default.sessions=a",
}


@pytest.mark.parametrize("value", KEPT.values(), ids=KEPT)
def test_an_upstream_sets_all_others(value: str) -> None:
    fields = Fields([("Set-Cookie", value)])
    drop_set_cookies(fields, OWN)
    assert fields.all("set-cookie") == [value]
