"""What is wrong with a SAML provider, or with us."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from penstock.doctor.examination import Examination, examine
from penstock.doctor.finding import Verdict
from proxy.fetcher import Fetcher
from tests import saml
from tests.actions.saml import rig
from tests.console import run
from tests.penstock.doctor.provider import finding, login_of

PAST = 'validUntil="2020-01-01T00:00:00Z"'


async def examined(
    text: str, *, response: str | None = None, public_url: str = "https://app.example.com"
) -> Examination:
    fetcher = Fetcher()
    try:
        login = login_of(text, public_url=public_url)
        return await examine(login, fetcher, probes=False, saml_response=response)
    finally:
        await fetcher.close()


async def test_a_login_in_order() -> None:
    found = await examined(rig.policy())
    assert not found.has_failed
    assert found.provider == saml.IDP
    assert found.redirect_uri == saml.ACS
    assert saml.ACS in finding(found, "registration").detail
    assert finding(found, "requests").detail.endswith(", signed")
    assert saml.SLO in finding(found, "logout").detail
    assert all("PRIVATE" not in each.detail for each in found.findings)


WANTING = rig.metadata().replace(
    "protocolSupport", 'WantAuthnRequestsSigned="true" protocolSupport'
)
SECRET = "${secrets.get('a', 'b')}"
NO_KEY: dict[str, Any] = {"sp_private_key": None, "sp_certificate": None}
OFFERING = rig.metadata().replace(
    "<md:SingleSignOn", "<md:NameIDFormat>urn:x</md:NameIDFormat><md:SingleSignOn"
)
WRONG: dict[str, tuple[dict[str, Any], str, Verdict]] = {
    "past its end": ({"idp_metadata": rig.metadata(attrs=PAST)}, "validity", Verdict.FAILED),
    "no key for signatures": (
        {"idp_metadata": WANTING, **NO_KEY}, "requests", Verdict.FAILED,
    ),
    "no key for a logout": (NO_KEY, "logout", Verdict.WARNING),
    "another sort of name": ({"idp_metadata": OFFERING}, "name id", Verdict.WARNING),
    "an expired certificate": (
        {"idp_metadata": rig.metadata(signers=(saml.party("old", expired=True),))},
        "certificates",
        Verdict.WARNING,
    ),
    "an expired certificate of ours": (
        {
            "sp_private_key": saml.party("us", expired=True).pem.decode(),
            "sp_certificate": saml.party("us", expired=True).certificate_pem,
        },
        "own key",
        Verdict.WARNING,
    ),
    "no such file": (
        {"idp_metadata": None, "idp_metadata_file": "/no/such.xml"}, "metadata", Verdict.FAILED,
    ),
    "nobody there": (
        {"idp_metadata": None, "idp_metadata_url": "http://127.0.0.1:9/"},
        "metadata",
        Verdict.FAILED,
    ),
    "no secret": (
        {"sp_private_key": SECRET, "sp_certificate": SECRET},
        "own key",
        Verdict.FAILED,
    ),
    "no logout there": ({"idp_metadata": rig.metadata(logout=())}, "logout", Verdict.OK),
    "no key": (NO_KEY, "own key", Verdict.OK),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "check", "verdict"), WRONG.values(), ids=WRONG)
async def test_what_is_wrong_is_told(changes: dict[str, Any], check: str, verdict: Verdict) -> None:
    found = finding(await examined(rig.policy(**changes)), check)
    assert found.verdict is verdict
    assert bool(found.remedy) == (verdict is not Verdict.OK)


async def test_metadata_in_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "idp metadata.xml"
    file.write_text(rig.metadata())
    found = await examined(rig.policy(idp_metadata=None, idp_metadata_file=str(file)))
    assert finding(found, "metadata").verdict is Verdict.OK
    settings = {"idp_metadata": None, "idp_metadata_file": str(file), "idp_entity_id": "urn:other"}
    found = await examined(rig.policy(**settings))
    assert finding(found, "metadata").remedy == "name the one that is meant in idp_entity_id"
    file.write_text("<html/>")
    found = await examined(rig.policy(idp_metadata=None, idp_metadata_file=str(file)))
    assert finding(found, "metadata").detail == "it can't be used: not-metadata"


@pytest.mark.parametrize(
    ("url", "verdict"),
    [
        ("http://app.example.com", Verdict.FAILED),
        ("http://127.0.0.1:4000", Verdict.OK),
        ("", Verdict.UNKNOWN),
    ],
)
async def test_the_place_has_to_be_one_where_cookies_come_back(url: str, verdict: Verdict) -> None:
    found = await examined(rig.policy(), public_url=url)
    assert finding(found, "registration").verdict is verdict


async def test_a_response_is_judged_check_by_check() -> None:
    found = await examined(rig.policy(), response=saml.posted(saml.signed()))
    checks = {each.check: each.verdict for each in found.findings}
    # The response is of another day than today.
    assert checks["response: issued"] is Verdict.FAILED
    assert checks["response: audience"] is Verdict.OK
    assert checks["response: assertion signature"] is Verdict.OK


async def test_a_response_needs_the_url() -> None:
    found = await examined(rig.policy(), response="x", public_url="")
    assert finding(found, "response").verdict is Verdict.UNKNOWN


def test_the_command_shows_it(tmp_path: Path) -> None:
    policy, response = tmp_path / "policy.yml", tmp_path / "response.txt"
    policy.write_text(rig.policy())
    response.write_text(saml.posted(saml.signed()))
    arguments = [str(policy), "--url", "https://app.example.com", "--json"]
    code, printed = run(["doctor", *arguments])
    assert code == 0
    assert json.loads(printed)["logins"][0]["action"] == "saml"
    code, printed = run(["doctor", *arguments, "--saml-response", str(response)])
    assert code == 1
    assert "response: signature" not in printed
    assert "response: issued" in printed
