"""Wycheproof's JSON web signatures and RFC 7520's cookbook: every row's verdict."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from actions.jose.algorithm import ALGORITHMS
from actions.jose.key_set import parse_local_key_set
from actions.jose.signature import signing_key
from actions.jose.token import TokenError, parse_token
from policy.effect import BadDocument
from tests.conformance.cel_rows import CORPORA

CASES = CORPORA / "jwt" / "cases.json"
pytestmark = pytest.mark.skipif(not CASES.exists(), reason=f"no token vectors at {CASES}")

WYCHEPROOF = "wycheproof/json_web_signature_test"
OTHER_ALG = "the key says 'ES521' or another algorithm than the token's"
STRAY = "a character that is not base64url, which the label says to skip"
# Two rows are, byte for byte, the valid row 357 with another label.
SAME_AS_VALID = "the same token and keys as row 357, which is labelled valid"
EXCLUDED = {
    f"{WYCHEPROOF}/346": OTHER_ALG,
    f"{WYCHEPROOF}/347": OTHER_ALG,
    f"{WYCHEPROOF}/350": OTHER_ALG,
    f"{WYCHEPROOF}/351": OTHER_ALG,
    f"{WYCHEPROOF}/372": STRAY,
    f"{WYCHEPROOF}/373": STRAY,
    f"{WYCHEPROOF}/367": SAME_AS_VALID,
    f"{WYCHEPROOF}/370": SAME_AS_VALID,
    "cookbook/4_5.signature_with_detached_content": "the payload is not in the token",
}


@cache
def rows() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(CASES.read_text("utf-8"))
    return found


def verdict(row: dict[str, Any]) -> str:
    token = row["token"] if isinstance(row["token"], str) else json.dumps(row["token"])
    try:
        keys = parse_local_key_set(json.dumps(row["keys"]).encode())
        parsed = parse_token(token)
    except (BadDocument, TokenError):
        return "invalid"
    algorithm = ALGORITHMS.get(str(parsed.algorithm))
    if algorithm is None or signing_key(parsed, keys, algorithm) is None:
        return "invalid"
    return "valid"


def test_every_signed_row_has_its_verdict() -> None:
    signed = [row for row in rows() if row["kind"] == "jws" and row["id"] not in EXCLUDED]
    assert len(signed) > 450
    assert [row["id"] for row in signed if verdict(row) != row["expect"]] == []


def test_no_encrypted_row_is_taken_for_a_signed_one() -> None:
    encrypted = [row for row in rows() if row["kind"] == "jwe"]
    assert len(encrypted) > 100
    assert [row["id"] for row in encrypted if verdict(row) != "invalid"] == []


def test_few_rows_are_excluded_and_each_is_there() -> None:
    assert len(EXCLUDED) <= 10
    assert EXCLUDED.keys() <= {row["id"] for row in rows()}
    # None of them is a row that should be refused and is not, but for the two twins.
    labelled = {row["id"]: row["expect"] for row in rows()}
    twins = {each for each, reason in EXCLUDED.items() if reason == SAME_AS_VALID}
    assert {each for each in EXCLUDED if labelled[each] == "invalid"} == twins
