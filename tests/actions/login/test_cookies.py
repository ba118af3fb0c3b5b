"""The names, attributes and values of a login's cookies."""

from __future__ import annotations

import pytest

from actions.login.cookie_names import NONCE, SESSION
from actions.login.cookies import (
    MAX_CANDIDATES,
    cookie_name,
    drop_cookie,
    new_secret,
    own_cookies,
    set_cookie,
    shown_secrets,
)
from actions.login.settings import LoginSettings
from tests import exchanges

PLAIN = LoginSettings()
NAMED = LoginSettings(auth_id="b")
SHARED = LoginSettings.model_validate({"auth_cookie_domain": "example.com"})


@pytest.mark.parametrize(
    ("config", "purpose", "is_https", "expected"),
    [
        (PLAIN, SESSION, True, "__Host-ngrok.default.session"),
        (PLAIN, SESSION, False, "ngrok.default.session"),
        (NAMED, NONCE, True, "__Host-ngrok.b.nonce"),
        (SHARED, SESSION, True, "__Secure-ngrok.default.session"),
        (SHARED, NONCE, True, "__Host-ngrok.default.nonce"),
        (SHARED, SESSION, False, "ngrok.default.session"),
    ],
)
def test_names_say_what_a_cookie_is_bound_to(
    config: LoginSettings,
    purpose: str,
    is_https: bool,  # noqa: FBT001
    expected: str,
) -> None:
    assert cookie_name(config, purpose, is_https=is_https) == expected
    assert expected in own_cookies(config)


def test_t_ck_1_attributes() -> None:
    _, line = set_cookie(PLAIN, SESSION, "v", is_https=True, max_age_s=60)
    assert line == (
        "__Host-ngrok.default.session=v; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Lax"
    )
    _, shared = set_cookie(SHARED, SESSION, "v", is_https=True, max_age_s=60)
    assert "; Domain=example.com;" in shared
    _, own = set_cookie(SHARED, NONCE, "v", is_https=True, max_age_s=60)
    assert "Domain" not in own
    assert "Max-Age=0" in drop_cookie(PLAIN, SESSION, is_https=True)[1]


@pytest.mark.parametrize("is_https", [True, False])
def test_t_ck_1_a_cookie_that_crosses_sites_is_secure_in_any_case(*, is_https: bool) -> None:
    _, line = set_cookie(PLAIN, NONCE, "v", is_https=is_https, max_age_s=60, crosses_sites=True)
    assert line.endswith("; HttpOnly; Secure; SameSite=None")
    assert line.startswith("__Host-") == is_https


def shown(*values: str) -> tuple[str, ...]:
    exchange = exchanges.exchange()
    exchange.own_cookies = {"__Host-ngrok.default.session": values}
    return shown_secrets(exchange, PLAIN, SESSION, is_https=True)


def test_oa_10_values_that_are_no_secrets_of_ours_are_not_looked_at() -> None:
    good = "a" * 43
    assert shown(good, good, "", "x", "a" * 44, "a" * 42 + "=", "a" * 42 + "\n") == (good,)
    assert shown() == ()
    assert shown_secrets(exchanges.exchange(), PLAIN, SESSION, is_https=True) == ()


def test_oa_11_a_flood_of_values_is_no_session() -> None:
    many = [f"{number:043d}" for number in range(MAX_CANDIDATES + 1)]
    assert shown(*many[:-1]) == tuple(many[:-1])
    assert shown(*many) == ()


def test_secrets_have_256_bits() -> None:
    asked: list[int] = []

    def random_bytes(count: int) -> bytes:
        asked.append(count)
        return bytes(count)

    exchange = exchanges.exchange()
    exchange.surroundings = exchanges.surroundings(random_bytes=random_bytes)
    assert len(new_secret(exchange)) == 43
    assert asked == [32]
