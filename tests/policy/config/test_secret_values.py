"""No message shows what a configuration class calls secret, whatever is wrong beside it."""

from __future__ import annotations

import re
from typing import Annotated

import pytest
from pydantic import Field

from actions import ACTIONS, LANGUAGE
from policy.action import ActionConfig
from policy.config.secret_values import _mark_of, hide_secrets
from policy.config.shape import ModelShape, model_shape
from policy.config_types import Secret
from policy.load import load_policy
from policy.problem import PolicyError
from policy.source import Mapping, Scalar, parse_source

SECRET_NAME = re.compile(r"secret|password|private_key|credentials")

# The marker stands for a secret: it is in no message about any of these.
DOCUMENTS = {
    "list in place of a text": "credentials: [[PLANTED, PLANTED]]",
    "number": "credentials: [{username: bob, password: 777777777}]",
    "number in place of a pair": "credentials: [777777777]",
    "no colon": "credentials: [PLANTED]",
    "later lines": "credentials:\n  - |\n    alice:x\n    PLANTED ${oops}",
    "folded": "credentials:\n  - username: bob\n    password: >-\n      PLANTED\n      ${oops}",
    "continued": "credentials:\n  - username: bob\n    password: 1\n\n      PLANTED",
    "misspelt key": "credentails: [alice:PLANTED]",
    "one line": "{credentials: ['alice:PLANTED${oops}'], typo: 1}",
    "wrong elsewhere in its line": "{typo: 1, credentials: 'PLANTED'}",
    "double key": "{credentials: ['alice:PLANTED'], realm: a, realm: b}",
    "escapes": 'credentials: ["alice:\\x41PLANTED ${oops}"]',
    "block beside a text": "credentials: [alice:PLANTED]\nrealm: [1]",
}
CLIENT_SECRETS = {
    "list": "client_secret: [PLANTED, PLANTED]",
    "continued": "client_secret: a\n  PLANTED",
    "misspelt": "client_secrt: PLANTED",
    "old spelling": "clientSecret: |\n  PLANTED",
    "number": "client_secret: 777777777",
}
TEMPLATE = "on_http_request:\n  - actions:\n      - type: {name}\n        config:\n{config}\n"


def messages(name: str, config: str) -> str:
    indented = "\n".join(f"          {line}" for line in config.split("\n"))
    text = TEMPLATE.format(name=name, config=indented)
    try:
        policy = load_policy(text, name="policy.yml", language=LANGUAGE)
    except PolicyError as error:
        return str(error)
    return "\n".join(str(warning) for warning in policy.warnings)


@pytest.mark.parametrize("config", DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_password_is_in_no_message(config: str) -> None:
    said = messages("basic-auth", config)
    assert "policy.yml:" in said
    assert "PLANTED" not in said
    assert "7777" not in said


@pytest.mark.parametrize("config", CLIENT_SECRETS.values(), ids=CLIENT_SECRETS)
@pytest.mark.parametrize("name", ["oauth", "openid-connect"])
def test_a_client_secret_is_in_no_message(name: str, config: str) -> None:
    said = messages(name, config)
    assert "PLANTED" not in said
    assert "7777" not in said


def test_what_an_author_has_to_see_is_shown() -> None:
    said = messages("basic-auth", "credentials:\n  - |\n    alice:x\n    PLANTED ${oops}")
    assert "******* ${oops}" in said


def test_secrets_in_a_policy_within_another_document_are_hidden_there() -> None:
    outer = parse_source('a: "{credentials: [alice:PLANTED], x: 1}"', name="outer.yml")
    assert isinstance(outer, Mapping)
    text = outer.entries[0][1]
    assert isinstance(text, Scalar)
    inner = parse_source(text.text, name="inner")
    assert isinstance(inner, Mapping)
    config: type[ActionConfig] = ACTIONS["basic-auth"].config
    hide_secrets(inner, model_shape(config))
    assert "PLANTED" not in inner.place().source_line


class Inner(ActionConfig):
    key: Annotated[str, Secret()] = ""
    shown: str = ""


class Nested(ActionConfig):
    one: Inner | None = None
    many: list[Inner] = Field(default_factory=list)
    named: dict[str, Inner] = Field(default_factory=dict)
    either: Inner | int = 0


def test_secrets_are_found_at_any_depth() -> None:
    text = (
        "{one: {key: aa1, shown: bb}, many: [{key: aa2}], named: {x: {key: aa3}},"
        " either: {key: aa4}, other: cc}"
    )
    root = parse_source(text, name="x")
    assert isinstance(root, Mapping)
    hide_secrets(root, model_shape(Nested))
    assert root.place().source_line == re.sub("aa[0-9]", "***", text)


def secret_fields(shape: ModelShape) -> dict[str, bool]:
    return {field.key: _mark_of(field) is not None for field in shape.fields}


def test_every_field_that_sounds_secret_is_marked() -> None:
    for action in ACTIONS.values():
        config: type[ActionConfig] = action.config
        for key, is_marked in secret_fields(model_shape(config)).items():
            assert is_marked or not SECRET_NAME.search(key), (action.name, key)
