"""URLs and query strings, taken apart and put together."""

from __future__ import annotations

from typing import Any

import pytest

from tests.policy.cel.requests import assert_gives, failure_code


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "'a=1&a=2&b=&c&%61%20=x+y'.decodeQueryString()",
            {"a": "1", "b": "", "c": "", "a ": "x y"},
        ),
        ("{'k': ['1', '2'], 'a': 3}.encodeQueryString()", "a=3&k=1&k=2"),
        ("'a=1&b=2'.isQueryString()", True),
        ("'word'.isQueryString() || '=1'.isQueryString() || 'a=%zz'.isQueryString()", False),
        ("url.escape(';/$ ~-._')", "%3B%2F%24+~-._"),
        ("'a+b%2B'.unescapeUrl()", "a b+"),
        (
            "url.parse('https://u:p@[::1]:8443/a%20b+c?q=%20#f')",
            {
                "scheme": "https",
                "user": "u:p",
                "host": "[::1]:8443",
                "hostname": "::1",
                "port": "8443",
                "path": "/a b+c",
                "query": "q=%20",
                "raw_query": "q=%20",
                "fragment": "f",
                "opaque": "",
            },
        ),
        ("url.parse('mailto:dana@example.com').opaque", "dana@example.com"),
        ("url.parse('/only/path').path", "/only/path"),
        ("'https://h'.isURL() && !'/path'.isURL() && !'http://a b/'.isURL()", True),
    ],
    ids=str,
)
def test_urls_are_taken_apart_and_put_together(text: str, wanted: Any) -> None:
    assert_gives(text, wanted)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("url.unescape('%')", "always-fails"),
        ("'a=%z'.decodeQueryString()", "always-fails"),
        ("url.parse('http://h:port/')", "always-fails"),
        ("url.parse('http://[::1/')", "always-fails"),
        ("{'a': {}}.encodeQueryString()", "no-such-overload"),
    ],
)
def test_what_is_no_url_or_query_is_an_error(text: str, code: str) -> None:
    assert failure_code(text) == code
