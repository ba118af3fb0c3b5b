from __future__ import annotations

from typing import Any

import pytest

from penstock.doctor.credentials import check_credentials
from penstock.doctor.finding import Verdict
from tests.penstock.doctor.provider import CLIENT_ID, SECRET, login_of, oauth_policy, surroundings

FAULTS = {
    "a space behind": (f"{SECRET} ", "space"),
    "a space inside": ("a secret of 20 chars", "space"),
    "quotes": (f"'{SECRET}'", "quotes"),
    "your-client-secret": ("your-client-secret", "placeholder"),
    "YOUR_CLIENT_SECRET": ("YOUR_CLIENT_SECRET", "placeholder"),
    "<client secret>": ("<secret>", "placeholder"),
    "changeme": ("changeme", "placeholder"),
    "xxxxxxxx": ("xxxxxxxx", "placeholder"),
    "a variable": ("$CLIENT_SECRET", "placeholder"),
    "dots": ("...", "placeholder"),
}


@pytest.mark.parametrize("case", FAULTS)
@pytest.mark.parametrize("field", ["client_id", "client_secret"])
def test_what_can_not_be_a_credential_is_told(case: str, field: str) -> None:
    value, fault = FAULTS[case]
    found = check_credentials(login_of(oauth_policy(**{field: value})))
    assert found.verdict is Verdict.FAILED
    assert field in found.detail
    assert fault in found.detail
    assert value.strip() not in found.detail


def test_the_same_twice_is_one_too_few() -> None:
    found = check_credentials(login_of(oauth_policy(client_id=SECRET)))
    assert (found.verdict, "the same" in found.detail) == (Verdict.FAILED, True)


def test_a_short_secret_is_doubtful() -> None:
    assert check_credentials(login_of(oauth_policy(client_secret="Zk3"))).verdict is Verdict.WARNING


TEMPLATE: dict[str, Any] = {"client_secret": "${secrets.get('main', 'gitlab')}"}


def test_a_secret_of_a_vault_is_looked_at() -> None:
    given = surroundings(main_gitlab=SECRET)
    login = login_of(oauth_policy(**TEMPLATE), given)
    assert login.client_secret == SECRET
    assert check_credentials(login).verdict is Verdict.OK
    spoilt = surroundings(main_gitlab="changeme")
    assert check_credentials(login_of(oauth_policy(**TEMPLATE), spoilt)).verdict is Verdict.FAILED


def test_a_secret_that_no_vault_has_is_told() -> None:
    for given in (None, surroundings()):
        login = login_of(oauth_policy(**TEMPLATE), given)
        found = check_credentials(login)
        assert found.verdict is Verdict.FAILED
        assert "'client_secret'" in found.detail
        assert "--config" in found.remedy
        assert (login.client_id, login.client_secret) == (CLIENT_ID, None)


def test_a_login_shows_no_secret() -> None:
    assert SECRET not in repr(login_of(oauth_policy()))
