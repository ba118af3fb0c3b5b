"""policy.forwarding: what passes, what is added, and what nobody can forge (T-HD-1 to T-HD-7)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.exchange import Connection, Endpoint, Exchange, Request, Response
from policy.fields import Fields
from policy.forwarding import (
    END_TO_END,
    HOP_BY_HOP,
    connection_options,
    folded,
    forwardable_trailers,
    received_fields,
    restore_location,
    strip_owned,
    times_passed,
    upstream_fields,
    upstream_wire,
)
from policy.url import parse_request_target, parse_url
from tests import exchanges

PASSED = [
    ([], 0),
    (["penstock"], 1),
    (["penstock, Penstock;v=1", "other, penstock ; a=b"], 3),
    (["penstock.example", "x-penstock", ", ,"], 0),
]


@pytest.mark.parametrize(("values", "times"), PASSED)
def test_gates_on_the_way_are_counted(values: list[str], times: int) -> None:
    assert times_passed(values) == times


HOST = ("Host", "app.example.com")
OWN_LINES = [
    ("x-forwarded-for", "203.0.113.9"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-host", "app.example.com"),
]


def request_with(*lines: tuple[str, str]) -> Request:
    return Request(
        method="GET",
        version="HTTP/1.1",
        url=parse_request_target("/x", scheme="https", authority="app.example.com"),
        headers=Fields(lines),
        received_ns=0,
    )


def exchange_with(request: Request | None) -> Exchange:
    return Exchange(
        connection=Connection(
            client_ip="203.0.113.9",
            client_port=40000,
            server_ip="10.0.0.1",
            server_port=443,
            started_ns=0,
        ),
        endpoint=Endpoint(
            id="ep",
            name="app",
            url="https://app.example.com",
            protocol="https",
            host="app.example.com",
            port=443,
        ),
        surroundings=exchanges.surroundings(now_ns=lambda: 0),
        request=request,
    )


def sent(request: Request, owned: frozenset[str] = frozenset()) -> list[tuple[str, str]]:
    """What the upstream gets beside the forwarding fields."""
    lines = upstream_fields(exchange_with(request), owned=owned)
    return [line for line in lines if line not in OWN_LINES]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("X-Auth-User", "x-auth-user"),
        ("X_Auth_User", "x-auth-user"),
        ("x.auth.user", "x-auth-user"),
        ("X~Auth|User", "x-auth-user"),
        ("-", "-"),
    ],
)
def test_spellings_fold_into_one_name(name: str, expected: str) -> None:
    assert folded(name) == expected


@pytest.mark.parametrize("name", ["x-auth-user", "X-AUTH-USER", "X_Auth_User", "X.Auth.User"])
@pytest.mark.parametrize("owned", ["x-auth-user", "x_auth_user"])
def test_no_spelling_of_an_owned_name_survives(name: str, owned: str) -> None:
    request = request_with(HOST, (name, "root"), ("Accept", "*/*"), (name, "again"))
    strip_owned(request, frozenset({owned}))
    assert request.headers.lines == [HOST, ("Accept", "*/*")]


@pytest.mark.parametrize("name", ["X_Forwarded_For", "x.forwarded.proto", "Content_Length", "TE_"])
def test_odd_spellings_of_reserved_names_go_without_any_owner(name: str) -> None:
    request = request_with(HOST, (name, "1"), ("X_Custom", "stays"))
    strip_owned(request, frozenset())
    expected = [HOST, ("X_Custom", "stays")]
    assert request.headers.lines == (
        expected if name != "TE_" else [HOST, (name, "1"), expected[1]]
    )


def test_plain_reserved_names_stay_readable() -> None:
    lines = [HOST, ("Connection", "close"), ("X-Forwarded-For", "1.2.3.4")]
    request = request_with(*lines)
    strip_owned(request, frozenset({"x-other"}))
    assert request.headers.lines == lines


def test_an_owned_authorization_is_readable_but_not_sent() -> None:
    owned = frozenset({"authorization"})
    request = request_with(HOST, ("Authorization", "Bearer theirs"))
    strip_owned(request, owned)
    assert request.headers.first("authorization") == "Bearer theirs"
    assert sent(request, owned) == [HOST]


def test_an_owned_authorization_that_nobody_sent_withholds_nothing() -> None:
    request = request_with(HOST)
    strip_owned(request, frozenset({"authorization"}))
    assert request.withheld == frozenset()


@pytest.mark.parametrize("name", sorted(HOP_BY_HOP))
def test_hop_by_hop_fields_stop_here(name: str) -> None:
    assert sent(request_with(HOST, (name.upper(), "x"))) == [HOST]


def test_connection_options_name_more_hop_by_hop_fields() -> None:
    request = request_with(
        ("X-Hop", "1"),
        HOST,
        ("Connection", "close, x-hop"),
        ("X-Two", "2"),
        ("connection", "X-TWO"),
    )
    assert sent(request) == [HOST]


@pytest.mark.parametrize(
    "options",
    [
        "close, X-Auth-User, Authorization, Host",
        "CLOSE,x-auth-user,authorization,host,cookie",
        "content-length, X-Forwarded-For, x-forwarded-host, x-forwarded-proto, X-Auth-User",
    ],
)
def test_connection_options_cannot_take_managed_fields_away(options: str) -> None:
    lines = [
        HOST,
        ("Authorization", "Bearer x"),
        ("Cookie", "a=b"),
        ("Content-Length", "0"),
        ("x-auth-user", "joe"),
    ]
    request = request_with(*lines, ("Connection", options), ("connection", options))
    got = upstream_fields(exchange_with(request), owned=frozenset({"x-auth-user"}))
    assert got == [*lines, *OWN_LINES]


def test_forwarding_fields_tell_client_scheme_and_host() -> None:
    assert upstream_fields(exchange_with(request_with(HOST))) == [HOST, *OWN_LINES]


def test_sent_forwarding_fields_are_extended_and_their_host_kept() -> None:
    request = request_with(
        HOST,
        ("X-Forwarded-For", "1.1.1.1"),
        ("x-forwarded-for", "2.2.2.2, 3.3.3.3"),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-Host", "front.example"),
    )
    assert upstream_fields(exchange_with(request)) == [
        HOST,
        ("x-forwarded-for", "1.1.1.1, 2.2.2.2, 3.3.3.3, 203.0.113.9"),
        ("x-forwarded-proto", "http, https"),
        ("x-forwarded-host", "front.example"),
    ]


def test_an_owned_forwarding_field_is_exactly_what_the_policy_set() -> None:
    owned = frozenset({"x-forwarded-for"})
    request = request_with(HOST, ("X-Forwarded-For", "6.6.6.6"))
    strip_owned(request, owned)
    request.headers.add("x-forwarded-for", "198.51.100.1")
    lines = upstream_fields(exchange_with(request), owned=owned)
    assert lines[1] == ("x-forwarded-for", "198.51.100.1")


def test_an_owned_forwarding_field_that_no_rule_set_is_ours() -> None:
    lines = upstream_fields(exchange_with(request_with(HOST)), owned=frozenset({"x-forwarded-for"}))
    assert lines == [HOST, *OWN_LINES]


def test_withheld_names_are_neither_sent_nor_added() -> None:
    request = request_with(HOST, ("Authorization", "Basic x"))
    request.withheld = frozenset({"authorization", "x-forwarded-for"})
    assert upstream_fields(exchange_with(request)) == [HOST, *OWN_LINES[1:]]


def test_a_rewrite_does_not_change_what_the_client_is_said_to_have_asked_for() -> None:
    request = request_with(HOST)
    request.received_url = request.url
    request.url = parse_url("http://other.example/y")
    assert upstream_fields(exchange_with(request)) == [HOST, *OWN_LINES]


def test_only_an_upgrade_to_websocket_passes() -> None:
    request = request_with(HOST, ("Connection", "Upgrade"), ("Upgrade", "websocket"))
    assert upstream_fields(exchange_with(request), websocket=True) == [
        HOST,
        *OWN_LINES,
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
    ]
    assert sent(request_with(HOST, ("Connection", "Upgrade"), ("Upgrade", "h2c"))) == [HOST]


def test_odd_spellings_never_reach_the_upstream_even_unstripped() -> None:
    request = request_with(HOST, ("Transfer_Encoding", "chunked"), ("X_Custom", "1"))
    assert sent(request) == [HOST, ("X_Custom", "1")]


def test_without_a_request_there_is_nothing_to_send() -> None:
    assert upstream_fields(exchange_with(None)) == []


def test_trailers_carry_no_reserved_and_no_owned_name() -> None:
    trailers = Fields(
        [
            ("Content-Length", "5"),
            ("Transfer-Encoding", "chunked"),
            ("Host", "evil"),
            ("X_Auth_User", "root"),
            ("Checksum", "abc"),
        ]
    )
    assert forwardable_trailers(trailers, owned=frozenset({"x-auth-user"})) == [("Checksum", "abc")]


@pytest.mark.parametrize("name", ["ngrok-error-code", "Ngrok-Error-Code", "ngrok_error_code"])
def test_an_upstream_cannot_speak_of_our_errors(name: str) -> None:
    assert received_fields([(name, "ERR_NGROK_3203"), ("A", "b")]).lines == [("A", "b")]


def test_hop_by_hop_fields_of_a_response_stop_here() -> None:
    lines = [
        ("Connection", "close, X-Hop, Set-Cookie"),
        ("X-Hop", "1"),
        ("Keep-Alive", "timeout=5"),
        ("Transfer-Encoding", "chunked"),
        ("Set-Cookie", "a=b"),
    ]
    assert received_fields(lines).lines == [("Set-Cookie", "a=b")]


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("http://inner.example/a?b#c", "https://app.example.com/a?b#c"),
        ("https://Inner.Example", "https://app.example.com"),
        ("http://inner.example?x", "https://app.example.com?x"),
        ("http://inner.example:8080/a", "http://inner.example:8080/a"),
        ("http://inner.example.evil/a", "http://inner.example.evil/a"),
        ("https://other.example/", "https://other.example/"),
        ("/a", "/a"),
        ("ftp://inner.example/", "ftp://inner.example/"),
    ],
)
def test_a_location_on_the_replaced_host_comes_back(location: str, expected: str) -> None:
    request = request_with(("host", "inner.example"))
    response = Response(status_code=302, headers=Fields([("Location", location)]))
    restore_location(request, response)
    assert response.headers.lines == [("Location", expected)]


def test_a_location_stays_while_host_is_as_sent() -> None:
    response = Response(status_code=302, headers=Fields([("Location", "http://app.example.com/")]))
    restore_location(request_with(HOST), response)
    assert response.headers.first("location") == "http://app.example.com/"


def test_a_response_without_location_stays() -> None:
    response = Response(status_code=200, headers=Fields())
    restore_location(request_with(("host", "inner.example")), response)
    assert response.headers.lines == []


NAMES = st.sampled_from(
    ["connection", "X-Auth-User", "x_auth_user", "te", "Accept"]
) | st.from_regex(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,12}", fullmatch=True)


@given(st.lists(st.tuples(NAMES, st.text(max_size=20))))
def test_whatever_is_sent_no_forged_or_hop_by_hop_name_passes(
    lines: list[tuple[str, str]],
) -> None:
    owned = frozenset({"x-auth-user"})
    request = request_with(*lines)
    strip_owned(request, owned)
    passed = {folded(name) for name, _ in upstream_fields(exchange_with(request), owned=owned)}
    assert not passed & (HOP_BY_HOP | owned)


SPELLED = st.sampled_from(
    ["Host", "Connection", "Keep-Alive", "TE", "Upgrade", "X-Forwarded-For", "x-forwarded-host",
     "X-Forwarded-Proto", "Content-Length", "Expect", "X-Auth-User", "Accept", "X_Odd", "aUTH"]
)  # fmt: skip
VALUES = st.sampled_from(["", "a", "close, accept", "x-auth-user, host", "1.2.3.4", "K\xe9", "b:c"])
NONE: frozenset[str] = frozenset()


@given(
    st.lists(st.tuples(SPELLED, VALUES)),
    st.sampled_from([NONE, frozenset({"x-forwarded-for"}), frozenset({"x-auth-user"})]),
    st.sampled_from([NONE, frozenset({"authorization", "accept"}), frozenset({"x-forwarded-for"})]),
    st.sampled_from([NONE, frozenset({"content-length", "expect"})]),
)
def test_bytes_for_the_upstream_are_the_lines_for_the_upstream(
    lines: list[tuple[str, str]],
    owned: frozenset[str],
    withheld: frozenset[str],
    framing: frozenset[str],
) -> None:
    texts = [f"{name}: {value}" for name, value in lines]
    wire = "".join(f"\r\n{text}" for text in texts).encode()
    by_name: dict[str, list[str]] = {}
    for name, value in lines:
        by_name.setdefault(name.lower(), []).append(value)
    plain = not any("_" in name for name, _ in lines)
    request = request_with()
    request.headers = Fields.received(texts, by_name, wire, has_plain_names=plain)
    request.withheld = withheld
    strip_owned(request, owned)
    exchange = exchange_with(request)
    passed = upstream_wire(exchange, request, owned=owned, framing=framing)
    if passed is not None:
        expected = [
            line
            for line in upstream_fields(exchange, owned=owned)
            if line[0].lower() not in framing
        ]
        assert passed.decode() == "".join(f"\r\n{name}: {value}" for name, value in expected)


@given(st.lists(st.tuples(SPELLED, VALUES)))
def test_fields_for_the_client_are_the_same_as_bytes_and_as_lines(
    lines: list[tuple[str, str]],
) -> None:
    texts = [f"{name}: {value}" for name, value in lines]
    wire = "".join(f"\r\n{text}" for text in texts).encode()
    by_name = {name: Fields(lines).all(name) for name in Fields(lines).by_name}
    plain = not any("_" in name for name, _ in lines)
    fields = received_fields(Fields.received(texts, by_name, wire, has_plain_names=plain))
    values = [value for name, value in lines if name == "Connection"]
    named = {option for value in values for option in connection_options(value)} - END_TO_END
    expected = [line for line in lines if line[0].lower() not in HOP_BY_HOP | named]
    assert received_fields(lines).lines == expected
    assert fields.lines == expected
    if fields.wire is not None:
        assert fields.wire.decode() == "".join(f"\r\n{name}: {value}" for name, value in expected)


@given(st.text())
def test_connection_options_are_lower_case(value: str) -> None:
    assert all(option == option.strip() for option in connection_options(value))


def test_no_name_is_both_hop_by_hop_and_end_to_end() -> None:
    assert not HOP_BY_HOP & END_TO_END
