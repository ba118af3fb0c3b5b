"""What a provider has to know about us, from a policy alone; and why it is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from lxml import etree

from actions.saml.service_metadata import render_service_metadata
from tests import saml
from tests.actions.saml import rig
from tests.console import run

NOON = "2026-03-01T12:00:00Z"
URL = ["--url", "https://app.example.com"]


def written(folder: Path, name: str, content: str | bytes) -> str:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def policy(folder: Path, **config: Any) -> str:
    return written(folder, "policy.yml", rig.policy(**config))


def test_the_metadata_is_what_the_endpoint_answers(tmp_path: Path) -> None:
    code, printed = run(["saml", "metadata", policy(tmp_path), *URL])
    assert code == 0
    ours = saml.service(signs_requests=True)
    assert printed == render_service_metadata(ours).decode() + "\n"


def test_one_of_several_logins_is_named(tmp_path: Path) -> None:
    rules = [json.loads(rig.policy(auth_id=each))["on_http_request"][0] for each in ("a", "b")]
    path = written(tmp_path, "policy.yml", json.dumps({"on_http_request": rules}))
    assert "2 such logins by SAML (a, b)" in run(["saml", "metadata", path, *URL])[1]
    code, printed = run(["saml", "metadata", path, *URL, "--auth-id", "b"])
    assert code == 0
    assert "/ngrok/saml/acs?auth_id=b" in printed
    assert run(["saml", "metadata", path, *URL, "--auth-id", "c"])[0] == 1


def test_without_a_url_nothing_is_guessed(tmp_path: Path) -> None:
    assert run(["saml", "metadata", policy(tmp_path)])[0] == 2


SECRETS = {
    "sp_private_key": "${secrets.get('main', 'key')}",
    "sp_certificate": "${secrets.get('main', 'certificate')}",
}


def test_the_certificate_of_a_vault_needs_the_configuration(tmp_path: Path) -> None:
    path = policy(tmp_path, **SECRETS)
    code, printed = run(["saml", "metadata", path, *URL])
    assert code == 1
    assert "the ${...} in 'sp_certificate' has no value" in printed
    (tmp_path / "secrets").mkdir()
    written(tmp_path / "secrets", "key", saml.ours().pem)
    written(tmp_path / "secrets", "certificate", saml.ours().certificate_pem)
    config = written(
        tmp_path,
        "penstock.yml",
        "endpoints: [{url: 'https://app.example.com', upstream: {url: 80}, "
        "traffic_policy_file: policy.yml}]\nsecrets: {vaults: {main: {directory: secrets}}}\n",
    )
    Path(config).chmod(0o600)
    code, printed = run(["saml", "metadata", path, "--config", config])
    assert code == 0, printed
    assert "https://app.example.com/ngrok/saml/acs" in printed
    assert "PRIVATE" not in printed


def evaluated(folder: Path, content: str | bytes, *more: str, **config: Any) -> str:
    response = written(folder, "response.txt", content)
    shown = ["eval", policy(folder, **config), *URL, "--time", NOON, "--saml-response", response]
    return run([*shown, *more])[1]


def xml(root: Any) -> bytes:
    return etree.tostring(root)


FORMS = {
    "base64": saml.posted,
    "XML": xml,
    "a form": lambda root: urlencode({"SAMLResponse": saml.posted(root), "RelayState": "x"}),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_response_in_order_is_a_login(form: Any, tmp_path: Path) -> None:
    printed = evaluated(tmp_path, form(saml.signed()))
    assert "respond 303 See Other: logged-in" in printed
    assert "ok  assertion signature" in printed
    assert "  no  " not in printed


def test_a_response_is_refused_check_by_check(tmp_path: Path) -> None:
    root = saml.signed(saml.Response(assertion=saml.Assertion(window=f'NotOnOrAfter="{saml.instant(-300)}"')))  # fmt: skip  # noqa: E501
    printed = evaluated(tmp_path, saml.posted(root))
    assert "respond 403 Forbidden: saml-expired" in printed
    assert "no  not on or after" in printed
    assert "ok  audience" in printed


def test_another_request_can_be_named(tmp_path: Path) -> None:
    printed = evaluated(tmp_path, saml.posted(saml.signed()), "--request-id", "_mine")
    assert "saml-in-response-to" in printed
    assert "wanted '_mine'" in printed


def test_a_response_to_nothing_is_a_sign_in_of_the_provider(tmp_path: Path) -> None:
    root = saml.posted(saml.signed(rig.response_to(None)))
    assert "login-not-pending" in evaluated(tmp_path, root)
    assert "logged-in" in evaluated(tmp_path, root, allow_idp_initiated=True)


def test_whatever_is_in_the_file_there_is_a_verdict(tmp_path: Path) -> None:
    for content in ("junk!", "<a/>", "<!DOCTYPE a><a/>", "SAMLResponse=", saml.posted(b"<a>")):
        assert "respond 40" in evaluated(tmp_path, content)


def test_a_file_of_no_use_is_told(tmp_path: Path) -> None:
    assert "empty" in evaluated(tmp_path, "")
    path = policy(tmp_path)
    missing = run(["eval", path, *URL, "--saml-response", str(tmp_path / "none")])
    assert missing[0] == 1


def test_a_policy_without_such_a_login(tmp_path: Path) -> None:
    path = written(tmp_path, "policy.yml", "on_http_request: []")
    response = written(tmp_path, "response.txt", "x")
    code, printed = run(["eval", path, *URL, "--saml-response", response])
    assert (code, "no such login by SAML" in printed) == (1, True)


def test_people_of_a_file_come_in_by_saml(tmp_path: Path) -> None:
    ada = written(tmp_path, "ada.json", '{"subject": "ada", "claims": {"groups": ["staff"]}}')
    printed = run(["eval", policy(tmp_path), *URL, "--login", ada])[1]
    assert "> x-user: ada" in printed
    assert "> x-groups: staff" in printed
