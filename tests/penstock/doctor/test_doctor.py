"""The command: what it reads, what it prints, how it ends."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.console import run
from tests.penstock.doctor.provider import (
    SECRET,
    Provider,
    oauth_policy,
    openid_policy,
    serving,
)

DISCOVERY = "GET /.well-known/openid-configuration"


async def doctor(*arguments: str) -> tuple[int, str]:
    """Run the command in a thread of its own: the provider runs in this one."""
    return await asyncio.to_thread(run, ["doctor", *arguments])


def written(folder: Path, text: str) -> str:
    path = folder / "policy.yaml"
    path.write_text(text, "utf-8")
    return str(path)


async def test_a_login_in_order_ends_with_0(tmp_path: Path) -> None:
    async with serving() as provider:
        policy = written(tmp_path, openid_policy(provider))
        code, printed = await doctor(policy, "--url", "https://app.example.com/x")
    assert code == 0
    lines = printed.splitlines()
    assert lines[0] == f'openid-connect in "Only us": {provider.url}'
    assert "  ok       PKCE                   S256" in lines
    assert "register https://app.example.com/ngrok/oauth2/callback" in printed
    assert SECRET not in printed


async def test_a_failure_ends_with_1_and_says_what_to_do(tmp_path: Path) -> None:
    async with serving() as provider:
        provider.members = {"issuer": f"{provider.url}/"}
        code, printed = await doctor(written(tmp_path, openid_policy(provider)))
    assert code == 1
    assert f"write issuer_url: {provider.url}/" in printed


async def test_the_json_has_every_check(tmp_path: Path) -> None:
    async with serving() as provider:
        provider.members = {"code_challenge_methods_supported": []}
        policy = written(tmp_path, openid_policy(provider, auth_id="company"))
        code, printed = await doctor(policy, "--json", "--probe", "--url", "https://a.example")
    assert code == 0
    document: dict[str, Any] = json.loads(printed)
    assert (document["policy"], document["ok"]) == (policy, True)
    [login] = document["logins"]
    assert login.keys() == {
        "action", "auth_id", "rule", "provider", "redirect_uri", "ok", "checks",
    }  # fmt: skip
    assert login["redirect_uri"] == "https://a.example/ngrok/oauth2/callback?auth_id=company"
    checks = {each["check"]: each for each in login["checks"]}
    assert checks["PKCE"]["verdict"] == "warning"
    assert checks["issuer"]["remedy"] is None
    assert SECRET not in printed


CONFIG = """\
endpoints:
  - {{url: https://app.example.com, traffic_policy_file: policy.yaml, upstream: {{url: 80}}}}
secrets: {{vaults: {{main: {{directory: secrets}}}}}}
oauth_providers:
  gitlab: {{authorize_url: {url}/authorize, token_url: {url}/token, api_url: {url}}}
"""


def configured(folder: Path, provider: Provider, *, secret: str) -> str:
    (folder / "secrets").mkdir()
    (folder / "secrets" / "gitlab").write_text(secret, "utf-8")
    path = folder / "penstock.yml"
    path.write_text(CONFIG.format(url=provider.url), "utf-8")
    path.chmod(0o600)
    return str(path)


async def test_a_configuration_gives_secrets_endpoint_and_providers(tmp_path: Path) -> None:
    async with serving() as provider:
        config = configured(tmp_path, provider, secret=SECRET)
        text = oauth_policy(client_secret="${secrets.get('main', 'gitlab')}")
        code, printed = await doctor(written(tmp_path, text), "--config", config, "--probe")
        assert provider.forms
    assert code == 0, printed
    assert f"{provider.url}/authorize" in printed
    assert "register https://app.example.com/ngrok/oauth2/callback" in printed
    assert SECRET not in printed


async def test_a_placeholder_in_a_vault_is_found(tmp_path: Path) -> None:
    async with serving() as provider:
        config = configured(tmp_path, provider, secret="changeme")
        text = oauth_policy(client_secret="${secrets.get('main', 'gitlab')}")
        code, printed = await doctor(written(tmp_path, text), "--config", config)
    assert code == 1
    assert "'client_secret' is a placeholder" in printed
    assert "changeme" not in printed


MISUSES: dict[str, tuple[str, list[str], int]] = {
    "no login": ("on_http_request: []", [], 2),
    "no URL": ("on_http_request: []", ["--url", "app"], 2),
    "an ftp URL": ("on_http_request: []", ["--url", "ftp://app.example.com"], 2),
    "a broken policy": ("on_http_request: {", [], 1),
    "no configuration": ("on_http_request: []", ["--config", "no-such-file.yml"], 1),
}


@pytest.mark.parametrize("case", MISUSES)
def test_what_can_not_be_examined_is_refused(case: str, tmp_path: Path) -> None:
    text, arguments, expected = MISUSES[case]
    assert run(["doctor", written(tmp_path, text), *arguments])[0] == expected


def test_without_a_url_the_host_is_left_open(tmp_path: Path) -> None:
    """The origin that browsers use is never guessed."""
    text = json.loads(oauth_policy())
    text["on_http_request"][0]["actions"][0]["config"]["provider"] = "gitlab"
    config = tmp_path / "penstock.yml"
    config.write_text(
        "endpoints: [{upstream: {url: 80}}]\n"
        "oauth_providers: {gitlab: {authorize_url: 'http://127.0.0.1:1/a', "
        "token_url: 'http://127.0.0.1:1/t', api_url: 'http://127.0.0.1:1'}}\n",
        "utf-8",
    )
    config.chmod(0o600)
    policy = written(tmp_path, json.dumps(text))
    code, printed = run(["doctor", policy, "--config", str(config)])
    assert code == 1
    assert "register https://YOUR-HOST/ngrok/oauth2/callback, with your host" in printed
