from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from actions.saml.names import MD, NAMEID_FORMATS
from actions.saml.settings import Config, certificate_octets, lint
from policy.config_types import Pending
from policy.problem import Severity
from tests.actions.saml.test_metadata import entity
from tests.saml import attacker, ours, party

URL = {"idp_metadata_url": "https://idp.example.com/metadata"}
PAIR = {"sp_private_key": ours().pem.decode(), "sp_certificate": ours().certificate_pem}


def config(**fields: Any) -> Config:
    return Config.model_validate(URL | fields)


def refused(**fields: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        config(**fields)
    error = caught.value.errors(include_url=False)[0]
    if "sp_private_key" in fields:
        assert fields["sp_private_key"] not in error["msg"]
    return error["type"]


def lints(**fields: Any) -> list[tuple[str, bool]]:
    made = Config.model_validate(fields)
    return [(each.code, each.severity is Severity.ERROR) for each in lint(made)]


def test_little_is_needed() -> None:
    made = config()
    assert list(lint(made)) == []
    assert made.nameid_format == NAMEID_FORMATS["persistent"]
    assert made.clock_skew == 60_000_000_000
    assert made.want_assertions_signed
    assert not made.signs_requests
    assert not made.allow_idp_initiated


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("idp_metadata", "<a/>", "saml-metadata-invalid"),
        ("idp_metadata", "", "saml-metadata-invalid"),
        ("idp_metadata_url", "http://idp.example.com/", "saml-metadata-url-invalid"),
        ("idp_metadata_file", "provider.xml", "saml-metadata-file-invalid"),
        ("idp_metadata_file", "/a\nb", "saml-metadata-file-invalid"),
        ("idp_entity_id", "", "saml-entity-id-invalid"),
        ("entity_id", "our app", "saml-entity-id-invalid"),
        ("entity_id", "x:" + "y" * 1024, "saml-entity-id-invalid"),
        ("nameid_format", "mail", "saml-nameid-format-invalid"),
        ("nameid_format", "", "saml-nameid-format-invalid"),
        ("sp_private_key", "secret", "saml-private-key-invalid"),
        ("sp_private_key", "-----BEGIN PRIVATE KEY-----\u00e9", "saml-private-key-invalid"),
        ("sp_certificate", "-----BEGIN CERTIFICATE-----\nAAAA", "saml-certificate-invalid"),
        ("sp_certificate", party("weak", "rsa-1024").certificate_pem, "saml-certificate-invalid"),
        ("clock_skew", "121s", "duration-too-long"),
        ("authorized_groups", [], "too_short"),
        ("authorized_groups", [""], "string_too_short"),
        ("groups_attribute", "", "string_too_short"),
        ("auth_id", "a/b", "auth-id-invalid"),
        ("sign_requests", "yes", "bool_type"),
        ("nonsense", 1, "extra_forbidden"),
    ],
)
def test_what_makes_no_sense_is_refused(field: str, value: Any, code: str) -> None:
    assert refused(**{field: value}) == code


@pytest.mark.parametrize("name", ["unspecified", "email", "transient"])
def test_formats_have_short_names(name: str) -> None:
    assert config(nameid_format=name).nameid_format == NAMEID_FORMATS[name]
    urn = "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName"
    assert config(nameid_format=urn).nameid_format == urn


def test_metadata_may_stand_in_the_policy() -> None:
    made = Config.model_validate({"idp_metadata": entity()})
    assert list(lint(made)) == []


def test_the_provider_is_described_once() -> None:
    assert lints() == [("saml-metadata-sources", True)]
    assert lints(**URL, idp_metadata_file="/a.xml") == [("saml-metadata-sources", True)]


def test_a_key_comes_with_its_certificate() -> None:
    assert lints(**URL, **PAIR) == []
    assert config(**PAIR).signs_requests
    assert not config(**PAIR, sign_requests=False).signs_requests
    for missing in PAIR:
        half = {name: value for name, value in PAIR.items() if name != missing}
        assert lints(**URL, **half) == [("saml-key-without-certificate", True)]
    other = {**PAIR, "sp_certificate": attacker().certificate_pem}
    assert lints(**URL, **other) == [("saml-key-of-another-certificate", True)]
    assert lints(**URL, sign_requests=True) == [("saml-key-missing", True)]


def test_what_comes_with_a_request_is_looked_at_then() -> None:
    assert lints(**URL, **{**PAIR, "sp_private_key": Pending("${vars.key}")}) == []
    assert lints(**URL, **{**PAIR, "sp_certificate": Pending("${vars.cert}")}) == []


def test_a_user_cannot_be_asked_about_again() -> None:
    assert lints(**URL, userinfo_refresh_interval="5m") == [("saml-no-refresh", True)]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"allow_cbc_encryption": True}, "saml-cbc-encryption"),
        ({"want_assertions_signed": False}, "saml-assertions-unsigned"),
        ({"allow_idp_initiated": True}, "saml-idp-initiated"),
    ],
)
def test_what_weakens_a_login_is_warned_of(fields: Any, code: str) -> None:
    assert lints(**URL, **fields) == [(code, False)]


def test_the_key_does_not_show() -> None:
    made = config(**PAIR)
    assert "PRIVATE" not in repr(made)
    assert made.sp_private_key == PAIR["sp_private_key"]


def test_octets_of_a_certificate_come_out_of_its_text() -> None:
    text = "subject=x\n" + ours().certificate_pem + "trailing"
    assert certificate_octets(text) == ours().certificate
    assert certificate_octets("x") == b""
    assert certificate_octets("-----BEGIN CERTIFICATE-----*") == b""


def test_metadata_of_several_providers_needs_the_name_of_one() -> None:
    both = f'<md:EntitiesDescriptor xmlns:md="{MD}">{entity()}{entity(entity_id="urn:b")}</md:EntitiesDescriptor>'  # noqa: E501
    assert lints(idp_metadata=both) == [("saml-provider-unclear", True)]
    assert lints(idp_metadata=both, idp_entity_id="urn:b") == []
    assert lints(idp_metadata=entity(), idp_entity_id="urn:b") == [("saml-provider-unclear", True)]
