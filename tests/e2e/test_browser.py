"""A real browser on a real site behind Penstock."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from tests.e2e import debian
from tests.e2e.conftest import Site

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = debian.need("chromium", "chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page()
    yield opened
    opened.close()


def test_a_page_loads_and_carries_what_the_policy_added(site: Site, page: Page) -> None:
    response = page.goto(site.url)
    assert response is not None
    assert response.status == 200
    assert response.headers["x-guarded-by"] == "penstock"
    expect(page.locator("h1")).to_have_text("Site")


def test_a_denied_page_shows_nothing_of_the_site(site: Site, page: Page) -> None:
    page.goto(site.url)
    # A denial has no body; the browser shows an error page of its own, which ends the navigation.
    with (
        page.expect_response(f"{site.url}/admin") as answered,
        pytest.raises(Error, match="ERR_HTTP_RESPONSE_CODE_FAILURE"),
    ):
        page.goto(f"{site.url}/admin")
    assert answered.value.status == 403


def test_events_and_web_socket_messages_reach_the_page(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/room.html")
    expect(page.locator("body[data-events=open][data-chat=open]")).to_be_attached()
    expect(page.locator("#chat li")).to_have_text(["hello from the browser"])
    for number in range(3):
        data = f"event {number}".encode()
        request = urllib.request.Request(f"{site.url}/publish", data=data, method="POST")
        urllib.request.urlopen(request, timeout=10).close()
    expect(page.locator("#events li")).to_have_text(["event 0", "event 1", "event 2"])
