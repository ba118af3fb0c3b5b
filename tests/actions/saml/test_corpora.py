"""Recorded responses of two other libraries' test suites, each with what ought to become of it.

Many are signed with SHA-1 and by small keys: both are allowed here, and nowhere else, so that it
is not for them that a response is refused.
"""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from actions.saml.algorithms import STRICT, Algorithms, Method
from actions.saml.assertion_checks import Expected
from actions.saml.parties import IdentityProvider, ServiceProvider
from actions.saml.response import Accepted, Refusal, Verdict, validate_response
from tests.saml import S_NS

CORPORA = Path(
    os.environ.get("PENSTOCK_CORPORA", Path(__file__).parents[3].parent / "shared" / "corpora")
)
INDEX = CORPORA / "saml" / "index.json"
DS = "http://www.w3.org/2000/09/xmldsig#"
AS_RECORDED = Algorithms(
    methods=(*STRICT.methods, Method(uri=DS + "rsa-sha1", key="rsa", digest="sha1")),
    digests=(*STRICT.digests, (DS + "sha1", "sha1")),
    min_rsa_bits=1024,
)
DECADE_NS = 10 * 365 * 86_400 * S_NS

# What the suites accept and we do not, by the end of the file's name.
RESPONSE_SIGNED_ONLY = "only the response is signed; accepted without want_assertions_signed"
SIGNED_AROUND_ENCRYPTION = "the assertion inside the encrypted one is not signed itself (D3-22)"
RSA_1_5 = "the key is encrypted by RSA PKCS#1 v1.5, which is not spoken (SA-18)"
SEVERAL = "assertions inside the advice: one message, one assertion (SA-9)"
SCHEMA = "the schema does not allow this order of elements (D3-3)"
SPACES = "the name id has line breaks around it (SA-22)"
OTHER_KEY = "encrypted for a key that the row does not have"
STRICTER = {
    "/signed_encrypted_assertion.xml.base64": ("encryption-algorithm", RSA_1_5),
    "/valid_encrypted_assertion_encrypted_nameid.xml.base64": ("encryption-algorithm", RSA_1_5),
    "/signed_message_encrypted_assertion2.xml.base64": (
        "assertion-not-signed",
        SIGNED_AROUND_ENCRYPTION,
    ),
    "/signed_message_response.xml.base64": ("assertion-not-signed", RESPONSE_SIGNED_ONLY),
    "/signed_message_response2.xml.base64": ("assertion-not-signed", SIGNED_AROUND_ENCRYPTION),
    "/valid_response_without_inresponseto.xml.base64": (
        "assertion-not-signed",
        RESPONSE_SIGNED_ONLY + ", then refused: it answers a request after all (SA-15)",
    ),
    "valid/response.root-signed.assertion-signed.1advice-signed.xml": ("schema", SCHEMA),
    "valid/response.root-signed.assertion-signed.2advice-signed.xml": ("schema", SCHEMA),
    "valid/response.root-unsigned.assertion-signed.1advice-signed.xml": ("schema", SCHEMA),
    "valid/response.root-signed.assertion-signed.1advice-unsigned.xml": (
        "assertion-count",
        SEVERAL,
    ),
    "valid/response.root-signed.assertion-signed.2advice-unsigned.xml": (
        "assertion-count",
        SEVERAL,
    ),
    "valid/response.root-signed.assertion-unsigned.1advice-unsigned.xml": (
        "assertion-count",
        SEVERAL,
    ),
    "valid/response.root-signed.assertion-unsigned.2advice-unsigned.xml": (
        "assertion-count",
        SEVERAL,
    ),
    "valid/response.root-unsigned.assertion-signed.1advice-unsigned.xml": (
        "assertion-count",
        SEVERAL,
    ),
    "valid/response.root-signed.assertion-signed.xml": ("name-id-invalid", SPACES),
    "valid/response.root-unsigned.assertion-signed.xml": ("name-id-invalid", SPACES),
    "valid/response.root-signed.assertion-unsigned-13-signature.xml": (
        "assertion-not-signed",
        RESPONSE_SIGNED_ONLY + ", then refused: " + SPACES,
    ),
    "valid/response.root-signed.assertion-unsigned-13.xml": (
        "assertion-not-signed",
        RESPONSE_SIGNED_ONLY + ", then refused: " + SPACES,
    ),
    "valid/response.root-signed.assertion-unsigned-xd-signature.xml": (
        "assertion-not-signed",
        RESPONSE_SIGNED_ONLY + ", then refused: " + SPACES,
    ),
    "valid/response.root-signed.assertion-unsigned-xd.xml": (
        "assertion-not-signed",
        RESPONSE_SIGNED_ONLY + ", then refused: " + SPACES,
    ),
    "valid/response.root-signed.assertion-unsigned.xml": (
        "assertion-not-signed",
        RESPONSE_SIGNED_ONLY + ", then refused: " + SPACES,
    ),
    "valid/response.root-signed.assertion-unsigned-encrypted.xml": (
        "decryption-failed",
        OTHER_KEY,
    ),
}


def rows() -> list[Any]:
    if not INDEX.exists():
        return [pytest.param({}, marks=pytest.mark.skip(reason=f"{INDEX} is not there"))]
    index = json.loads(INDEX.read_text("utf-8"))
    return [pytest.param(row, id=f"{row['expect']}-{row['file']}") for row in index]


def encoded(row: dict[str, Any]) -> str:
    content: bytes = (INDEX.parent / row["file"]).read_bytes()
    if not row["file"].endswith(".base64"):
        content = b64encode(content)
    return content.decode("latin-1")


def verdict(row: dict[str, Any], **changes: Any) -> Verdict:
    lines = (row["idp_cert"] or "").splitlines()
    certificate = b64decode("".join(line for line in lines if not line.startswith("---")))
    provider = IdentityProvider(
        entity_id=row["idp_entity_id"] or "",
        sign_in_url="https://idp.example.com/sso",
        signing_certificates=(certificate,),
    )
    service = ServiceProvider(
        entity_id=row["sp_entity_id"] or "",
        assertion_url=row["acs"] or "",
        logout_url="",
        private_key=(row["sp_key"] or "").encode() or None,
        name_id_format="",
        allows_cbc=True,
        algorithms=AS_RECORDED,
    )
    now = datetime.fromisoformat(row["clock"]).timestamp() if row["clock"] else 0
    return validate_response(
        encoded(row),
        provider,
        replace(service, **changes),
        Expected(request_id=row["request_id"]),
        int(now) * S_NS,
    )


def stricter(row: dict[str, Any]) -> tuple[str, str] | None:
    return next((why for name, why in STRICTER.items() if row["file"].endswith(name)), None)


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
@pytest.mark.parametrize("row", rows())
def test_a_recorded_response_gets_the_verdict_that_it_deserves(row: dict[str, Any]) -> None:
    found = verdict(row)
    assert found.checks or isinstance(found, Refusal)
    if row["expect"] == "reject":
        assert isinstance(found, Refusal)
    if row["expect"] == "accept":
        why = stricter(row)
        if why is None:
            assert isinstance(found, Accepted), found
            assert row["encrypted"] or found.assertion.name_id.value == row["nameid"]
        else:
            assert isinstance(found, Refusal)
            assert (found.reason, found.reason) == (why[0], why[0])


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
@pytest.mark.parametrize("row", rows())
def test_what_must_be_refused_is_refused_with_the_weakest_settings(row: dict[str, Any]) -> None:
    found = verdict(row, wants_assertions_signed=False, max_age_ns=DECADE_NS)
    if row["expect"] == "reject":
        assert isinstance(found, Refusal)
    elif row["file"].endswith("/signed_message_response.xml.base64"):
        assert isinstance(found, Accepted)


def test_every_reason_to_be_stricter_is_needed() -> None:
    if not INDEX.exists():
        pytest.skip(f"{INDEX} is not there")
    index = json.loads(INDEX.read_text("utf-8"))
    files = [row["file"] for row in index if row["expect"] == "accept"]
    assert [name for name in STRICTER if not any(file.endswith(name) for file in files)] == []
