from __future__ import annotations

from base64 import b64encode
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from actions import basic_auth
from actions.basic_auth import (
    ACTION,
    MALFORMED,
    MISSING,
    WRONG,
    Config,
    Credentials,
    check_literals,
    run,
)
from policy.action import Continue, Respond
from policy.config_types import Pending
from policy.exchange import Exchange
from policy.forwarding import upstream_fields
from policy.problem import Severity

GOOD = ["joe:correct horse", "ann:pass:with:colons", {"username": "zoë", "password": "s3cret-ü"}]


def config(**fields: Any) -> Config:
    return Config.model_validate({"credentials": GOOD} | fields)


def token(shown: str | bytes) -> str:
    octets = shown.encode() if isinstance(shown, str) else shown
    return b64encode(octets).decode()


def send(exchange: Exchange, *values: str) -> None:
    assert exchange.request is not None
    for value in values:
        exchange.request.headers.add("Authorization", value)


@pytest.mark.parametrize(
    ("shown", "username"),
    [("joe:correct horse", "joe"), ("ann:pass:with:colons", "ann"), ("zoë:s3cret-ü", "zoë")],
)
@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_listed_credentials_pass(
    exchange: Exchange, shown: str, username: str, scheme: str
) -> None:
    send(exchange, f"{scheme} {token(shown)}")
    outcome = run(config(), exchange)
    assert isinstance(outcome, Continue)
    assert outcome.result is not None
    assert outcome.result.credentials == Credentials(
        presented=True, username=username, authorized=True
    )


REFUSED: dict[str, tuple[tuple[str, ...], str, bool, str]] = {
    "nothing": ((), MISSING, False, ""),
    "another scheme": (("Bearer abc",), MISSING, False, ""),
    "scheme alone": (("Basic",), MISSING, False, ""),
    "wrong password": ((f"Basic {token('joe:wrong horse')}",), WRONG, True, "joe"),
    "unknown user": ((f"Basic {token('eve:correct horse')}",), WRONG, True, "eve"),
    "empty password": ((f"Basic {token('joe:')}",), WRONG, True, "joe"),
    "empty user": ((f"Basic {token(':correct horse')}",), MALFORMED, True, ""),
    "no colon": ((f"Basic {token('joe')}",), MALFORMED, True, ""),
    "no token": (("Basic  ",), MALFORMED, True, ""),
    "bad base64": (("Basic ?!",), MALFORMED, True, ""),
    "padding missing": (("Basic am9lOg",), MALFORMED, True, ""),
    "space in base64": (("Basic am9lOmNvcnJl Y3QgaG9yc2U=",), MALFORMED, True, ""),
    "not ASCII": (("Basic \udcff",), MALFORMED, True, ""),
    "NUL": ((f"Basic {token(b'joe:a' + bytes(1))}",), MALFORMED, True, ""),
    "DEL": ((f"Basic {token(b'joe:a' + bytes([127]))}",), MALFORMED, True, ""),
    "10 kB": ((f"Basic {token('joe:' + 'a' * 10_000)}",), MALFORMED, True, ""),
    "no UTF-8": ((f"Basic {token(b'zo' + bytes([235]) + b':s3cret-x')}",), WRONG, True, "zo\udceb"),
    "decomposed letter": (
        (f"Basic {token('zoe' + chr(0x308) + ':s3cret-ü')}",), WRONG, True, "zoe\u0308"),
    "right one twice": ((f"Basic {token('joe:correct horse')}",) * 2, MALFORMED, True, ""),
    "right one beside a bearer": (
        ("Bearer x", f"Basic {token('joe:correct horse')}"), MALFORMED, True, ""),
}  # fmt: skip


@pytest.mark.parametrize(
    ("values", "reason", "presented", "username"), REFUSED.values(), ids=REFUSED
)
def test_anything_else_gets_a_challenge(
    exchange: Exchange, *, values: tuple[str, ...], reason: str, presented: bool, username: str
) -> None:
    send(exchange, *values)
    outcome = run(config(), exchange)
    assert isinstance(outcome, Respond)
    assert outcome.status_code == 401
    assert outcome.reason == reason
    assert outcome.headers == (("www-authenticate", 'Basic realm="ngrok"'),)
    assert outcome.body == b""
    assert not outcome.runs_response_phase
    assert outcome.result is not None
    assert outcome.result.credentials == Credentials(
        presented=presented, username=username, authorized=False
    )


def test_the_realm_is_quoted(exchange: Exchange) -> None:
    outcome = run(config(realm='a "b" \\c'), exchange)
    assert isinstance(outcome, Respond)
    assert outcome.headers == (("www-authenticate", 'Basic realm="a \\"b\\" \\\\c"'),)


def test_enforce_false_records_wrong_credentials(exchange: Exchange) -> None:
    send(exchange, "Basic x")
    outcome = run(config(enforce=False), exchange)
    assert isinstance(outcome, Continue)
    assert outcome.result is not None
    assert not outcome.result.credentials.authorized


@pytest.mark.parametrize(("forwarded", "names"), [(False, set()), (True, {"Authorization"})])
def test_credentials_stay_here_unless_configured(
    exchange: Exchange, *, forwarded: bool, names: set[str]
) -> None:
    send(exchange, f"Basic {token('joe:correct horse')}")
    run(config(forward_authorization=forwarded), exchange)
    assert {name for name, _ in upstream_fields(exchange)} & {"Authorization"} == names
    assert exchange.request is not None
    assert "authorization" in exchange.request.headers


@pytest.mark.parametrize("shown", [None, "joe:correct horse", "joe:wrong", "eve:x"])
def test_every_credential_is_compared_whatever_is_shown(
    exchange: Exchange, shown: str | None
) -> None:
    if shown:
        send(exchange, f"Basic {token(shown)}")
    with patch.object(basic_auth, "compare_digest", return_value=False) as compare:
        run(config(), exchange)
    assert compare.call_count == len(GOOD)
    assert all(len(one) == 32 for call in compare.call_args_list for one in call.args)


BROKEN = {
    "no colon": ("secret-password", ["username-empty"]),
    "neither colon nor length": ("secret", ["username-empty"]),
    "no user": (":secret-password", ["username-empty"]),
    "short password": ("joe:7chars.", ["password-length"]),
    "long password": (f"joe:{'a' * 129}", ["password-length"]),
    "control in the user": ("j\toe:secret-password", ["username-invalid"]),
    "control in the password": ("joe:secret\npassword", ["password-invalid"]),
    "colon in the user": (
        {"username": "j:oe", "password": "secret-password"},
        ["username-invalid"],
    ),
    "everything": (
        {"username": ":", "password": "\0"},
        ["username-invalid", "password-length", "password-invalid"],
    ),
}


@pytest.mark.parametrize(("credential", "codes"), BROKEN.values(), ids=BROKEN)
def test_a_broken_credential_is_an_error_at_load_and_never_matches(
    exchange: Exchange, credential: str | dict[str, str], codes: list[str]
) -> None:
    broken = config(credentials=[credential])
    findings = ACTION.lint(broken)
    assert [finding.code for finding in findings] == codes
    assert all(finding.severity is Severity.ERROR for finding in findings)
    assert all(finding.reference for finding in findings)

    shown = credential if isinstance(credential, str) else ":".join(credential.values())
    send(exchange, f"Basic {token(shown)}")
    assert isinstance(run(broken, exchange), Respond)


@pytest.mark.parametrize("length", [8, 128])
def test_the_bounds_of_a_password_belong_to_it(exchange: Exchange, length: int) -> None:
    send(exchange, f"Basic {token('joe:' + 'a' * length)}")
    assert isinstance(run(config(credentials=[f"joe:{'a' * length}"]), exchange), Continue)


def test_a_password_in_clear_text_is_warned_of_without_showing_it() -> None:
    [finding] = ACTION.lint(config(credentials=["joe:correct horse"]))
    assert finding.code == "password-in-clear-text"
    assert finding.severity is Severity.WARNING
    assert "correct horse" not in f"{finding!r}"


def test_a_credential_from_a_template_is_left_to_the_request() -> None:
    pending: list[Any] = [
        Pending("${vars.c}"),
        {"username": "joe", "password": Pending("${vars.p}")},
        {"username": Pending("${vars.u}"), "password": "x"},
    ]
    assert ACTION.lint(config(credentials=pending)) == ()


def test_no_representation_shows_a_password() -> None:
    assert "correct horse" not in repr(config())


@pytest.mark.parametrize(
    ("literals", "fine"),
    [
        (("", ""), True),
        (("joe:", ""), True),
        (("", ":secret-password"), True),
        (("", ":", ""), True),
        (("", "", ""), False),
        (("joe", ""), False),
        (("", "secret"), False),
    ],
)
def test_the_colon_stands_in_the_fixed_text(literals: tuple[str, ...], *, fine: bool) -> None:
    assert (check_literals(literals) is None) == fine


@pytest.mark.parametrize(
    "fields",
    [
        {"credentials": []},
        {"credentials": ["a:12345678"] * 11},
        {"credentials": [12345678]},
        {"credentials": [{"username": "joe"}]},
        {"credentials": [{"username": "joe", "password": 12345678}]},
        {"realm": "é"},
        {"realm": "a\n"},
        {"realm": "a" * 129},
        {"enforce": "yes"},
    ],
)
def test_a_bad_configuration_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config(**fields)


def test_the_schema_describes_both_shapes() -> None:
    schema = Config.model_json_schema()["properties"]["credentials"]
    assert len(schema["items"]["oneOf"]) == 2


def test_without_a_request_there_is_nothing_to_check(exchange: Exchange) -> None:
    exchange.request = None
    assert run(config(), exchange) == Continue()


@given(value=st.text() | st.binary().map(token))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_shown_the_answer_is_a_challenge(exchange: Exchange, value: str) -> None:
    assert exchange.request is not None
    exchange.request.headers.remove("authorization")
    send(exchange, f"Basic {value}")
    outcome = run(config(), exchange)
    assert isinstance(outcome, Respond)
    assert outcome.status_code == 401
