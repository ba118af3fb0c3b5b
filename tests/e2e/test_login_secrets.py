"""OA-22: nothing that opens anything is in what Penstock says, shows or keeps after a full login.

Whatever is secret about a login is collected where it passes, and then searched for everywhere.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from aiohttp import web
from yarl import URL

from tests.e2e.openid_provider import CLIENT_ID, CLIENT_SECRET, openid_provider
from tests.e2e.processes import free_port, penstock, running
from tests.e2e.visitor import Visitor

LOOPBACK = "127.0.0.1"
ADMIN_TOKEN = "Zk1xqVb9Jm4hYt7sRw2nLc8pQd5fUg3e"
PASSED_ON = {
    "x-access-token": "access_token",
    "x-refresh-token": "refresh_token",
    "x-id-token": "identity_token",
}
# A secret is looked for by parts of it: who shows a half gives it away as well.
PART = 16


@dataclass
class Secrets:
    """What must not be found, by what it is."""

    known: dict[str, str] = field(
        default_factory=lambda: {"client secret": CLIENT_SECRET, "admin token": ADMIN_TOKEN}
    )

    def learn_from(self, visitor: Visitor, origin: str) -> None:
        for step in visitor.steps:
            for name, values in parse_qs(urlsplit(step).query).items():
                if name in {"code", "state", "nonce", "code_challenge", "id_token_hint"}:
                    self.known[f"{name} {len(self.known)}"] = values[0]
        for name, morsel in visitor.session.cookie_jar.filter_cookies(URL(origin)).items():
            if "ngrok" not in name:
                # The provider is on the same host, which is all that a cookie knows.
                continue
            self.known[f"cookie {name} {len(self.known)}"] = morsel.value

    def found_in(self, text: str) -> list[str]:
        return [
            name
            for name, secret in self.known.items()
            if any(part in text for part in parts_of(secret))
        ]


def parts_of(secret: str) -> Iterator[str]:
    middle = len(secret) // 2
    for part in (secret[:PART], secret[middle : middle + PART], secret[-PART:]):
        if len(part) == PART:
            yield part
            yield quote(part, safe="")


@asynccontextmanager
async def application(port: int, secrets: Secrets) -> AsyncIterator[None]:
    """An upstream that is given tokens, as policies may."""

    async def take(request: web.Request) -> web.Response:
        for name in PASSED_ON:
            if value := request.headers.get(name):
                # The head of every ID token is the same, and no secret.
                secrets.known[f"{name} {value[-8:]}"] = value.rpartition(".")[2]
        return web.Response(text="welcome")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, port).start()
    try:
        yield
    finally:
        await runner.cleanup()


@dataclass(frozen=True)
class Site:
    """Penstock with a login, a store in a file, and an admin listener that shows people."""

    folder: Path
    origin: str
    admin: str

    def command(self, *arguments: str, code: int = 0) -> str:
        result = subprocess.run(
            penstock(*arguments), cwd=self.folder, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip
        assert result.returncode == code, result.stderr
        return result.stdout + result.stderr

    def log(self) -> str:
        return (self.folder / "penstock.log").read_text()

    def stored(self) -> str:
        """Return every byte of the store; its key is beside it, not in it."""
        files = [each for each in self.folder.glob("state.db*") if each.suffix != ".key"]
        return "".join(each.read_bytes().decode("latin-1") for each in files)

    def events(self) -> list[dict[str, Any]]:
        lines = self.log().splitlines()
        return [json.loads(line)["object"] for line in lines if line.startswith('{"event_id"')]


@contextmanager
def guarded(folder: Path, upstream: int) -> Iterator[Site]:
    port, admin = free_port(), free_port()
    origin = f"http://{LOOPBACK}:{port}"
    token = folder / "admin.token"
    token.write_text(ADMIN_TOKEN)
    token.chmod(0o600)
    (folder / "penstock.yml").write_text(f"""
version: 3
listeners: [{{address: "{LOOPBACK}:{port}"}}]
endpoints:
  - name: orders
    url: {origin}
    upstream: {{url: "http://{LOOPBACK}:{upstream}"}}
    traffic_policy_file: policy.yml
admin: {{address: "{LOOPBACK}:{admin}", token_file: admin.token}}
store: sqlite:state.db
workers: 2
""")
    with openid_provider(folder, [origin]) as provider:
        headers = {name: f"${{actions.ngrok.oidc.{result}}}" for name, result in PASSED_ON.items()}
        config = {
            "issuer_url": provider.issuer,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "scopes": ["openid", "profile", "email", "offline_access"],
            "authz_url_params": {"prompt": "consent"},
        }
        actions = [
            {"type": "openid-connect", "config": config},
            {"type": "add-headers", "config": {"headers": headers}},
        ]
        (folder / "policy.yml").write_text(json.dumps({"on_http_request": [{"actions": actions}]}))
        (folder / "policy.yml").chmod(0o600)
        command = penstock("start", "--config", str(folder / "penstock.yml"))
        with running(command, port=port, log=folder / "penstock.log"):
            yield Site(folder, origin, f"http://{LOOPBACK}:{admin}")


async def shown_by_admin(site: Site, visitor: Visitor) -> str:
    """Return all that the admin listener shows."""
    texts = []
    for path in ("/healthz", "/readyz", "/metrics", "/app/sessions", "/app/users"):
        headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        async with visitor.session.get(site.admin + path, headers=headers) as answer:
            assert answer.status == 200
            texts.append(await answer.text())
    return "".join(texts)


def shown_by_commands(site: Site, cookies: str) -> dict[str, str]:
    """Return what commands print that know the policy, the session or the token."""
    request = ("--url", f"{site.origin}/", "-H", f"Cookie: {cookies}")
    return {
        "check": site.command("check", "penstock.yml"),
        "eval": site.command("eval", "policy.yml", *request),
        "eval --explain": site.command("eval", "policy.yml", "--explain", *request),
        "eval --json": site.command("eval", "policy.yml", "--json", *request),
        "doctor": site.command("doctor", "policy.yml", "--config", "penstock.yml"),
        "sessions": site.command("sessions", "list") + site.command("sessions", "list", "--json"),
        "identities": site.command("identities", "list", "--json"),
    }


async def test_oa_22_a_full_login_leaves_no_secret_anywhere(tmp_path: Path) -> None:
    upstream, secrets = free_port(), Secrets()
    async with application(upstream, secrets):
        with guarded(tmp_path, upstream) as site:
            async with Visitor() as alice:
                assert (await alice.open(f"{site.origin}/orders?page=2"))[1] == "welcome"
                secrets.learn_from(alice, site.origin)
                (callback,) = [step for step in alice.steps if "/ngrok/oauth2/callback" in step]
                replayed, page, _ = await alice.open(callback)
                shown = {
                    "page of a code that is used up": page,
                    "admin": await shown_by_admin(site, alice),
                }
                cookies = alice.session.cookie_jar.filter_cookies(URL(site.origin))
                sent = "; ".join(f"{name}={each.value}" for name, each in cookies.items())
                shown |= await asyncio.to_thread(shown_by_commands, site, sent)

                email = ("--email", "alice@example.com")
                shown["revoke"] = await asyncio.to_thread(
                    site.command, "sessions", "revoke", *email
                )
                assert await alice.status(f"{site.origin}/api") == 401
                assert (await alice.open(f"{site.origin}/"))[1] == "welcome"
                secrets.learn_from(alice, site.origin)
                await alice.open(f"{site.origin}/ngrok/logout")
                secrets.learn_from(alice, site.origin)
                shown["store"] = site.stored()
    # Only now everything is written.
    shown["log"], events = site.log(), site.events()
    assert replayed == 200
    names = {name.split()[0] for name in secrets.known}
    assert {"code", "state", "nonce", "cookie", *PASSED_ON} <= names
    assert set(secrets.found_in(" ".join(secrets.known.values()))) == set(secrets.known)
    assert {place: secrets.found_in(text) for place, text in shown.items()} == {
        place: [] for place in shown
    }
    assert "alice@example.com" not in shown["store"]
    admitted = [each["oauth"] for each in events if each["decision"]["reason"] is None]
    assert {(each["app_client_id"], each["decision"]) for each in admitted} == {
        (CLIENT_ID, "allow")
    }
    assert all(each["user"]["id"].startswith("au_") for each in admitted)
    (refused,) = [each for each in events if each["http"]["response"]["status_code"] == 401]
    assert (refused["oauth"]["decision"], len(refused["reference"])) == ("block", 8)
