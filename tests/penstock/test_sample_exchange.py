"""The surroundings of a request that is only played."""

from __future__ import annotations

from penstock.sample_exchange import exchange_for, request_of
from penstock.sample_request import SampleRequest, parse_sample
from policy.net import parse_address

CLIENT = parse_address("203.0.113.7")


def sample(scheme: str) -> SampleRequest:
    return parse_sample(
        b"POST /a HTTP/1.1\r\nHost: a.test:8443\r\nContent-Length: 2\r\n\r\nhi", scheme=scheme
    )


def test_the_endpoint_is_the_one_that_was_asked_for() -> None:
    made = exchange_for(sample("https"), client=CLIENT, now_ns=5)
    assert (made.endpoint.url, made.endpoint.host, made.endpoint.port) == (
        "https://a.test:8443", "a.test", 8443,
    )  # fmt: skip
    assert made.connection.client_ip == "203.0.113.7"
    assert made.surroundings.now_ns() == made.connection.started_ns == 5


def test_only_https_has_a_tls_session() -> None:
    tls = exchange_for(sample("https"), client=CLIENT, now_ns=0).connection.tls
    assert tls is not None
    assert tls.sni == "a.test"
    assert exchange_for(sample("http"), client=CLIENT, now_ns=0).connection.tls is None


def test_chance_takes_the_same_course_with_a_seed() -> None:
    one, other = (
        exchange_for(sample("http"), client=CLIENT, now_ns=0, seed=7).surroundings for _ in "ab"
    )
    assert [one.random_fraction(), one.random_integer(1, 9)] == [
        other.random_fraction(), other.random_integer(1, 9),
    ]  # fmt: skip


def test_the_request_has_its_own_copy_of_the_fields() -> None:
    played = sample("http")
    one, other = request_of(played, now_ns=3), request_of(played, now_ns=3)
    one.headers.remove("host")
    assert other.headers.first("host") == "a.test:8443"
    assert one.body_received_ns == 3
