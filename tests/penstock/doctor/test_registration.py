from __future__ import annotations

import pytest

from penstock.doctor.finding import Verdict
from penstock.doctor.registration import check_logout_uris, check_redirect_uri, redirect_uri
from tests.penstock.doctor.provider import login_of, oauth_policy

CASES = {
    "https://app.example.com": (Verdict.OK, "https://app.example.com/ngrok/oauth2/callback"),
    "http://127.0.0.1:4000": (Verdict.OK, "http://127.0.0.1:4000/ngrok/oauth2/callback"),
    "http://localhost:4000": (Verdict.OK, "http://localhost:4000/ngrok/oauth2/callback"),
    "http://app.example.com": (Verdict.WARNING, "http://app.example.com/ngrok/oauth2/callback"),
    "https://*.example.com": (Verdict.WARNING, "every host"),
    "": (Verdict.UNKNOWN, "https://YOUR-HOST/ngrok/oauth2/callback"),
}


@pytest.mark.parametrize("url", CASES)
def test_the_redirect_uri_is_shown_as_it_is_compared(url: str) -> None:
    found = check_redirect_uri(login_of(oauth_policy(), public_url=url))
    assert (found.verdict, CASES[url][1] in found.detail) == (CASES[url][0], True)


def test_each_of_several_logins_has_its_own() -> None:
    login = login_of(oauth_policy(auth_id="lab"))
    assert redirect_uri(login) == "https://app.example.com/ngrok/oauth2/callback?auth_id=lab"
    logout = check_logout_uris(login, has_end_session=True, has_backchannel=True)
    assert "https://app.example.com/ngrok/logout?auth_id=lab" in logout.detail
    assert "https://app.example.com/ngrok/backchannel-logout?auth_id=lab" in logout.detail
