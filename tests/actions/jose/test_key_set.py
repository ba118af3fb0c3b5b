from __future__ import annotations

import json
from typing import Any

import pytest

from actions.jose.algorithm import ALGORITHMS
from actions.jose.key_set import (
    MAX_KEYS,
    MIXED_KEY_SET,
    NO_KEY_SET,
    NO_USABLE_KEY,
    Remembered,
    parse_key_set,
    parse_local_key_set,
    read_inline_key_set,
)
from policy.effect import BadDocument
from tests.tokens import RS256, Signer, ec_key, key_set, rsa_key

SECRET = Signer("HS256", b"s" * 32, kid="secret")
OTHER = Signer("RS256", rsa_key(1), kid="k2")
NAMELESS = Signer("RS256", rsa_key(2), kid=None)
CURVE = Signer("ES256", ec_key(), kid="k1")

BAD: dict[str, tuple[bytes, str]] = {
    "HTML": (b"<html></html>", NO_KEY_SET),
    "empty": (b"", NO_KEY_SET),
    "a list": (b"[]", NO_KEY_SET),
    "no keys": (b"{}", NO_KEY_SET),
    "keys is an object": (b'{"keys": {}}', NO_KEY_SET),
    "an empty list": (b'{"keys": []}', NO_USABLE_KEY),
    "a member twice": (b'{"keys": [], "keys": []}', NO_KEY_SET),
    "secrets only": (key_set(SECRET), NO_USABLE_KEY),
    "too many keys": (key_set(*[RS256.jwk] * (MAX_KEYS + 1)), NO_KEY_SET),
    "nothing usable": (key_set({"kty": "RSA"}, 7), NO_USABLE_KEY),
}


@pytest.mark.parametrize(("data", "reason"), BAD.values(), ids=BAD)
def test_what_is_no_key_set_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    """JW-6."""
    with pytest.raises(BadDocument) as refused:
        parse_key_set(data)
    assert refused.value.reason == reason


def test_unusable_members_are_left_out_and_told() -> None:
    private = CURVE.jwk | {"d": "AQ"}
    found = parse_key_set(key_set(SECRET, private, RS256, {"kty": "new"}))
    assert [key.kid for key in found.keys] == ["k1"]
    assert len(found.refused) == 3
    assert found.refused[0].startswith("key 1: ")


def test_secrets_are_taken_from_local_sets_alone() -> None:
    assert len(parse_local_key_set(key_set(SECRET)).keys) == 1
    with pytest.raises(BadDocument):
        read_inline_key_set(json.loads(key_set(SECRET)))


def test_secrets_and_public_keys_do_not_mix() -> None:
    with pytest.raises(BadDocument) as refused:
        parse_local_key_set(key_set(SECRET, RS256))
    assert refused.value.reason == MIXED_KEY_SET


def kids(data: bytes, kid: str | None, alg: str = "RS256") -> list[str | None]:
    return [key.kid for key in parse_key_set(data).candidates(kid, ALGORITHMS[alg])]


CANDIDATES: dict[str, tuple[bytes, str | None, str, list[str | None]]] = {
    "the named key": (key_set(RS256, OTHER), "k2", "RS256", ["k2"]),
    "no kid: every key that fits": (key_set(RS256, OTHER, CURVE), None, "RS256", ["k1", "k2"]),
    "no kid, another algorithm": (key_set(RS256, CURVE), None, "ES256", ["k1"]),
    "unknown kid": (key_set(RS256, OTHER), "k3", "RS256", []),
    "unknown kid, a key without": (key_set(RS256, NAMELESS), "k3", "RS256", [None]),
    "the same kid for two kinds": (key_set(RS256, CURVE), "k1", "ES256", ["k1"]),
    "one kid for two keys": (
        key_set(RS256, Signer("RS256", rsa_key(1), kid="k1")), "k1", "RS256", [],
    ),
    "one kid for two keys, of which one names its algorithm": (
        key_set(RS256, Signer("RS256", rsa_key(1), kid="k1").jwk | {"alg": "RS256"}),
        "k1", "RS256", [],
    ),
    "the same key twice": (key_set(RS256, RS256), "k1", "RS256", ["k1"]),
    "kid as a path": (key_set(RS256), "../../etc/passwd", "RS256", []),
    "kid as SQL": (key_set(RS256), "' OR 1=1 --", "RS256", []),
}  # fmt: skip


@pytest.mark.parametrize(("data", "kid", "alg", "expected"), CANDIDATES.values(), ids=CANDIDATES)
def test_which_keys_may_have_signed(
    data: bytes, kid: str | None, alg: str, expected: list[str | None]
) -> None:
    """JW-4."""
    try:
        assert kids(data, kid, alg) == expected
    except BadDocument as refused:
        assert (refused.reason, expected) == (NO_USABLE_KEY, [])


def test_what_is_remembered_ends_with_its_time() -> None:
    memory = Remembered()
    memory.keep(b"a", "value", from_ns=5, until_ns=10)
    assert memory.find(b"a", 9) == "value"
    assert memory.find(b"a", 10) is None
    assert memory.find(b"a", 9) is None
    assert len(memory) == 0


def test_a_clock_that_is_set_back_makes_nothing_hold_for_longer() -> None:
    memory = Remembered()
    memory.keep(b"a", "value", from_ns=5, until_ns=10)
    assert memory.find(b"a", 5) == "value"
    assert memory.find(b"a", 4) is None
    assert memory.find(b"a", 6) is None


def test_the_oldest_makes_room() -> None:
    memory = Remembered(limit=2)
    for name in (b"a", b"b", b"c"):
        memory.keep(name, name, from_ns=0, until_ns=10)
    found: list[Any] = [memory.find(name, 0) for name in (b"a", b"b", b"c")]
    assert found == [None, b"b", b"c"]
    assert len(memory) == 2
