"""People sign in and out with the identity providers of others, in a real browser."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.processes import free_port, penstock, running
from tests.e2e.saml_providers import (
    Ours,
    SamlProvider,
    Start,
    pysaml2,
    saml_idp,
    simplesamlphp,
    write_keys,
)
from tests.e2e.test_browser import browser  # noqa: F401 - the fixture

PATIENCE_MS = 20_000
HOSTILE = "https://evil.example/"


def saml_policy(folder: Path, provider: SamlProvider | None, more: str) -> str:
    """Write a policy with a login in front of everything; `more` are other fields of it."""

    def indented(name: str) -> str:
        return (folder / name).read_text().replace("\n", "\n            ")

    # What we tell a provider does not depend on what it tells us.
    url = "https://idp.example.com/" if provider is None else provider.metadata_url
    return f"""
on_http_request:
  - actions:
      - type: saml
        config:
          idp_metadata_url: {url}
          nameid_format: {"persistent" if provider is None else provider.name_format}
          groups_attribute: {"groups" if provider is None else provider.groups_attribute}
          sp_private_key: |
            {indented("sp.key")}
          sp_certificate: |
            {indented("sp.crt")}
          {"" if provider is None else provider.more}
          {more}
      - type: add-headers
        config:
          headers:
            x-user: "${{actions.ngrok.saml.identity.provider_user_id}}"
            x-mail: "${{actions.ngrok.saml.identity.email}}"
            x-groups: "${{actions.ngrok.saml.groups.join(',')}}"
            x-format: "${{actions.ngrok.saml.name_id_format}}"
"""


class Echo(BaseHTTPRequestHandler):
    """An application that tells what it was told."""

    def do_GET(self) -> None:
        content = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
        """Say nothing."""


@contextmanager
def application() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True, kw_only=True)
class Guarded:
    """Penstock with a login by SAML in front of the application."""

    origin: str
    provider: SamlProvider
    log: Path

    def events(self) -> list[dict[str, Any]]:
        lines = self.log.read_text().splitlines()
        return [json.loads(line)["object"] for line in lines if '"http_request_complete' in line]

    def reasons(self) -> list[str | None]:
        return [each["decision"]["reason"] for each in self.events()]


@contextmanager
def guarded(
    folder: Path, start: Start, *, is_encrypted: bool = False, more: str = ""
) -> Iterator[Guarded]:
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    write_keys(folder)
    policy, log, metadata = folder / "policy.yml", folder / "penstock.log", folder / "sp.xml"
    policy.write_text(saml_policy(folder, None, ""))
    command = penstock("saml", "metadata", str(policy), "--url", origin)
    metadata.write_bytes(subprocess.run(command, capture_output=True, check=True).stdout)
    we = Ours(folder=folder, origin=origin, metadata=metadata)
    with start(we, is_encrypted=is_encrypted) as provider, application() as upstream:
        policy.write_text(saml_policy(folder, provider, more))
        command = penstock(
            "http", str(upstream), "--traffic-policy-file", str(policy),
            "--listen", f"127.0.0.1:{port}",
        )  # fmt: skip
        with running(command, port=port, log=log):
            yield Guarded(origin=origin, provider=provider, log=log)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:  # noqa: F811
    context = browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


def sign_in(page: Page, site: Guarded, start: Start) -> None:
    """Do at the provider what it wants."""
    if start is saml_idp:
        page.click("button[type=submit]")
    elif start is simplesamlphp:
        page.fill("#username", "ada")
        page.fill("#password", "secret")
        page.click("#regularsubmit button, #submit_button, button[type=submit]")
    page.wait_for_url(f"{site.origin}/**")


def told(page: Page) -> dict[str, str]:
    """Return what the application has been told."""
    found: dict[str, str] = json.loads(page.locator("pre").inner_text())
    return found


def status(page: Page, site: Guarded) -> int:
    """Ask for something as a script would."""
    headers = {"Accept": "application/json", "Sec-Fetch-Mode": "cors"}
    answer = page.context.request.get(f"{site.origin}/api", headers=headers, max_redirects=0)
    return answer.status


PROVIDERS: dict[str, Start] = {
    "saml-idp": saml_idp,
    "pysaml2": pysaml2,
    "simplesamlphp": simplesamlphp,
}
USERS: dict[Start, tuple[str, str]] = {
    saml_idp: ("saml.jackson@example.com", "Simple IdP Users, West Coast Users, Cloud Users"),
    pysaml2: ("ada-4711", "staff,eng"),
    simplesamlphp: ("ada-4711", "staff,eng"),
}
each_provider = pytest.mark.parametrize("start", PROVIDERS.values(), ids=PROVIDERS)


@each_provider
def test_a_sign_in_a_page_and_a_logout_on_both_sides(
    start: Start, page: Page, tmp_path: Path
) -> None:
    with guarded(tmp_path, start) as site:
        assert status(page, site) == 401
        page.goto(f"{site.origin}/orders?page=2")
        sign_in(page, site, start)
        assert page.url == f"{site.origin}/orders?page=2"
        headers = told(page)
        assert (headers["x-user"], headers["x-groups"]) == USERS[start]
        assert "ngrok" not in headers.get("cookie", "")
        cookies = {each["name"]: each for each in page.context.cookies(site.origin)}
        assert cookies["ngrok.default.session"]["sameSite"] == "Lax"
        assert cookies["ngrok.default.nonce"]["sameSite"] == "None"
        assert cookies["ngrok.default.nonce"]["secure"]
        assert status(page, site) == 200

        page.goto(f"{site.origin}/ngrok/logout")
        expect(page.locator("h1")).to_have_text("You are signed out")
        assert page.url.startswith(f"{site.origin}/ngrok/saml/slo")
        assert status(page, site) == 401
        decided = site.events()[-2]
        assert decided["decision"]["reason"] == "logged-out"


STARTS: dict[Start, str] = {
    saml_idp: "/",
    pysaml2: f"/start?relay={quote(HOSTILE)}",
    simplesamlphp: "/saml2/idp/SSOService.php?spentityid={us}&RelayState=" + quote(HOSTILE),
}


def begin_there(page: Page, site: Guarded, start: Start) -> None:
    """Begin a sign-in at the provider."""
    us = quote(f"{site.origin}/ngrok/saml/metadata")
    page.goto(site.provider.url + STARTS[start].format(us=us))
    sign_in(page, site, start)


@each_provider
def test_a_sign_in_that_the_provider_begins(start: Start, page: Page, tmp_path: Path) -> None:
    with guarded(tmp_path, start, more="allow_idp_initiated: true") as site:
        begin_there(page, site, start)
        page.wait_for_url(f"{site.origin}/")
        assert (told(page)["x-user"], told(page)["x-groups"]) == USERS[start]
        # The usual way works as well.
        page.context.clear_cookies(name="ngrok.default.session")
        page.goto(f"{site.origin}/orders")
        if start is saml_idp:
            sign_in(page, site, start)
        page.wait_for_url(f"{site.origin}/orders")


@each_provider
def test_a_sign_in_that_nobody_here_began_is_refused(
    start: Start, page: Page, tmp_path: Path
) -> None:
    with guarded(tmp_path, start) as site:
        begin_there(page, site, start)
        expect(page.locator("h1")).to_have_text("This sign-in can't be completed")
        assert status(page, site) == 401
        assert "login-not-pending" in site.reasons()


@each_provider
def test_an_encrypted_assertion(start: Start, page: Page, tmp_path: Path) -> None:
    with guarded(tmp_path, start, is_encrypted=True) as site:
        page.goto(f"{site.origin}/orders")
        sign_in(page, site, start)
        page.wait_for_url(f"{site.origin}/orders")
        assert told(page)["x-user"] == USERS[start][0]


ENDS: dict[str, tuple[Start, str, str]] = {
    "saml-idp": (saml_idp, "/signout", "/saml/slo**"),
    "pysaml2 redirect": (pysaml2, "/end", "/slo**"),
    "pysaml2 post": (pysaml2, "/end?post=1", "/slo**"),
    "simplesamlphp": (simplesamlphp, "/saml2/idp/SingleLogoutService.php?ReturnTo=/", "/**"),
}


@pytest.mark.parametrize(("start", "begin", "end"), ENDS.values(), ids=ENDS)
def test_a_logout_that_the_provider_begins(
    start: Start, begin: str, end: str, page: Page, tmp_path: Path
) -> None:
    with guarded(tmp_path, start) as site:
        page.goto(f"{site.origin}/orders")
        sign_in(page, site, start)
        page.wait_for_url(f"{site.origin}/orders")
        assert status(page, site) == 200
        # The last page of one provider has the address of its first.
        with page.expect_response(f"{site.origin}/ngrok/saml/slo**"):
            page.goto(site.provider.url + begin)
        page.wait_for_url(site.provider.url + end)
        assert status(page, site) == 401
        assert "logged-out" in site.reasons()


@each_provider
def test_a_login_that_asks_for_credentials_again(start: Start, page: Page, tmp_path: Path) -> None:
    with guarded(tmp_path, start) as site:
        page.goto(f"{site.origin}/orders")
        sign_in(page, site, start)
        page.wait_for_url(f"{site.origin}/orders")
        page.goto(f"{site.origin}/ngrok/login?redirect_path=/orders")
        # pysaml2 has no page of its own, where it could ask.
        sign_in(page, site, start)
        page.wait_for_url(f"{site.origin}/orders")
        assert told(page)["x-user"] == USERS[start][0]


def test_two_tabs_sign_in_at_once(page: Page, tmp_path: Path) -> None:
    with guarded(tmp_path, simplesamlphp) as site:
        other = page.context.new_page()
        page.goto(f"{site.origin}/orders?tab=one")
        other.goto(f"{site.origin}/orders?tab=two")
        sign_in(page, site, simplesamlphp)
        page.wait_for_url(f"{site.origin}/orders?tab=one")
        sign_in(other, site, simplesamlphp)
        other.wait_for_url(f"{site.origin}/orders?tab=two")
        for each in (page, other):
            each.reload()
            assert told(each)["x-user"] == "ada-4711"


def test_somebody_who_is_in_no_group(page: Page, tmp_path: Path) -> None:
    with guarded(tmp_path, pysaml2, more="authorized_groups: [admins]") as site:
        page.goto(f"{site.origin}/orders")
        expect(page.locator("h1")).to_have_text("You can't use this with the account you chose")
        assert "saml-group-refused" in site.reasons()
        assert status(page, site) == 401


def test_another_browser_gets_nothing_by_an_answer(
    page: Page,
    browser: Browser,  # noqa: F811
    tmp_path: Path,
) -> None:
    """Login CSRF: an attacker's own answer, in the browser of somebody else (SA-15)."""
    with guarded(tmp_path, simplesamlphp) as site:
        page.goto(f"{site.origin}/orders")
        page.route("**/ngrok/saml/acs", lambda route: route.abort())
        page.fill("#username", "ada")
        page.fill("#password", "secret")
        with page.expect_request("**/ngrok/saml/acs") as asked:
            page.click("button[type=submit]")
        victim = browser.new_context()
        answer = victim.request.post(
            f"{site.origin}/ngrok/saml/acs",
            data=asked.value.post_data or "",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            max_redirects=0,
        )
        assert answer.status == 400
        assert victim.cookies() == []
        victim.close()
