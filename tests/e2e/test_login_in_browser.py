"""People log in through Penstock to an application, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.conftest import Site
from tests.e2e.openid_provider import OpenIdProvider, login_policy, openid_provider
from tests.e2e.processes import free_port, penstock, running
from tests.e2e.test_browser import browser  # noqa: F401 - the fixture

PATIENCE_MS = 20_000


@dataclass(frozen=True)
class Guarded:
    """Penstock with a login in front of the application."""

    origin: str
    provider: OpenIdProvider
    log: Path


@pytest.fixture(scope="module")
def guarded(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("login")
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    policy, log = folder / "policy.yml", folder / "penstock.log"
    with openid_provider(folder, [origin]) as provider:
        policy.write_text(login_policy(provider))
        command = penstock(
            "http", str(site.upstream_port), "--traffic-policy-file", str(policy),
            "--listen", f"127.0.0.1:{port}",
        )  # fmt: skip
        with running(command, port=port, log=log):
            yield Guarded(origin=origin, provider=provider, log=log)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:  # noqa: F811
    opened = browser.new_context()
    opened.set_default_timeout(PATIENCE_MS)
    yield opened
    opened.close()


def fill_in(page: Page, name: str = "alice") -> None:
    """Say who one is on the provider's page, and agree to everything."""
    page.fill('input[name="login"]', name)
    page.fill('input[name="password"]', "any")
    page.click('button[type="submit"]')


def log_in(page: Page, url: str) -> None:
    page.goto(url)
    fill_in(page)
    page.wait_for_url(url)


def test_a_login_leads_to_the_page_its_socket_and_its_events(
    guarded: Guarded, context: BrowserContext
) -> None:
    page = context.new_page()
    log_in(page, f"{guarded.origin}/room.html")
    expect(page.locator("body[data-events=open][data-chat=open]")).to_be_attached()
    # Others may have said it too: the room is one for all tests of this process.
    expect(page.locator("#chat li").first).to_have_text("hello from the browser")


def test_two_tabs_log_in_at_once(guarded: Guarded, context: BrowserContext) -> None:
    one, other = context.new_page(), context.new_page()
    one.goto(f"{guarded.origin}/?tab=one")
    other.goto(f"{guarded.origin}/?tab=two")
    fill_in(one)
    one.wait_for_url(f"{guarded.origin}/?tab=one")
    fill_in(other)
    other.wait_for_url(f"{guarded.origin}/?tab=two")
    for page in (one, other):
        page.reload()
        expect(page.locator("h1")).to_have_text("Site")
    names = [each["name"] for each in context.cookies(guarded.origin)]
    assert sorted(name for name in names if name.startswith("ngrok")) == [
        "ngrok.default.nonce",
        "ngrok.default.session",
    ]


def test_back_and_reload_never_show_an_error(guarded: Guarded, context: BrowserContext) -> None:
    page = context.new_page()
    statuses: list[int] = []
    page.on(
        "response",
        lambda answer: (
            statuses.append(answer.status)
            if urlsplit(answer.url).netloc == urlsplit(guarded.origin).netloc
            and not answer.url.endswith("/favicon.ico")
            else None
        ),
    )
    log_in(page, f"{guarded.origin}/index.html")
    page.reload()
    page.goto(f"{guarded.origin}/room.html")
    page.go_back()
    page.reload()
    callback = next(each for each in guarded.log.read_text().split('"') if "/callback?" in each)
    page.goto(f"{guarded.origin}/ngrok/oauth2/callback?state=stale&code={len(callback)}")
    expect(page.locator("h1")).to_have_text("Site")
    assert max(statuses) < 400


def test_a_logout_ends_open_streams_and_scripts_are_told(
    guarded: Guarded, context: BrowserContext
) -> None:
    room, other = context.new_page(), context.new_page()
    log_in(room, f"{guarded.origin}/room.html")
    room.evaluate(
        """() => new Promise((resolve) => {
            const socket = new WebSocket(`ws://${location.host}/chat`);
            socket.onopen = resolve;
            socket.onclose = (event) => { document.body.dataset.code = event.code; };
        })"""
    )
    other.goto(f"{guarded.origin}/ngrok/logout")
    # The provider asks too, and then sends back here.
    other.click('button[value="yes"]')
    other.wait_for_url(f"{guarded.origin}/ngrok/logout**")
    expect(other.locator("h1")).to_have_text("You are signed out")
    expect(room.locator("body[data-code='1008']")).to_be_attached(timeout=PATIENCE_MS)
    answer = room.evaluate(
        """async () => {
            const answer = await fetch('/index.html', {headers: {accept: 'application/json'}});
            return [answer.status, answer.redirected, await answer.json()];
        }"""
    )
    status, was_redirected, content = answer
    assert (status, was_redirected) == (401, False)
    assert content["login_url"].startswith(f"{guarded.origin}/ngrok/login")


def test_a_form_that_comes_too_late_shows_a_page(guarded: Guarded, context: BrowserContext) -> None:
    page = context.new_page()
    log_in(page, f"{guarded.origin}/index.html")
    context.clear_cookies(name="ngrok.default.session")
    page.evaluate(
        """() => {
            const form = document.createElement('form');
            form.method = 'post';
            form.action = '/upload/';
            document.body.append(form);
            form.submit();
        }"""
    )
    expect(page.locator("h1")).to_have_text("You are not signed in")
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()


def test_pages_are_readable_on_a_phone(
    guarded: Guarded,
    browser: Browser,  # noqa: F811
    tmp_path: Path,
) -> None:
    phone = browser.new_context(viewport={"width": 360, "height": 640})
    page = phone.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.goto(f"{guarded.origin}/ngrok/oauth2/callback?state=nobody&code=1")
    expect(page.locator("h1")).to_have_text("This sign-in can't be completed")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate("getComputedStyle(document.querySelector('main')).borderRadius") == "12px"
    expect(page.locator("footer code")).not_to_be_empty()
    page.screenshot(path=tmp_path / "phone.png")
    assert not [each for each in problems if "Content Security Policy" in each]
    phone.close()
