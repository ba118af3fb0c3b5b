"""What of an ID token is calculated; every claim by itself is in test_protocol."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.jose.algorithm import ALGORITHMS
from actions.jose.key import Key
from actions.login.protocol import LoginRefused
from actions.openid_connect.id_token import (
    IdTokenRules,
    half_hash,
    kept_claims,
    read_id_token,
)
from actions.openid_connect.metadata import MetadataReader
from actions.openid_connect.signed_claims import ACCEPTED, SignedClaims
from tests import exchanges
from tests.openid_provider import CLIENT_ID, ISSUER, Provider
from tests.tokens import b64


def signed(algorithm: str, curve: str | None) -> SignedClaims:
    chosen = ALGORITHMS[algorithm]
    key = Key(native=None, key_type=chosen.key_type, curve=curve)
    return SignedClaims(claims={}, algorithm=chosen, key=key)


@pytest.mark.parametrize(
    ("algorithm", "curve", "name"),
    [
        ("RS256", None, "sha256"),
        ("PS384", None, "sha384"),
        ("ES512", "P-521", "sha512"),
        ("EdDSA", "Ed25519", "sha512"),
    ],
)
def test_half_of_the_signature_s_hash(algorithm: str, curve: str | None, name: str) -> None:
    whole = hashlib.new(name, b"token").digest()
    assert half_hash("token", signed(algorithm, curve)) == b64(whole[: len(whole) // 2])


def test_half_of_the_hash_of_ed448() -> None:
    whole = hashlib.shake_256(b"token").digest(114)
    assert half_hash("token", signed("EdDSA", "Ed448")) == b64(whole[:57])


def test_the_example_of_the_specification() -> None:
    # OpenID Connect Core 1.0, appendix A.4.
    token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
    assert half_hash(token, signed("RS256", None)) == "77QmUPtjPfzWtF2AnpK9RQ"


def test_no_algorithm_has_a_shared_secret() -> None:
    assert sorted(ACCEPTED) == [
        "ES256", "ES384", "ES512", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512",
    ]  # fmt: skip


@given(st.text(max_size=200))
def test_a_text_is_a_token_or_refused(text: str) -> None:
    provider = Provider()
    metadata = MetadataReader(ISSUER)(json.dumps(provider.metadata()).encode())
    rules = IdTokenRules(client_id=CLIENT_ID)
    steps: Any = read_id_token(text, metadata, rules, access_token="a", now_ns=exchanges.NOON_NS)
    outcome = provider.play(steps)
    assert isinstance(outcome, LoginRefused)
    assert kept_claims(text) == {}
