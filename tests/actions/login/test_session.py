"""Records as a file or a server keeps them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.login.session import (
    IDENTITIES,
    PENDING_LOGINS,
    SESSIONS,
    Browser,
    Identity,
    PendingLogin,
    Person,
    Session,
    Tokens,
    digest,
)
from policy.store import BadRecord, Kind

PERSON = Person(subject="a", email="a@example.com", claims={"groups": ["staff"], "n": 1})
SESSION = Session(
    id="as_1",
    scope="s",
    auth_id="default",
    endpoint_id="ep_1",
    public_url="https://orders.example.com",
    provider_name="p",
    provider_url="https://p.example",
    identity_id="au_1",
    person=PERSON,
    tokens=Tokens(access_token="secret-a", refresh_token="secret-r", expires_ns=5),
    browser=Browser(user_agent="Mozilla \udcff", ip_address="203.0.113.7"),
    agreed="v1",
    created_ns=1,
    last_active_ns=2,
    refreshed_ns=3,
    ends_ns=4,
    details={"auth_time": 5, "nested": {"a": [1, None, True]}},
)
IDENTITY = Identity(
    id="au_1",
    provider_name="p",
    provider_url="https://p.example",
    person=PERSON,
    created_ns=1,
    last_active_ns=2,
    last_login_ns=3,
)
PENDING = PendingLogin(
    scope="s",
    auth_id="default",
    endpoint_id="ep_1",
    browser="b",
    target="/a?b=c",
    redirect_uri="https://orders.example.com/ngrok/oauth2/callback",
    started_ns=1,
    nonce_digest="n",
    verifier="secret-v",
)
RECORDS: dict[str, tuple[Kind[Any], Any]] = {
    "session": (SESSIONS, SESSION),
    "identity": (IDENTITIES, IDENTITY),
    "login": (PENDING_LOGINS, PENDING),
}


@pytest.mark.parametrize(("kind", "record"), RECORDS.values(), ids=RECORDS)
def test_what_is_written_is_read_again(kind: Kind[Any], record: Any) -> None:
    assert kind.decode(kind.encode(record)) == record


@pytest.mark.parametrize(("kind", "record"), RECORDS.values(), ids=RECORDS)
def test_t_up_1_another_format_is_refused_and_not_guessed(kind: Kind[Any], record: Any) -> None:
    content = json.loads(kind.encode(record))
    others: list[Any] = [
        {**content, "format": 2},
        {"record": content["record"]},
        {**content, "record": {**content["record"], "id": 5, "target": 5}},
        {**content, "record": {}},
        [],
    ]
    for changed in others:
        with pytest.raises(BadRecord):
            kind.decode(json.dumps(changed).encode())


@given(st.binary(max_size=200))
def test_any_bytes_are_a_record_or_refused(data: bytes) -> None:
    with pytest.raises(BadRecord):
        SESSIONS.decode(data)


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(BadRecord):
        SESSIONS.decode(b"[" * 100_000)


def test_p8_no_representation_shows_a_token() -> None:
    assert "secret" not in repr(SESSION)
    assert "secret" not in repr(PENDING)


def test_a_digest_does_not_lead_back() -> None:
    assert digest("a") != digest("b")
    assert "a" * 43 not in digest("a" * 43)
    assert replace(SESSION, person=PERSON) == SESSION
