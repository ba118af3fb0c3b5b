"""Where browsers may be sent after a login or logout (T-RD-*)."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.login.return_target import HOME, asked_target, login_path, own_target, safe_target
from policy.url import UrlError, parse_request_target
from tests import exchanges

GOOD = [
    "/",
    "/orders",
    "/a/b?c=d&e=%2F",
    "/a%3Bb",
    "/?next=https://other.example/",
    "/ngrok",
    "/~u",
]
HOSTILE = {
    "scheme-relative": "//evil.example",
    "three slashes": "///evil.example",
    "backslash": "/\\evil.example",
    "encoded backslash": "/%5Cevil.example",
    "encoded slash": "/%2Fevil.example",
    "tab": "/\t/evil.example",
    "encoded tab": "/%09/evil.example",
    "space": "/ /evil.example",
    "half a scheme": "https:evil.example",
    "whole URL": "https://evil.example/",
    "script": "javascript:alert(1)",
    "data": "data:text/html,x",
    "user": "/@evil.example@",
    "line break": "/a\r\nX: 1",
    "encoded line break": "/a%0d%0aX:1",
    "nul": "/a%00",
    "long": "/" + "a" * 10_000,
    "empty": "",
    "relative": "orders",
    "dots": "/a/../b",
    "encoded dots": "/%2e%2e/b",
    "fragment": "/a#b",
    "homograph": "/ex\u0430mple",
    "a login again": "/ngrok/login",
    "a logout": "/ngrok/logout?redirect_path=/",
    "quotes": '/a?"><script>',
    "empty query": "/a?",
}
# A path of ours all the same: the at sign means nothing behind a slash.
HARMLESS = {"user"}


@pytest.mark.parametrize("target", GOOD)
def test_a_path_of_ours_is_followed_as_it_is(target: str) -> None:
    assert safe_target(target) == target


@pytest.mark.parametrize("name", HOSTILE)
def test_t_rd_1_everything_else_leads_home(name: str) -> None:
    found = safe_target(HOSTILE[name])
    assert (found is None) is (name not in HARMLESS)


@given(st.text(alphabet=st.sampled_from("/\\:@?#%.aE2f059\t\r\n httpsnrok"), max_size=40))
def test_what_is_followed_stays_with_us_however_it_is_read(text: str) -> None:
    target = safe_target(text)
    if target is None:
        return
    assert target == text
    parts = urlsplit(target)
    assert (parts.scheme, parts.netloc) == ("", "")
    try:
        again = parse_request_target(target, scheme="https", authority="a.example")
    except UrlError:
        raise AssertionError(target) from None
    assert again.uri == target


def test_of_several_targets_none_is_followed() -> None:
    request = exchanges.request("/ngrok/login?redirect_path=/a&redirect_path=/b")
    assert asked_target(request) == HOME


def test_a_form_that_was_sent_is_not_repeated_as_a_page() -> None:
    assert own_target(exchanges.request("/pay?x=1", method="POST")) == HOME
    assert own_target(exchanges.request("/pay?x=1")) == "/pay?x=1"


def test_a_login_path_keeps_its_target_and_its_name() -> None:
    assert login_path(None, HOME) == "/ngrok/login"
    path = login_path("b", "/a?x=1&y=2")
    request = exchanges.request(path)
    assert asked_target(request) == "/a?x=1&y=2"
    assert request.url.query_params["auth_id"] == ["b"]
