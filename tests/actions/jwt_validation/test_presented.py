from __future__ import annotations

import json
from typing import Any

import pytest

from actions.jwt_validation.presented import (
    TokenPlace,
    body_fields,
    has_body,
    token_in_body,
    token_in_header,
)
from actions.jwt_validation.refusals import Refused
from policy.fields import Fields
from tests import exchanges


def place(name: str = "authorization", prefix: str = "Bearer ") -> TokenPlace:
    return TokenPlace(
        kind="jwt", location="x", in_header=True, name=name, prefix=prefix,
        written_name=name, checks=(), fingerprint=b"",
    )  # fmt: skip


def outcome(found: object) -> object:
    return found.reason if isinstance(found, Refused) else found


HEADERS: dict[str, tuple[list[str], str, object]] = {
    "a token": (["Bearer a.b.c"], "Bearer ", "a.b.c"),
    "scheme in small letters": (["bearer a.b.c"], "Bearer ", "a.b.c"),
    "more spaces": (["Bearer   a.b.c"], "Bearer ", "a.b.c"),
    "no prefix wanted": (["a.b.c"], "", "a.b.c"),
    "nothing": ([], "Bearer ", "header_missing"),
    "another scheme": (["Basic a.b.c"], "Bearer ", "prefix_missing"),
    "scheme alone": (["Bearer"], "Bearer ", "prefix_missing"),
    "two fields": (["Bearer a.b.c", "Bearer a.b.c"], "Bearer ", "token_repeated"),
}


@pytest.mark.parametrize(("values", "prefix", "expected"), HEADERS.values(), ids=HEADERS)
def test_a_token_in_a_header(values: list[str], prefix: str, expected: object) -> None:
    fields = Fields([("Authorization", value) for value in values])
    assert outcome(token_in_header(place(prefix=prefix), fields)) == expected


JSON, FORM = "application/json; charset=utf-8", "application/x-www-form-urlencoded"
BODIES: dict[str, tuple[str, bytes | None, object]] = {
    "JSON": (JSON, b'{"Token": "t:a.b.c"}', "a.b.c"),
    "a form": (FORM, b"x=1&TOKEN=t%3Aa.b.c", "a.b.c"),
    "not in JSON": (JSON, b"{}", "token_missing"),
    "not in the form": (FORM, b"x=1", "token_missing"),
    "an empty form": (FORM, b"", "token_missing"),
    "a number": (JSON, b'{"token": 7}', "token_missing"),
    "no prefix": (JSON, b'{"token": "a.b.c"}', "prefix_missing"),
    "prefix in another case": (JSON, b'{"token": "T:a.b.c"}', "prefix_missing"),
    "twice in the form": (FORM, b"token=t:a&token=t:b", "token_repeated"),
    "in two spellings": (JSON, b'{"token": "t:a", "TOKEN": "t:b"}', "token_repeated"),
    "a member twice": (JSON, b'{"token": "t:a", "token": "t:b"}', "body_not_json"),
    "broken JSON": (JSON, b"{", "body_not_json"),
    "a JSON list": (JSON, b"[]", "body_not_json"),
    "too deep": (JSON, json.dumps({"a": 1}).encode()[:-1] + b',"b":' + b"[" * 99, "body_not_json"),
    "a broken form": (FORM, b"token", "body_not_form"),
    "a form that is not ASCII": (FORM, b"token=\xff", "body_not_form"),
    "a form that is not UTF-8": (FORM, b"token=%ff", "body_not_form"),
    "too many fields": (FORM, b"&".join([b"a=1"] * 1_001), "body_not_form"),
    "another type": ("text/plain", b"token=t:a", "content_type_unsupported"),
    "no type": ("", b"token=t:a", "content_type_unsupported"),
    "too large": (JSON, None, "body_too_large"),
}


@pytest.mark.parametrize(("kind", "body", "expected"), BODIES.values(), ids=BODIES)
def test_a_token_in_a_body(kind: str, body: bytes | None, expected: object) -> None:
    headers = [("Content-Type", kind)] if kind else []
    fields = body_fields(exchanges.request(headers=headers), body)
    found: Any = fields
    if not isinstance(fields, Refused):
        found = token_in_body(place("token", "t:"), fields)
    assert outcome(found) == expected


@pytest.mark.parametrize(
    ("method", "expected"),
    [("POST", None), ("PUT", None), ("PATCH", None), ("GET", "method_without_body")],
)
def test_which_methods_have_a_body(method: str, expected: object) -> None:
    assert outcome(has_body(exchanges.request(method=method))) == expected
