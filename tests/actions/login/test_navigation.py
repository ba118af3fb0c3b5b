"""What a request shows about how it came about."""

from __future__ import annotations

import pytest

from actions.login.navigation import (
    is_foreign_websocket,
    is_from_elsewhere,
    is_navigation,
    is_preflight,
    is_subresource,
)
from tests import exchanges

ORIGIN = "https://orders.example.com"


@pytest.mark.parametrize(
    ("method", "headers", "expected"),
    [
        ("GET", {}, True),
        ("HEAD", {}, True),
        ("GET", {"Accept": "text/html,application/xhtml+xml"}, True),
        ("GET", {"Accept": "*/*"}, True),
        ("GET", {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, True),
        ("GET", {"Accept": "application/json"}, False),
        ("GET", {"Sec-Fetch-Mode": "cors"}, False),
        ("GET", {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, False),
        ("GET", {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "script"}, False),
        ("GET", {"X-Requested-With": "XMLHttpRequest"}, False),
        ("GET", {"Upgrade": "websocket"}, False),
        ("POST", {"Accept": "text/html"}, False),
        ("OPTIONS", {}, False),
    ],
)
def test_d2_38_navigations(method: str, headers: dict[str, str], expected: bool) -> None:  # noqa: FBT001
    request = exchanges.request(method=method, headers=headers.items())
    assert is_navigation(request) is expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, False),
        ({"Sec-Fetch-Site": "same-origin"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Origin": ORIGIN}, True),
        ({"Origin": ORIGIN}, False),
        ({"Origin": "null"}, True),
        ({"Origin": "https://orders.example.com.evil.example"}, True),
        ({"Origin": "http://orders.example.com"}, True),
        ({"Referer": f"{ORIGIN}/page"}, False),
        ({"Referer": ORIGIN}, False),
        ({"Referer": f"{ORIGIN}.evil.example/"}, True),
        ({"Referer": f"{ORIGIN}@evil.example/"}, True),
    ],
)
def test_oa_16_requests_from_elsewhere(headers: dict[str, str], expected: bool) -> None:  # noqa: FBT001
    assert is_from_elsewhere(exchanges.request(headers=headers.items()), ORIGIN) is expected


def test_a_frame_is_a_subresource_and_a_page_is_not() -> None:
    frame = exchanges.request(headers=[("Sec-Fetch-Dest", "iframe")])
    page = exchanges.request(
        headers=[("Sec-Fetch-Dest", "document"), ("Sec-Fetch-Mode", "navigate")]
    )
    assert is_subresource(frame)
    assert not is_subresource(page)


def test_a_preflight_is_an_options_with_both_fields() -> None:
    fields = [("Origin", "https://a.example"), ("Access-Control-Request-Method", "PUT")]
    assert is_preflight(exchanges.request(method="OPTIONS", headers=fields))
    assert not is_preflight(exchanges.request(method="GET", headers=fields))
    assert not is_preflight(exchanges.request(method="OPTIONS", headers=fields[:1]))


def test_t_ws_1_only_browsers_on_other_pages_are_foreign() -> None:
    upgrade = ("Upgrade", "WebSocket")
    foreign = [upgrade, ("Origin", "https://evil.example")]
    own = [upgrade, ("Origin", "https://ORDERS.example.com")]
    assert is_foreign_websocket(exchanges.request(headers=foreign), ORIGIN)
    assert not is_foreign_websocket(exchanges.request(headers=own), ORIGIN)
    assert not is_foreign_websocket(exchanges.request(headers=[upgrade]), ORIGIN)
    assert not is_foreign_websocket(exchanges.request(headers=foreign[1:]), ORIGIN)
