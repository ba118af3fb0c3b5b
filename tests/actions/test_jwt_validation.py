"""The action as a generator: this test plays the other side, without event loop and network."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from actions import LANGUAGE
from actions.jwt_validation import ACTION, Config, prepare, run
from policy.action import Continue, Outcome, Respond
from policy.effect import Document, Effect, GetDocument, ReadBody, Unavailable
from policy.exchange import Exchange
from policy.load import load_policy
from policy.problem import PolicyError
from tests import exchanges
from tests.tokens import (
    AUDIENCE,
    ISSUER,
    NOON_S,
    RS256,
    Signer,
    claims_of,
    ec_key,
    key_set,
    rsa_key,
    settings,
    with_algorithms,
)

URL = "https://issuer.example.com/jwks"
NEW = Signer("RS256", rsa_key(1), kid="k2")


class World:
    """Answers effects: key sets by URL, each a list of versions; the last one stays."""

    def __init__(self, *versions: bytes | None, body: bytes | None = b"") -> None:
        self.versions = list(versions)
        self.version = 1 if versions and versions[0] is not None else 0
        self.at_hand = True
        self.body = body
        self.asked: list[Effect] = []
        self.documents: dict[int, Document] = {}

    def answer(self, effect: Effect) -> Any:
        self.asked.append(effect)
        if isinstance(effect, ReadBody):
            return self.body
        assert isinstance(effect, GetDocument)
        if not effect.wait and not self.at_hand:
            return Unavailable(reason="not-at-hand")
        if effect.newer_than >= self.version > 0 and len(self.versions) > self.version:
            self.version += 1
        content = self.versions[self.version - 1] if self.version else None
        if content is None:
            return Unavailable(reason="not-connected")
        if self.version not in self.documents:
            value = effect.parse(content)
            self.documents[self.version] = Document(value=value, version=self.version)
        return self.documents[self.version]

    def document_at_hand(self, request: GetDocument) -> Document | None:
        return self.documents.get(self.version) if self.at_hand else None

    def run(self, config: Config, exchange: Exchange) -> Outcome[Any]:
        exchange.surroundings = replace(
            exchange.surroundings, document_at_hand=self.document_at_hand
        )
        steps = run(prepare(config), exchange)
        if not isinstance(steps, Generator):
            return steps
        answer: Any = None
        try:
            while True:
                answer = self.answer(steps.send(answer))
        except StopIteration as end:
            outcome: Outcome[Any] = end.value
            return outcome


def config(**changes: Any) -> Config:
    return Config.model_validate(settings(**changes))


def shown(token: str | None = None, **changes: Any) -> Exchange:
    headers = [] if token is None else [("Authorization", f"Bearer {token}")]
    return exchanges.exchange(exchanges.request(headers=headers, **changes))


def reason(outcome: Outcome[Any]) -> str | None:
    return outcome.reason if isinstance(outcome, Respond) else None


def test_a_token_in_order_passes_and_can_be_read() -> None:
    outcome = World(key_set(RS256)).run(config(), shown(RS256.token()))
    assert isinstance(outcome, Continue)
    assert outcome.result is not None
    [token] = outcome.result.tokens
    assert outcome.result.error is None
    assert token.payload["iss"] == ISSUER
    assert token.header == {"alg": "RS256", "typ": "JWT", "kid": "k1"}
    assert (token.location, token.location_property) == ("header", "Authorization")
    assert token.verified is True
    assert token.signature == RS256.token().rpartition(".")[2]


def test_results_can_be_read_by_expressions() -> None:
    exchange = shown(RS256.token(claims_of(scope="a b")))
    outcome = World(key_set(RS256)).run(config(), exchange)
    exchange.results[ACTION.result_namespace] = outcome.result
    text = "actions.ngrok.jwt_validation.tokens[0].payload.scope.split(' ')[1]"
    assert exchanges.value(text, exchange, [ACTION]) == "b"


def test_a_request_without_token_is_asked_for_one() -> None:
    outcome = World(key_set(RS256)).run(config(), shown())
    assert isinstance(outcome, Respond)
    assert (outcome.status_code, outcome.reason) == (401, "header_missing")
    assert outcome.headers == (("www-authenticate", "Bearer"),)
    assert outcome.error_code == "ERR_NGROK_3408"
    assert outcome.result is not None
    assert outcome.result.error.code == "ERR_NGROK_3408"


REFUSED: dict[str, tuple[str, int, str]] = {
    "none": (RS256.token(header=RS256.header(alg="none")), 401, "alg_not_allowed"),
    "another algorithm": (Signer("RS512", rsa_key()).token(), 401, "alg_not_allowed"),
    "alg is a list": (RS256.token(header={"alg": ["RS256"]}), 401, "alg_not_allowed"),
    "malformed": ("a.b", 401, "token_malformed"),
    "crit": (RS256.token(header=RS256.header(crit=["x"])), 401, "critical_extension"),
    "payload is a list": (RS256.token([]), 401, "invalid_claims"),
    "unknown key": (NEW.token(), 401, "signature_invalid"),
    "expired": (RS256.token(claims_of(NOON_S - 3_600)), 401, "token_expired"),
    "another audience": (RS256.token(claims_of(aud="x")), 403, "audience_not_allowed"),
    "another issuer": (RS256.token(claims_of(iss="x")), 403, "issuer_not_allowed"),
    "another issuer, forged": (NEW.token(claims_of(iss="x")), 401, "signature_invalid"),
}


@pytest.mark.parametrize(("token", "status", "expected"), REFUSED.values(), ids=REFUSED)
def test_a_token_that_is_not_in_order_is_refused(token: str, status: int, expected: str) -> None:
    outcome = World(key_set(RS256)).run(config(), shown(token))
    assert isinstance(outcome, Respond)
    assert (outcome.status_code, outcome.reason) == (status, expected)
    error = {401: "invalid_token", 403: "insufficient_scope"}[status]
    assert outcome.headers == (("www-authenticate", f'Bearer error="{error}"'),)
    assert outcome.body == b""


def test_a_malformed_token_asks_for_no_keys() -> None:
    """JW-15: cheap checks come before anything that costs."""
    world = World(None)
    world.at_hand = False
    assert reason(world.run(config(), shown("a.b.c" * 5_000))) == "token_malformed"
    assert not [each for each in world.asked if isinstance(each, GetDocument) and each.wait]


def test_without_keys_the_answer_is_503() -> None:
    exchange = shown(RS256.token())
    outcome = World(None).run(config(), exchange)
    assert isinstance(outcome, Respond)
    assert (outcome.status_code, outcome.reason) == (503, "keys_unavailable")
    assert outcome.error_code == "ERR_NGROK_3422"
    assert outcome.headers == (("retry-after", "10"),)
    assert exchange.warnings == [f"jwt-validation: {URL}: not-connected"]


def test_keys_that_are_not_at_hand_are_waited_for() -> None:
    world = World(key_set(RS256))
    world.at_hand = False
    assert reason(world.run(config(), shown(RS256.token()))) is None
    assert reason(world.run(config(), shown(NEW.token()))) == "signature_invalid"


def test_a_new_key_s_first_token_passes() -> None:
    world = World(key_set(RS256), key_set(RS256, NEW))
    assert reason(world.run(config(), shown(RS256.token()))) is None
    assert reason(world.run(config(), shown(NEW.token()))) is None
    assert world.version == 2


@pytest.mark.sources_only
def test_a_verified_token_is_not_verified_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world, asked = World(key_set(RS256)), config()
    first = world.run(asked, shown(RS256.token()))
    monkeypatch.setattr(
        "actions.jwt_validation.verification.parse_token", lambda _: pytest.fail("parsed again")
    )
    assert world.run(asked, shown(RS256.token())) is first


def test_what_was_asked_of_a_token_is_part_of_what_is_remembered() -> None:
    """JW-19."""
    world = World(key_set(RS256))
    token = RS256.token()
    assert reason(world.run(config(), shown(token))) is None
    other = {"allow_list": [{"value": "another"}]}
    assert reason(world.run(config(audience=other), shown(token))) == "audience_not_allowed"
    assert reason(world.run(config(issuer=other), shown(token))) == "issuer_not_allowed"


def test_a_removed_key_ends_what_is_remembered() -> None:
    """JW-19."""
    world = World(key_set(RS256, NEW), key_set(NEW))
    token = RS256.token()
    assert reason(world.run(config(), shown(token))) is None
    world.version = 2
    assert reason(world.run(config(), shown(token))) == "signature_invalid"


def test_what_is_remembered_does_not_outlive_the_token() -> None:
    """JW-19."""
    world, asked = World(key_set(RS256)), config()
    token = RS256.token(claims_of(exp=NOON_S + 1))
    assert reason(world.run(asked, shown(token))) is None
    late = shown(token)
    now_ns = (NOON_S + 61) * 1_000_000_000
    late.surroundings = exchanges.surroundings(now_ns=lambda: now_ns)
    assert reason(world.run(asked, late)) == "token_expired"


def at(now_s: float, token: str) -> Exchange:
    exchange = shown(token)
    now_ns = int(now_s * 1_000_000_000)
    exchange.surroundings = exchanges.surroundings(now_ns=lambda: now_ns)
    return exchange


AGED = {"exp": NOON_S + 9_000, "iat": NOON_S - 100}
BOUNDS: dict[str, tuple[dict[str, Any], dict[str, Any], float, str]] = {
    "exp and a minute": ({"exp": NOON_S + 100}, {}, NOON_S + 160, "token_expired"),
    "exp with a fraction": ({"exp": NOON_S + 100.5}, {}, NOON_S + 160.5, "token_expired"),
    "iat, max_age and a minute": (AGED, {"max_age": "300s"}, NOON_S + 260, "token_too_old"),
}


@pytest.mark.sources_only
@pytest.mark.parametrize(("claims", "asked", "end_s", "expected"), BOUNDS.values(), ids=BOUNDS)
def test_a_remembered_token_is_in_order_up_to_its_last_moment_and_not_after(
    claims: dict[str, Any],
    asked: dict[str, Any],
    end_s: float,
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """JW-11, JW-19."""
    world, token = World(key_set(RS256)), RS256.token(claims_of(**claims))
    assert reason(world.run(config(**asked), at(NOON_S, token))) is None
    assert reason(world.run(config(**asked), at(end_s, token))) == expected
    assert reason(world.run(config(**asked), at(NOON_S, token))) is None
    with monkeypatch.context() as patched:
        patched.setattr("actions.jwt_validation.verification.parse_token", None)
        assert reason(world.run(config(**asked), at(end_s - 0.001, token))) is None
    assert reason(world.run(config(**asked), at(end_s, token))) == expected


def test_a_token_that_is_not_valid_yet_is_judged_anew_each_time() -> None:
    """JW-11: neither a refusal is remembered, nor does a result hold before it was found."""
    world, token = World(key_set(RS256)), RS256.token(claims_of(nbf=NOON_S + 100))
    for _ in range(2):
        assert reason(world.run(config(), at(NOON_S + 39, token))) == "token_not_yet_valid"
        assert reason(world.run(config(), at(NOON_S + 40, token))) is None
        assert reason(world.run(config(), at(NOON_S + 50, token))) is None


def test_a_token_is_verified_anew_by_keys_that_were_added_to() -> None:
    """JW-19."""
    world, token = World(key_set(RS256), key_set(RS256, NEW)), RS256.token()
    first = world.run(config(), shown(token))
    world.version = 2
    second = world.run(config(), shown(token))
    assert second == first
    assert second is not first
    assert world.run(config(), shown(token)) is second


def test_a_key_set_read_anew_remembers_nothing() -> None:
    """JW-19: as after a reload."""
    world, token = World(key_set(RS256)), RS256.token()
    first = world.run(config(), shown(token))
    world.documents.clear()
    assert world.run(config(), shown(token)) is not first


def test_keys_that_are_not_at_hand_any_more_vouch_for_nothing() -> None:
    """JW-19: what a key set remembers is asked for only while the set itself may be used."""
    world, token = World(key_set(RS256)), RS256.token()
    assert reason(world.run(config(), shown(token))) is None
    world.at_hand, world.versions, world.version = False, [None], 0
    assert reason(world.run(config(), shown(token))) == "keys_unavailable"


SPELLINGS = ["bearer {}", "BEARER {}", "Bearer   {}", "Bearer {} "]


@pytest.mark.sources_only
@pytest.mark.parametrize("written", SPELLINGS)
def test_a_known_token_is_the_same_however_it_is_shown(
    written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, token = World(key_set(RS256)), RS256.token()

    def spelled() -> Exchange:
        headers = [("Authorization", written.format(token))]
        return exchanges.exchange(exchanges.request(headers=headers))

    assert reason(world.run(config(), spelled())) is None
    monkeypatch.setattr("actions.jwt_validation.verification.parse_token", None)
    assert reason(world.run(config(), spelled())) is None
    assert reason(world.run(config(), shown(token))) is None
    assert len(world.documents[1].value.remembered) == 1


def test_a_known_token_beside_another_one_is_refused() -> None:
    """JW-17."""
    world, token = World(key_set(RS256)), RS256.token()
    assert reason(world.run(config(), shown(token))) is None
    both = shown(token)
    assert both.request is not None
    both.request.headers.add("Authorization", f"Bearer {token}")
    assert reason(world.run(config(), both)) == "token_repeated"


def test_a_known_token_without_its_prefix_is_refused() -> None:
    world, token = World(key_set(RS256)), RS256.token()
    bare = {"type": "jwt", "method": "header", "name": "Authorization"}
    written = exchanges.request(headers=[("Authorization", token)])
    for _ in range(2):
        assert reason(world.run(config(), shown(token))) is None
        without = config(http={"tokens": [bare]})
        assert reason(world.run(without, exchanges.exchange(written))) is None
        assert reason(world.run(config(), exchanges.exchange(written))) == "prefix_missing"
        assert reason(world.run(without, shown(token))) == "token_malformed"


@pytest.mark.sources_only
def test_a_known_long_token_is_not_verified_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world, token = World(key_set(RS256)), RS256.token(claims_of(roles=["r" * 20] * 200))
    assert reason(world.run(config(), shown(token))) is None
    monkeypatch.setattr("actions.jwt_validation.verification.parse_token", None)
    assert reason(world.run(config(), shown(token))) is None


def test_with_keys_at_hand_a_token_is_decided_at_once() -> None:
    world = World(key_set(RS256))
    assert reason(world.run(config(), shown(RS256.token()))) is None
    asked_before = list(world.asked)
    for token in (RS256.token(claims_of(sub="another")), RS256.token(claims_of(aud="x"))):
        exchange = shown(token)
        exchange.surroundings = replace(
            exchange.surroundings, document_at_hand=world.document_at_hand
        )
        assert isinstance(run(prepare(config()), exchange), Continue | Respond)
    assert world.asked == asked_before


def test_effects_that_are_needed_are_asked_for_in_their_order() -> None:
    world = World(key_set(RS256), key_set(RS256, NEW))
    world.at_hand = False
    assert reason(world.run(config(), shown(NEW.token()))) == "signature_invalid"
    asked = [each for each in world.asked if isinstance(each, GetDocument)]
    assert [(each.wait, each.newer_than) for each in asked] == [(False, 0), (True, 0)]
    world.at_hand = True
    assert reason(world.run(config(), shown(NEW.token()))) is None
    asked = [each for each in world.asked if isinstance(each, GetDocument)]
    assert [(each.wait, each.newer_than) for each in asked[2:]] == [(True, 1)]


B = "https://b.example.com/"


def test_another_issuer_s_key_does_not_sign_for_this_one() -> None:
    """JW-18."""
    sets: Mapping[str, bytes] = {URL: key_set(RS256), f"{B}jwks": key_set(NEW)}
    asked = config(
        issuer={"allow_list": [{"value": ISSUER}, {"value": B}]},
        jws=with_algorithms("RS256", urls=sets),
    )

    assert outcome_of(asked, sets, RS256.token()) is None
    assert outcome_of(asked, sets, NEW.token(claims_of(iss=B))) is None
    assert outcome_of(asked, sets, NEW.token()) == "signature_invalid"
    assert outcome_of(asked, sets, RS256.token(claims_of(iss=B))) == "signature_invalid"


def outcome_of(asked: Config, contents: Mapping[str, bytes], token: str) -> str | None:
    """Return the reason of a refusal, given what there is under URLs."""
    steps = run(prepare(asked), shown(token))
    assert isinstance(steps, Generator)
    answer: Any = None
    try:
        while True:
            effect = steps.send(answer)
            assert isinstance(effect, GetDocument)
            content = contents.get(effect.url)
            if content is None:
                answer = Unavailable(reason="status-404")
            else:
                answer = Document(value=effect.parse(content), version=1)
    except StopIteration as end:
        return reason(end.value)


CDN = "https://cdn.example.com/a", "https://cdn.example.com/b"


def metadata_of(issuer: str, jwks_uri: str) -> dict[str, bytes]:
    text = json.dumps({"issuer": issuer, "jwks_uri": jwks_uri})
    return {issuer + ".well-known/openid-configuration": text.encode()}


def test_metadata_tells_whose_a_key_set_is_where_nothing_else_does() -> None:
    """JW-18."""
    asked = config(
        issuer={"allow_list": [{"value": ISSUER}, {"value": B}]},
        jws=with_algorithms("RS256", urls=CDN),
    )
    sets = {CDN[0]: key_set(RS256), CDN[1]: key_set(NEW)}
    assert outcome_of(asked, sets, NEW.token()) is None
    sets |= metadata_of(ISSUER, CDN[0])
    assert outcome_of(asked, sets, RS256.token()) is None
    assert outcome_of(asked, sets, NEW.token()) == "signature_invalid"
    # B has none, and no say in whose A's keys are.
    assert outcome_of(asked, sets, NEW.token(claims_of(iss=B))) is None
    sets |= metadata_of(B, CDN[1])
    assert outcome_of(asked, sets, RS256.token(claims_of(iss=B))) == "signature_invalid"
    named = {each.url for each in ACTION.documents(asked)}
    assert named == {*sets}


def test_metadata_of_somebody_else_is_not_believed() -> None:
    asked = config(
        issuer={"allow_list": [{"value": ISSUER}, {"value": B}]},
        jws=with_algorithms("RS256", urls=CDN),
    )
    (text,) = metadata_of(B, CDN[0]).values()
    sets = {CDN[0]: key_set(RS256), CDN[1]: key_set(NEW)}
    sets[ISSUER + ".well-known/openid-configuration"] = text
    assert outcome_of(asked, sets, NEW.token()) is None


def test_the_policy_may_say_whose_keys_are() -> None:
    """JW-18, D1-9."""
    jws = with_algorithms("RS256")
    jws["keys"]["sources"] = [
        {"additional_jkus": [CDN[0]], "issuers": [ISSUER]},
        {"additional_jkus": [CDN[1]], "issuers": [B]},
    ]
    asked = config(issuer={"allow_list": [{"value": ISSUER}, {"value": B}]}, jws=jws)
    sets = {CDN[0]: key_set(RS256), CDN[1]: key_set(NEW)}
    assert outcome_of(asked, sets, RS256.token()) is None
    assert outcome_of(asked, sets, NEW.token(claims_of(iss=B))) is None
    assert outcome_of(asked, sets, NEW.token()) == "signature_invalid"
    assert outcome_of(asked, sets, RS256.token(claims_of(iss=B))) == "signature_invalid"
    assert {each.url for each in ACTION.documents(asked)} == {*CDN}


def test_a_configuration_that_says_the_same_is_made_ready_once() -> None:
    assert config().asked is config().asked
    assert config().asked is not config(audience=...).asked


def test_with_enforce_false_everything_passes_and_is_recorded() -> None:
    outcome = World(key_set(RS256)).run(
        config(enforce=False), shown(RS256.token(claims_of(aud="x")))
    )
    assert isinstance(outcome, Continue)
    assert outcome.result is not None
    assert outcome.result.error.code == "ERR_NGROK_3403"
    assert [each.verified for each in outcome.result.tokens] == [False]


def two_places() -> dict[str, Any]:
    places = [
        {"type": "access_token", "method": "header", "name": "Authorization", "prefix": "Bearer "},
        {"type": "id_token", "method": "body", "name": "id_token"},
        {"type": "id_token", "method": "body", "name": "second"},
    ]
    return {"tokens": places}


def test_all_configured_tokens_have_to_be_there() -> None:
    """JW-17."""
    token = RS256.token()
    exchange = exchanges.exchange(
        exchanges.request(
            method="POST",
            headers=[("Authorization", f"Bearer {token}"), ("Content-Type", "application/json")],
        )
    )
    body = json.dumps({"id_token": token, "second": token}).encode()
    outcome = World(key_set(RS256), body=body).run(config(http=two_places()), exchange)
    assert isinstance(outcome, Continue)
    assert outcome.result is not None
    assert [each.location for each in outcome.result.tokens] == ["header", "body", "body"]
    partial = json.dumps({"id_token": token}).encode()
    outcome = World(key_set(RS256), body=partial).run(config(http=two_places()), exchange)
    assert reason(outcome) == "token_missing"
    assert reason(World(key_set(RS256), body=None).run(config(http=two_places()), exchange)) == (
        "body_too_large"
    )
    assert reason(World(key_set(RS256)).run(config(http=two_places()), shown(token))) == (
        "method_without_body"
    )


def test_two_headers_are_answered_with_400() -> None:
    """JW-17 (RFC 6750, section 2)."""
    exchange = shown(RS256.token())
    assert exchange.request is not None
    exchange.request.headers.add("authorization", f"Bearer {RS256.token()}")
    outcome = World(key_set(RS256)).run(config(), exchange)
    assert isinstance(outcome, Respond)
    assert outcome.status_code == 400
    assert outcome.headers == (("www-authenticate", 'Bearer error="invalid_request"'),)


def test_the_upstream_gets_the_token_unless_the_policy_says_otherwise() -> None:
    """D1-17."""
    for forward, withheld in ((True, frozenset()), (False, frozenset({"authorization"}))):
        exchange = shown(RS256.token())
        World(key_set(RS256)).run(config(forward_token=forward), exchange)
        assert exchange.request is not None
        assert exchange.request.withheld == withheld


def test_keys_may_stand_in_the_policy() -> None:
    jws = {
        "allowed_algorithms": ["ES256"],
        "keys": [{"sources": [{"jwks": [{"keys": [Signer("ES256", ec_key()).jwk]}]}]}],
    }
    asked = config(jws=jws)
    world = World()
    assert reason(world.run(asked, shown(Signer("ES256", ec_key()).token()))) is None
    forged = Signer("ES256", ec_key("P-256", 1)).token()
    assert reason(world.run(asked, shown(forged))) == "signature_invalid"
    assert world.asked == []


def test_a_maximum_age_is_read_as_a_duration() -> None:
    asked = config(max_age="5m")
    assert reason(World(key_set(RS256)).run(asked, shown(RS256.token()))) is None
    old = RS256.token(claims_of(iat=NOON_S - 361))
    assert reason(World(key_set(RS256)).run(asked, shown(old))) == "token_too_old"


def test_what_was_looked_at_is_told_to_who_asks() -> None:
    exchange = shown(RS256.token(claims_of(exp=NOON_S - 3_600)))
    exchange.checks = []
    World(key_set(RS256)).run(config(), exchange)
    told = {check.subject: check.passed for check in exchange.checks}
    assert told == {
        "alg": True, "signature": True, "exp": False, "iat": True, "sub": True, "iss": True,
        "aud": True, "token": False,
    }  # fmt: skip
    details = {check.subject: check.detail for check in exchange.checks}
    assert details["exp"] == "2026-03-01T11:00:00Z, 3600 s ago"
    assert details["aud"] == f"'{AUDIENCE}', accepted: '{AUDIENCE}'"


def test_without_a_request_nothing_happens() -> None:
    exchange = shown()
    exchange.request = None
    assert World().run(config(), exchange) == Continue()


# Loading


def problems(**changes: Any) -> list[tuple[str, str]]:
    rule = {"actions": [{"type": "jwt-validation", "config": settings(**changes)}]}
    text = json.dumps({"on_http_request": [rule]})
    try:
        found = load_policy(text, name="p", language=LANGUAGE).warnings
    except PolicyError as error:
        found = error.problems
    return [(each.severity.value, each.code) for each in found]


URLS: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "https": (URL, []),
    "http to a loopback address": ("http://127.0.0.1:8080/jwks", []),
    "http to ::1": ("http://[::1]/jwks", []),
    "a file": ("file:///etc/keys.json", []),
    "http": ("http://issuer.example.com/jwks", [("error", "key-set-url-invalid")]),
    "http to localhost": ("http://localhost/jwks", [("error", "key-set-url-invalid")]),
    "a relative file": ("file:keys.json", [("error", "key-set-url-invalid")]),
    "a file of another machine": ("file://host/k", [("error", "key-set-url-invalid")]),
    "a user": ("https://u:p@issuer.example.com/", [("error", "key-set-url-invalid")]),
    "a fragment": ("https://issuer.example.com/#x", [("error", "key-set-url-invalid")]),
    "another scheme": ("gopher://issuer.example.com/", [("error", "key-set-url-invalid")]),
    "no host": ("https:///jwks", [("error", "key-set-url-invalid")]),
    "a broken host": ("https://[x/jwks", [("error", "key-set-url-invalid")]),
    "a control character": ("https://i.example.com/\u007f", [("error", "key-set-url-invalid")]),
    "from a request": (
        "${getReqHeader('x')[0]}", [("warning", "key-set-from-request")],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("url", "expected"), URLS.values(), ids=URLS)
def test_where_keys_may_come_from(url: str, expected: list[tuple[str, str]]) -> None:
    """T-SS-2, D1-15."""
    assert problems(jws=with_algorithms("RS256", urls=[url])) == expected


SECOND = {"allow_list": [{"value": ISSUER}, {"value": B}]}
LINTS: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "no audience": ({"audience": ...}, [("warning", "no-audience")]),
    "a set of no issuer": (
        {"issuer": SECOND, "jws": with_algorithms("RS256", urls=["https://cdn.example.com/k"])},
        [("warning", "key-set-of-no-issuer")],
    ),
    "sets that are told apart": (
        {
            "issuer": SECOND,
            "jws": with_algorithms("RS256", urls=[URL, "https://cdn.example.com/k"]),
        },
        [],
    ),
    "an issuer without keys": (
        {"issuer": SECOND},
        [("warning", "issuer-without-keys")],
    ),
    "keys of an issuer that is not listed": (
        {
            "jws": {
                "allowed_algorithms": ["RS256"],
                "keys": {"sources": {"additional_jkus": [URL], "issuers": [ISSUER[:-1]]}},
            }
        },
        [("error", "issuer-not-listed"), ("warning", "issuer-without-keys")],
    ),
    "an issuer from a request": ({"issuer": {"allow_list": [{"value": "${req.host}"}]}}, []),
    "none": ({"jws": with_algorithms("none")}, [("error", "value-not-permitted")]),
    "no algorithm": ({"jws": with_algorithms()}, [("error", "too-few-entries")]),
    "mixed algorithms": (
        {"jws": with_algorithms("RS256", "HS256", urls=["file:///k"])},
        [("warning", "algorithms-mixed")],
    ),
    "no secrets": ({"jws": with_algorithms("HS256")}, [("warning", "no-secret-source")]),
    "no keys": ({"jws": with_algorithms("RS256", urls=[])}, [("error", "no-key-source")]),
    "no prefix": (
        {"http": {"tokens": [{"type": "jwt", "method": "header", "name": "Authorization"}]}},
        [("warning", "prefix-missing")],
    ),
    "a secret in the policy": (
        {
            "jws": {
                "allowed_algorithms": ["RS256"],
                "keys": {"sources": {"jwks": [{"keys": [Signer("HS256", b"s" * 32).jwk]}]}},
            }
        },
        [("error", "key-set-invalid")],
    ),
}


@pytest.mark.parametrize(("changes", "expected"), LINTS.values(), ids=LINTS)
def test_what_is_told_of_a_configuration(
    changes: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert problems(**changes) == expected


def test_lists_and_maps_of_keys_mean_the_same() -> None:
    plain = with_algorithms("RS256")
    listed = {
        "allowed_algorithms": ["RS256"],
        "keys": [
            {
                "sources": [plain["keys"]["sources"]],
                "identification": [{"token_claims": ["kid"]}],
            }
        ],
    }
    assert config(jws=listed).asked is config(jws=plain).asked


def test_fixed_key_sets_are_named_ahead() -> None:
    named = ACTION.documents(config())
    assert [each.url for each in named] == [URL]


def test_the_schema_describes_keys_in_the_policy() -> None:
    schema = json.dumps(Config.model_json_schema())
    assert '"required": ["keys"]' in schema


def test_a_known_token_is_withheld_like_a_new_one() -> None:
    world, token = World(key_set(RS256)), RS256.token()
    asked = config(forward_token=False)
    for _ in range(2):
        exchange = shown(token)
        assert isinstance(world.run(asked, exchange), Continue)
        assert exchange.request is not None
        assert exchange.request.withheld == {"authorization"}


@pytest.mark.sources_only
def test_a_known_token_in_a_body_is_not_verified_again(monkeypatch: pytest.MonkeyPatch) -> None:
    token = RS256.token()
    world = World(key_set(RS256), body=f"token={token}".encode())
    asked = config(http={"tokens": [{"type": "jwt", "method": "body", "name": "token"}]})
    form = [("Content-Type", "application/x-www-form-urlencoded")]

    def posted() -> Exchange:
        return exchanges.exchange(exchanges.request(method="POST", headers=form))

    assert isinstance(world.run(asked, posted()), Continue)
    monkeypatch.setattr("actions.jwt_validation.verification.parse_token", None)
    assert isinstance(world.run(asked, posted()), Continue)


def test_several_owners_of_a_key_set_are_the_policy_s_own_word() -> None:
    jws = with_algorithms("RS256")
    jws["keys"]["sources"]["issuers"] = [ISSUER, B]
    assert problems(issuer=SECOND, jws=jws) == []


def test_metadata_that_names_no_set_of_ours_tells_nothing() -> None:
    asked = config(
        issuer={"allow_list": [{"value": ISSUER}, {"value": B}]},
        jws=with_algorithms("RS256", urls=CDN),
    )
    sets = {CDN[0]: key_set(RS256), CDN[1]: key_set(NEW)}
    sets |= metadata_of(ISSUER, "https://elsewhere.example.com/keys")
    assert outcome_of(asked, sets, RS256.token()) is None
