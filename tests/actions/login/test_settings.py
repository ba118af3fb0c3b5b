"""What logins are configured with."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from actions.login.settings import LoginSettings


@pytest.mark.parametrize("text", ["a", "A-b_9", "x" * 64])
def test_names_of_logins(text: str) -> None:
    assert LoginSettings(auth_id=text).login_name == text


@pytest.mark.parametrize("text", ["", "a b", "a.b", "a;b", "ä", "x" * 65, "a\n"])
def test_names_that_would_break_a_cookie_are_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        LoginSettings(auth_id=text)


@pytest.mark.parametrize(
    ("text", "expected"), [("example.com", "example.com"), (".Example.com", "example.com")]
)
def test_cookie_domains(text: str, expected: str) -> None:
    assert LoginSettings(auth_cookie_domain=text).auth_cookie_domain == expected


@pytest.mark.parametrize(
    "text",
    ["com", "", "example..com", "exa mple.com", "10.0.0.1", "bücher.example", "a.com;x", "*.a.com"],
)
def test_2243_what_no_cookie_can_be_for_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        LoginSettings(auth_cookie_domain=text)


def test_both_names_of_the_idle_timeout_are_the_same() -> None:
    minute = 60 * 10**9
    assert LoginSettings.model_validate({"idle_session_timeout": "1m"}).idle_ns == minute
    assert LoginSettings.model_validate({"idle_session_duration": "1m"}).idle_ns == minute
    assert LoginSettings().idle_ns is None


@pytest.mark.parametrize(
    "changes",
    [
        {"max_session_duration": "10s"},
        {"idle_session_timeout": "1s"},
        {"userinfo_refresh_interval": "59s"},
        {"unauthenticated": "never"},
    ],
)
def test_what_makes_no_sense_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        LoginSettings.model_validate(changes)
