"""A provider's metadata: what is believed of them, and what makes them worth nothing (OA-5)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.openid_connect.metadata import Metadata, MetadataReader, metadata_request
from policy.effect import BadDocument
from tests.openid_provider import ISSUER, Provider

LOCAL = "http://127.0.0.1:9000"


def read(issuer: str = ISSUER, /, **changes: Any) -> Metadata:
    provider = Provider(issuer=issuer, changes={"metadata": changes})
    return MetadataReader(issuer)(json.dumps(provider.metadata()).encode())


def test_metadata_in_order_are_a_provider() -> None:
    metadata = read()
    assert metadata.issuer == ISSUER
    assert metadata.token.url == f"{ISSUER}/token"
    assert metadata.keys.url == f"{ISSUER}/jwks"
    assert metadata.userinfo is not None
    assert metadata.pushed_authorization is None
    assert metadata.client_authentication == "client_secret_basic"
    assert metadata.announces_issuer
    assert metadata.has_pkce


def test_the_least_that_metadata_have_to_say() -> None:
    optional = (
        "userinfo_endpoint", "end_session_endpoint", "code_challenge_methods_supported",
        "authorization_response_iss_parameter_supported", "response_types_supported",
        "id_token_signing_alg_values_supported",
    )  # fmt: skip
    unset: dict[str, Any] = dict.fromkeys(optional, ...)
    metadata = read(**unset)
    assert (metadata.userinfo, metadata.end_session_url) == (None, "")
    assert not metadata.announces_issuer
    assert metadata.has_pkce


@pytest.mark.parametrize(
    ("issuer", "url"),
    [
        (ISSUER, f"{ISSUER}/.well-known/openid-configuration"),
        (f"{ISSUER}/", f"{ISSUER}/.well-known/openid-configuration"),
        (f"{ISSUER}/realms/a", f"{ISSUER}/realms/a/.well-known/openid-configuration"),
    ],
)
def test_metadata_are_below_the_issuer(issuer: str, url: str) -> None:
    request = metadata_request(issuer)
    assert (request.url, request.is_host_trusted) == (url, False)
    assert request == metadata_request(issuer)
    assert request != metadata_request(f"{issuer}x")


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "another issuer": ({"issuer": "https://evil.example"}, "issuer-mismatch"),
    "the issuer with a slash": ({"issuer": f"{ISSUER}/"}, "issuer-mismatch"),
    "the issuer in other case": ({"issuer": ISSUER.upper()}, "issuer-mismatch"),
    "no issuer": ({"issuer": ...}, "issuer-mismatch"),
    "the issuer in a list": ({"issuer": [ISSUER]}, "issuer-mismatch"),
    "no token endpoint": ({"token_endpoint": ...}, "endpoint-missing"),
    "no authorization endpoint": ({"authorization_endpoint": ...}, "endpoint-missing"),
    "no keys": ({"jwks_uri": None}, "endpoint-missing"),
    "a token endpoint over http": (
        {"token_endpoint": "http://login.example.com/token"}, "endpoint-invalid",
    ),
    "keys over http": ({"jwks_uri": "http://login.example.com/jwks"}, "endpoint-invalid"),
    "userinfo over http": (
        {"userinfo_endpoint": "http://login.example.com/u"}, "endpoint-invalid",
    ),
    "a logout over http": (
        {"end_session_endpoint": "http://login.example.com/l"}, "endpoint-invalid",
    ),
    "a script": ({"authorization_endpoint": "javascript:alert(1)"}, "endpoint-invalid"),
    "a file": ({"jwks_uri": "file:///etc/passwd"}, "endpoint-invalid"),
    "a path": ({"token_endpoint": "/token"}, "endpoint-invalid"),
    "this machine, over http": (
        {"token_endpoint": "http://127.0.0.1/token"}, "endpoint-invalid",
    ),
    "this machine": ({"jwks_uri": "https://127.0.0.1/jwks"}, "endpoint-invalid"),
    "this machine, by IPv6": ({"jwks_uri": "https://[::1]/jwks"}, "endpoint-invalid"),
    "a user in it": (
        {"token_endpoint": "https://login.example.com@evil.example/"}, "endpoint-invalid",
    ),
    "a fragment": ({"authorization_endpoint": f"{ISSUER}/a#b"}, "endpoint-invalid"),
    "a line break": ({"token_endpoint": f"{ISSUER}/a\r\nX: 1"}, "endpoint-invalid"),
    "a backslash": ({"token_endpoint": "https://evil.example\\@login"}, "endpoint-invalid"),
    "another script's host": (
        {"token_endpoint": "https://l\u043egin.example.com/"}, "endpoint-invalid",
    ),
    "a port that is none": ({"token_endpoint": "https://login.example.com:x/"}, "endpoint-invalid"),
    "an endless one": ({"token_endpoint": f"{ISSUER}/{'a' * 3000}"}, "endpoint-invalid"),
    "a number": ({"token_endpoint": 7}, "endpoint-invalid"),
    "our state in it": (
        {"authorization_endpoint": f"{ISSUER}/a?state=theirs"}, "endpoint-invalid",
    ),
    "another redirect URI in it": (
        {"authorization_endpoint": f"{ISSUER}/a?redirect%5Furi=https://evil.example"},
        "endpoint-invalid",
    ),
    "no code flow": ({"response_types_supported": ["id_token"]}, "no-code-flow"),
    "response types that are none": ({"response_types_supported": "code"}, "no-code-flow"),
    "clients without a secret only": (
        {"token_endpoint_auth_methods_supported": ["private_key_jwt", "none"]},
        "no-client-authentication",
    ),
    "pushing required but nowhere": (
        {"require_pushed_authorization_requests": True}, "endpoint-missing",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_metadata_that_are_worth_nothing(case: Any) -> None:
    changes, reason = case
    with pytest.raises(BadDocument) as raised:
        read(**changes)
    assert raised.value.reason == reason


@pytest.mark.parametrize(
    "data", [b"", b"<html>", b"[]", b'{"issuer":"a","issuer":"b"}', b"\xff", b"[" * 5000]
)
def test_what_is_no_object_is_no_metadata(data: bytes) -> None:
    with pytest.raises(BadDocument) as raised:
        MetadataReader(ISSUER)(data)
    assert raised.value.reason == "no-metadata"


@pytest.mark.parametrize(
    ("issuer", "url", "is_trusted"),
    [
        (ISSUER, f"{ISSUER}/token", True),
        (ISSUER, "https://LOGIN.example.com:8443/token", True),
        (ISSUER, "https://tokens.example.com/token", False),
        (ISSUER, "https://login.example.com.evil.example/token", False),
        (ISSUER, "https://10.0.0.5/token", False),
        (LOCAL, f"{LOCAL}/token", True),
        (LOCAL, "http://127.0.0.1:9001/token", True),
        (LOCAL, "http://[::1]:9001/token", True),
        (LOCAL, "https://tokens.example.com/token", False),
    ],
)
def test_private_addresses_are_for_the_issuer_s_own_host(
    issuer: str, url: str, *, is_trusted: bool
) -> None:
    assert read(issuer, token_endpoint=url).token.is_host_trusted is is_trusted


@pytest.mark.parametrize(
    ("offered", "method"),
    [
        (["client_secret_post", "client_secret_basic"], "client_secret_basic"),
        (["client_secret_post"], "client_secret_post"),
    ],
)
def test_the_client_proves_itself_as_the_provider_wants(offered: list[str], method: str) -> None:
    assert read(token_endpoint_auth_methods_supported=offered).client_authentication == method


@pytest.mark.parametrize("value", [..., False, "true", 1, None])
def test_only_true_announces_the_issuer(value: object) -> None:
    assert not read(authorization_response_iss_parameter_supported=value).announces_issuer


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(st.binary(max_size=200))
def test_bytes_are_metadata_or_refused(data: bytes) -> None:
    with pytest.raises(BadDocument):
        MetadataReader(ISSUER)(data)


@given(st.sampled_from(sorted(Provider().metadata())), JSON)
def test_a_member_of_any_kind_is_read_or_refused(name: str, value: Any) -> None:
    try:
        read(**{name: value})
    except BadDocument as error:
        assert error.reason
