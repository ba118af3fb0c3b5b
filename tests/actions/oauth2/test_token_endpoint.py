"""Token answers: one grant, exactly, or a reason why not (OA-8, D2-13)."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.login.session import Tokens
from actions.oauth2.client_authentication import Client
from actions.oauth2.token_endpoint import (
    Granted,
    NotGranted,
    TokenEndpoint,
    kept_tokens,
    read_answer,
    redeem_code,
    refresh,
)
from policy.effect import Fetch, Fetched, FetchFailed

ENDPOINT = TokenEndpoint(
    url="https://login.example.com/token", client=Client(id="orders", secret="s3cr3t")
)
GOOD = {"access_token": "at-1", "token_type": "bearer"}


def answer(members: Any, status_code: int = 200) -> Fetched:
    body = members if isinstance(members, bytes) else json.dumps(members).encode()
    return Fetched(status_code=status_code, body=body)


def read(**members: Any) -> Granted:
    granted = read_answer(answer({**GOOD, **members}))
    assert isinstance(granted, Granted)
    return granted


def asked(steps: Any) -> Fetch:
    fetch: Fetch = next(steps)
    return fetch


def test_a_code_is_exchanged_with_its_verifier_and_redirect_uri() -> None:
    fetch = asked(redeem_code(ENDPOINT, code="a&b", verifier="v", redirect_uri="https://o/cb"))
    assert (fetch.method, fetch.url) == ("POST", ENDPOINT.url)
    assert dict(parse_qsl(fetch.body.decode(), strict_parsing=True)) == {
        "grant_type": "authorization_code",
        "code": "a&b",
        "redirect_uri": "https://o/cb",
        "code_verifier": "v",
    }
    assert not fetch.is_host_trusted


def test_a_refresh_token_is_exchanged_for_what_it_was_for() -> None:
    fetch = asked(refresh(ENDPOINT, refresh_token="r+1"))
    assert dict(parse_qsl(fetch.body.decode(), strict_parsing=True)) == {
        "grant_type": "refresh_token",
        "refresh_token": "r+1",
    }


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(3600, 3600), (0, 0), (12.5, 12), ("3600", 3600), (None, None)],
)
def test_a_duration_is_a_number_of_seconds(value: object, seconds: int | None) -> None:
    assert read(expires_in=value).expires_in_s == seconds


@pytest.mark.parametrize("value", [-1, True, "", "1h", "-5", 1e300, [3600], "9" * 11, "\u0663"])
def test_what_is_no_duration_is_no_grant(value: object) -> None:
    refused = read_answer(answer({**GOOD, "expires_in": value}))
    assert isinstance(refused, NotGranted)
    assert refused.kind == "senseless"


@pytest.mark.parametrize(
    ("value", "scope"),
    [("a b", "a b"), (["a", "b"], "a b"), (None, ""), (7, ""), (["a", 7], "")],
)
def test_scopes_are_a_text_or_a_list(value: object, scope: str) -> None:
    assert read(scope=value).scope == scope


@pytest.mark.parametrize("value", [None, ""])
def test_an_empty_token_is_none(value: object) -> None:
    granted = read(refresh_token=value, id_token=value)
    assert (granted.refresh_token, granted.id_token) == ("", "")


@pytest.mark.parametrize(
    ("found", "kind", "error", "status"),
    [
        (FetchFailed(reason="not-connected"), "unreachable", "", 503),
        (FetchFailed(reason="timed-out"), "senseless", "", 502),
        (FetchFailed(reason="address-blocked"), "senseless", "", 502),
        (answer({}, 503), "unreachable", "", 503),
        (answer({}, 500), "senseless", "", 502),
        (answer({}, 404), "senseless", "", 502),
        (answer({"error": "invalid_grant"}, 400), "refused", "invalid_grant", 400),
        (answer({"error": "bad_verification_code"}), "refused", "bad_verification_code", 502),
        (answer({"error": "temporarily_unavailable"}, 400), "refused",
         "temporarily_unavailable", 503),
        (answer({"error": "redirect_uri_mismatch"}, 400), "refused", "redirect_uri_mismatch", 502),
        (answer({"error": "Not a code"}, 400), "refused", "", 502),
        (answer({}), "senseless", "", 502),
        (answer({"token_type": "bearer"}), "senseless", "", 502),
    ],
)  # fmt: skip
def test_no_grant_says_of_what_kind(found: Any, kind: str, error: str, status: int) -> None:
    refused = read_answer(found)
    assert isinstance(refused, NotGranted)
    assert (refused.kind, refused.error) == (kind, error)
    assert refused.refused.status_code == status


@pytest.mark.parametrize(
    ("value", "seconds"), [("7", 7), ("0", 1), ("999999999999", 3600), ("soon", 10), (None, 10)]
)
def test_a_provider_may_say_when_to_come_again(value: str | None, seconds: int) -> None:
    headers = () if value is None else (("retry-after", value),)
    refused = read_answer(Fetched(status_code=429, headers=headers))
    assert isinstance(refused, NotGranted)
    assert refused.refused.retry_after_s == seconds


def test_secrets_that_a_provider_repeats_are_left_out() -> None:
    members = {"error": "invalid_grant", "error_description": "no short-1 known to s3cr3t"}
    refused = read_answer(answer(members, 400), secrets=("short-1", "s3cr3t", ""))
    assert isinstance(refused, NotGranted)
    expected = "the token endpoint: invalid_grant: no [...] known to [...]"
    assert refused.refused.detail == expected


def test_what_an_answer_leaves_out_stays() -> None:
    before = Tokens(access_token="a", refresh_token="r", id_token="i", expires_ns=5)
    kept = kept_tokens(Granted(access_token="b"), now_ns=0, before=before)
    assert kept == Tokens(access_token="b", refresh_token="r", id_token="i")
    new = Granted(access_token="b", refresh_token="s", id_token="j", expires_in_s=2)
    assert kept_tokens(new, now_ns=7, before=before) == Tokens(
        access_token="b", refresh_token="s", id_token="j", expires_ns=2_000_000_007
    )


def test_nothing_that_holds_tokens_shows_them() -> None:
    assert "at-1" not in repr(read())
    assert "s3cr3t" not in repr(ENDPOINT)


@given(st.binary(max_size=300), st.integers(100, 599))
def test_bytes_are_a_grant_or_not(body: bytes, status_code: int) -> None:
    assert isinstance(read_answer(Fetched(status_code=status_code, body=body)), NotGranted)


MEMBERS = st.fixed_dictionaries(
    {"access_token": st.just("a") | st.text(), "token_type": st.just("Bearer") | st.text()},
    optional={
        name: st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
        for name in ("expires_in", "refresh_token", "id_token", "scope", "error")
    },
)


@given(MEMBERS)
def test_members_of_any_kind_are_a_grant_or_not(members: dict[str, Any]) -> None:
    granted = read_answer(answer(members))
    if isinstance(granted, Granted):
        assert granted.access_token.isascii()
        assert granted.access_token.isprintable()
        assert " " not in granted.access_token
        assert "error" not in members
