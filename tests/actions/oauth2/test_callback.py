"""What a browser brings back: a code of this provider's, or a reason (RFC 9207)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.login.protocol import LoginRefused
from actions.oauth2.callback import code_of

ISSUER = "https://login.example.com"
BACK = {"code": "code-1", "state": "state"}


@pytest.mark.parametrize(
    ("parameters", "announces_issuer"),
    [(BACK, False), ({**BACK, "iss": ISSUER}, False), ({**BACK, "iss": ISSUER}, True)],
)
def test_a_code_of_the_provider_s_own(
    parameters: dict[str, str], *, announces_issuer: bool
) -> None:
    found = code_of(parameters, issuer=ISSUER, announces_issuer=announces_issuer)
    assert found == "code-1"


def test_a_provider_without_issuer_may_name_one() -> None:
    assert code_of({**BACK, "iss": "https://github.com/login/oauth"}) == "code-1"


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        ("access_denied", 403, "login-denied"),
        ("login_required", 403, "interaction-required"),
        ("consent_required", 403, "interaction-required"),
        ("invalid_scope", 502, "scope-refused"),
        ("unauthorized_client", 502, "client-refused"),
        ("redirect_uri_mismatch", 502, "redirect-uri-refused"),
        ("server_error", 502, "provider-error"),
        ("temporarily_unavailable", 503, "provider-unavailable"),
        ("<script>alert(1)</script>", 502, "provider-error"),
        ("", 502, "provider-error"),
    ],
)
def test_an_error_says_what_it_means(error: str, status: int, reason: str) -> None:
    refused = code_of({"error": error, "state": "state"}, issuer=ISSUER, announces_issuer=True)
    assert isinstance(refused, LoginRefused)
    assert (refused.status_code, refused.reason) == (status, reason)
    assert "script" not in refused.detail


def test_a_description_is_shown_without_secrets() -> None:
    parameters = {**BACK, "error": "access_denied", "error_description": "code-1\r\nis no good"}
    refused = code_of(parameters)
    assert isinstance(refused, LoginRefused)
    assert refused.detail == "the provider: access_denied: [...] is no good"


@given(st.dictionaries(st.sampled_from(["code", "iss", "error", "error_description"]), st.text()))
def test_parameters_are_a_code_or_refused(parameters: dict[str, str]) -> None:
    found = code_of(parameters, issuer=ISSUER)
    if isinstance(found, str):
        assert found == parameters["code"]
        assert found.isascii()
    else:
        assert found.detail.isprintable()
