from __future__ import annotations

import pytest

from actions.jose.key_set import KeySet, parse_key_set, parse_local_key_set
from actions.jwt_validation.key_source import Described, key_sources, undecided

A, B = "https://a.example.com/", "https://b.example.com/"
ONE = "https://login.example.com/one/v2"
TWO = "https://login.example.com/two/v2"
SERVED: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "one issuer": ("https://cdn.example.com/keys", (A,), (A,)),
    "the issuer at its origin": ("https://a.example.com/keys", (A, B), (A,)),
    "the default port is no other one": ("https://b.example.com:443/keys", (A, B), (B,)),
    "another port is another origin": ("https://a.example.com:444/keys", (A, B), (A, B)),
    "none of them": ("https://cdn.example.com/keys", (A, B), (A, B)),
    "a tenant of one server": ("https://login.example.com/two/keys", (ONE, TWO), (TWO,)),
    "no tenant's": ("https://login.example.com/keys", (ONE, TWO), (ONE, TWO)),
    "a tenant, and others": ("https://login.example.com/one/keys", (ONE, TWO, A), (ONE,)),
    "the whole path": (
        "https://login.example.com/one",
        ("https://login.example.com/one", TWO),
        ("https://login.example.com/one",),
    ),
    "issuers that are no URLs": ("https://a.example.com/keys", ("a", "b"), ("a", "b")),
    "an issuer with a broken port": ("https://a.example.com/k", (A, "https://a:x/"), (A,)),
    "a file": ("file:///keys.json", (A, B), (A, B)),
}


@pytest.mark.parametrize(("url", "issuers", "expected"), SERVED.values(), ids=SERVED)
def test_whose_tokens_a_key_set_may_speak_for(
    url: str, issuers: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    """JW-18."""
    (source,) = key_sources([Described(url)], issuers)
    assert source.issuers == frozenset(expected)
    assert bool(undecided([source])) == (len(expected) > 1)


CDN = "https://cdn.example.com/keys"
AT_A, AT_ONE = "https://a.example.com/keys", "https://login.example.com/one/keys"
SEVERAL: dict[str, tuple[list[Described], tuple[str, ...], list[tuple[str, ...]]]] = {
    "who has a set needs no other": ([Described(AT_A), Described(CDN)], (A, B), [(A,), (B,)]),
    "of a server's tenants too": (
        [Described(AT_ONE), Described("https://login.example.com/keys")],
        (ONE, TWO),
        [(ONE,), (TWO,)],
    ),
    "the policy's word goes first": ([Described(AT_A, owners=(B,))], (A, B), [(B,)]),
    "the policy may name several": ([Described(CDN, owners=(A, B))], (A, B), [(A, B)]),
    "a stranger has no keys": ([Described(CDN, owners=("x",))], (A, B), [()]),
    "what nobody needs is everybody's": (
        [Described(AT_A), Described("https://b.example.com/"), Described(CDN)],
        (A, B),
        [(A,), (B,), (A, B)],
    ),
    "two that nobody can tell apart": (
        [Described(CDN), Described(CDN + "2")],
        (A, B),
        [(A, B), (A, B)],
    ),
    "keys in the policy": ([Described(None, KeySet(()), (A,))], (A, B), [(A,)]),
}


@pytest.mark.parametrize(("described", "issuers", "expected"), SEVERAL.values(), ids=SEVERAL)
def test_whose_several_key_sets_are(
    described: list[Described], issuers: tuple[str, ...], expected: list[tuple[str, ...]]
) -> None:
    """JW-18, D1-9."""
    found = [each.issuers for each in key_sources(described, issuers)]
    assert found == [frozenset(each) for each in expected]


def test_a_file_may_hold_secrets_and_a_fetched_set_may_not() -> None:
    local, fetched = key_sources([Described("file:///k"), Described("https://a/k")], (A,))
    assert local.awaited is not None
    assert fetched.awaited is not None
    assert fetched.at_hand is not None
    assert local.awaited.parse is parse_local_key_set
    assert fetched.awaited.parse is parse_key_set
    assert (fetched.at_hand.wait, fetched.awaited.wait) == (False, True)
    newer = fetched.newer(3)
    assert newer is not None
    assert newer.newer_than == 3
    assert fetched.name == "https://a/k"


def test_a_set_in_the_policy_is_never_fetched() -> None:
    (source,) = key_sources([Described(None, KeySet(()))], (A,))
    assert source.newer(1) is None
    assert source.name == "the policy's own key set"
