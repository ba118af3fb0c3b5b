from __future__ import annotations

from actions.jose.algorithm import ALGORITHMS
from actions.jose.key_set import parse_key_set
from actions.jose.signature import signing_key
from actions.jose.token import parse_token
from tests.tokens import RS256, Signer, key_set, rsa_key

OTHER = Signer("RS256", rsa_key(1), kid="k2")


def test_the_key_that_signed_is_found_among_others() -> None:
    keys = parse_key_set(key_set(OTHER, RS256))
    unnamed = Signer("RS256", rsa_key(), kid=None)
    for signer in (RS256, unnamed):
        found = signing_key(parse_token(signer.token()), keys, ALGORITHMS["RS256"])
        assert found is not None
        assert found.kid == "k1"


def test_a_name_does_not_make_another_key_s_signature() -> None:
    keys = parse_key_set(key_set(OTHER, RS256))
    liar = Signer("RS256", rsa_key(), kid="k2")
    assert signing_key(parse_token(liar.token()), keys, ALGORITHMS["RS256"]) is None
