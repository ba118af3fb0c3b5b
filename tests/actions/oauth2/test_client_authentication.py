"""A client proves who it is, whatever its id and secret are made of (RFC 6749, section 2.3.1)."""

from __future__ import annotations

from base64 import b64decode
from urllib.parse import parse_qsl

import pytest

from actions.oauth2.client_authentication import BASIC, POST, Client, authenticated

URL = "https://login.example.com/token"


@pytest.mark.parametrize(
    ("name", "secret", "sent"),
    [
        ("orders", "secret", "orders:secret"),
        ("a:b", "c:d", "a%3Ab:c%3Ad"),
        ("a b", "c%d+e&f", "a+b:c%25d%2Be%26f"),
    ],
)
def test_basic_is_encoded_like_a_form_first(name: str, secret: str, sent: str) -> None:
    fields, body = authenticated(Client(id=name, secret=secret, method=BASIC), URL, "a=1")
    kind, _, encoded = dict(fields)["Authorization"].partition(" ")
    assert (kind, b64decode(encoded).decode()) == ("Basic", sent)
    assert body == b"a=1"


def test_a_posted_secret_stands_in_the_form_only() -> None:
    fields, body = authenticated(Client(id="a b", secret="c&d", method=POST), URL, "a=1")
    assert "Authorization" not in dict(fields)
    assert parse_qsl(body.decode()) == [("a", "1"), ("client_id", "a b"), ("client_secret", "c&d")]


@pytest.mark.parametrize("method", [BASIC, POST])
def test_answers_are_asked_for_in_json(method: str) -> None:
    fields, _ = authenticated(Client(id="a", secret="b", method=method), URL, "a=1")  # type: ignore[arg-type]  # one of two
    assert dict(fields)["Accept"] == "application/json"
    assert dict(fields)["Content-Type"] == "application/x-www-form-urlencoded"


def test_a_client_does_not_show_its_secret() -> None:
    assert "s3cr3t" not in repr(Client(id="a", secret="s3cr3t"))
