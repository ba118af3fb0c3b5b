from __future__ import annotations

import pytest

from actions.jose.key_set import KeySet, parse_key_set, parse_local_key_set
from actions.jwt_validation.key_source import (
    belongs_to_none,
    fetched_source,
    inline_source,
    served_issuers,
)

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
    assert served_issuers(url, issuers) == frozenset(expected)
    assert belongs_to_none(url, issuers) == (len(issuers) > 1 and set(issuers) == set(expected))


def test_a_file_may_hold_secrets_and_a_fetched_set_may_not() -> None:
    local, fetched = fetched_source("file:///k", (A,)), fetched_source("https://a/k", (A,))
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
    source = inline_source(KeySet(()), (A,))
    assert source.newer(1) is None
    assert source.name == "the policy's own key set"
