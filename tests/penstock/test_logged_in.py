"""Whoever a file names is let in by the policy's logins, without a provider or a secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.console import run

POLICY = """\
on_http_request:
  - actions:
      - type: oauth
        config:
          provider: github
          client_id: a
          client_secret: ${secrets.get('main', 'b')}
  - expressions: ["req.url.path.startsWith('/staff')"]
    actions:
      - type: openid-connect
        config:
          auth_id: staff-1
          issuer_url: https://login.example.com
          client_id: a
          client_secret: ${secrets.get('main', 'b')}
  - actions:
      - type: add-headers
        config:
          headers:
            x-user: ${actions.ngrok.oauth.identity.username}
            x-claim: ${actions.ngrok.oauth.identity.claims.organizations[0]}
            x-provider-id: ${actions.ngrok.oauth.identity.provider_user_id}
            x-session: ${actions.ngrok.oauth.identity.current_session_id}
  - expressions: ["req.url.path.startsWith('/staff')"]
    actions:
      - type: add-headers
        config: {headers: {x-staff: "${actions.ngrok.oidc.identity.email}"}}
"""
ADA = {"subject": "1", "username": "ada", "email": "ada@a.example",
       "claims": {"organizations": ["acme"]}}  # fmt: skip


def written(folder: Path, name: str, content: Any) -> str:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return str(path)


def evaluated(folder: Path, url: str, *logins: str) -> tuple[int, str]:
    flags = [word for login in logins for word in ("--login", login)]
    return run(["eval", written(folder, "policy.yaml", POLICY), "--url", url, *flags])


def test_one_file_is_for_every_login(tmp_path: Path) -> None:
    code, printed = evaluated(tmp_path, "/staff", written(tmp_path, "ada.json", ADA))
    assert code == 0
    for expected in (
        "x-user: ada", "x-claim: acme", "x-provider-id: 1", "x-session: se_eval",
        "x-staff: ada@a.example",
    ):  # fmt: skip
        assert f"> {expected}\n" in printed


def test_a_login_can_have_a_file_of_its_own(tmp_path: Path) -> None:
    bob = written(tmp_path, "bob.json", {"subject": "2", "email": "bob@a.example"})
    ada = written(tmp_path, "ada.json", ADA)
    _, printed = evaluated(tmp_path, "/staff", ada, f"staff-1={bob}")
    assert "x-user: ada" in printed
    assert "x-staff: bob@a.example" in printed


def test_a_login_without_a_file_stays_as_it_is(tmp_path: Path) -> None:
    bob = written(tmp_path, "bob.json", {"subject": "2"})
    _, printed = evaluated(tmp_path, "/staff", f"staff-1={bob}")
    assert "interpolation-failed" in printed


BAD = {
    "no JSON": ("{", "describes nobody"),
    "nobody": ("{}", "describes nobody"),
    "a list": ("[]", "describes nobody"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_describes_nobody_is_refused(case: str, tmp_path: Path) -> None:
    content, message = BAD[case]
    code, printed = evaluated(tmp_path, "/", written(tmp_path, "x.json", content))
    assert code == 1
    assert message in printed


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    code, printed = evaluated(tmp_path, "/", str(tmp_path / "none.json"))
    assert code == 1
    assert "No such file" in printed


def test_a_login_that_the_policy_does_not_have_is_refused(tmp_path: Path) -> None:
    ada = written(tmp_path, "ada.json", ADA)
    code, printed = evaluated(tmp_path, "/", f"partners={ada}")
    assert code == 1
    assert "no login with auth_id 'partners'" in printed
