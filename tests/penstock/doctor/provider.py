"""A provider on this machine that does everything right, but for what a test spoils."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from actions import LANGUAGE
from penstock.doctor.examination import Examination, examine
from penstock.doctor.finding import Finding
from penstock.doctor.logins import Login, find_logins
from policy.load import load_policy
from policy.oauth_endpoints import OauthEndpoints
from policy.surroundings import Surroundings
from proxy.fetcher import Fetcher
from tests import exchanges
from tests.tokens import RS256

CLIENT_ID = "client-4711"
SECRET = "Zk3-vhq8Lmw0-secret-part"
PUBLIC_URL = "https://app.example.com"


@dataclass
class Provider:
    """What is spoiled: members of the metadata (None: left out), or whole answers by path."""

    url: str = ""
    members: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, web.Response] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    forms: list[str] = field(default_factory=list)

    def metadata(self) -> dict[str, Any]:
        usual = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "end_session_endpoint": f"{self.url}/logout",
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "id_token_signing_alg_values_supported": ["RS256", "none"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "scopes_supported": ["openid", "profile", "email"],
        }
        members = {**usual, **self.members}
        return {name: value for name, value in members.items() if value is not None}

    async def serve(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.method} {request.path}")
        if request.method == "POST":
            self.forms.append(await request.text())
        spoilt = self.answers.get(f"{request.method} {request.path}")
        if spoilt is not None:
            return spoilt
        match request.method, request.path:
            case "GET", "/.well-known/openid-configuration":
                return web.json_response(self.metadata())
            case "GET", "/keys":
                return web.json_response({"keys": [RS256.jwk]})
            case "POST", "/token":
                return error("invalid_grant", "no such code")
        return web.json_response({}, status=404)


def error(name: str, description: str = "", *, status: int = 400) -> web.Response:
    content = {"error": name, "error_description": description}
    return web.json_response(content, status=status)


@asynccontextmanager
async def serving() -> AsyncIterator[Provider]:
    provider = Provider()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", provider.serve)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    provider.url = str(server.make_url("")).rstrip("/")
    try:
        yield provider
    finally:
        await server.close()


def openid_policy(provider: Provider, **changes: Any) -> str:
    config = {
        "issuer_url": provider.url,
        "client_id": CLIENT_ID,
        "client_secret": SECRET,
        **changes,
    }
    return json.dumps({"on_http_request": [login_rule("openid-connect", config)]})


def oauth_policy(**changes: Any) -> str:
    config = {"provider": "gitlab", "client_id": CLIENT_ID, "client_secret": SECRET, **changes}
    return json.dumps({"on_http_request": [login_rule("oauth", config)]})


def login_rule(action: str, config: dict[str, Any]) -> dict[str, Any]:
    return {"name": "Only us", "actions": [{"type": action, "config": config}]}


def surroundings(provider: Provider | None = None, **secrets: str) -> Surroundings:
    own = {}
    if provider is not None:
        own["gitlab"] = OauthEndpoints(
            authorization_url=f"{provider.url}/authorize",
            tokens_url=f"{provider.url}/token",
            api_url=provider.url,
        )
    return exchanges.surroundings(
        oauth_providers=own, secret=lambda vault, name: secrets.get(f"{vault}_{name}")
    )


def login_of(
    text: str, given: Surroundings | None = None, *, public_url: str = PUBLIC_URL
) -> Login:
    policy = load_policy(text, name="policy.yaml", language=LANGUAGE)
    [login] = find_logins(policy, public_url=public_url, surroundings=given)
    return login


async def examined(
    text: str, given: Surroundings | None = None, *, probes: bool = False
) -> Examination:
    fetcher = Fetcher()
    try:
        return await examine(login_of(text, given), fetcher, probes=probes)
    finally:
        await fetcher.close()


def finding(examination: Examination, check: str) -> Finding:
    [found] = [each for each in examination.findings if each.check == check]
    return found
