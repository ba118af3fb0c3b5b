"""`getReqCookie` and `getResCookie`."""

from __future__ import annotations

import pytest

from policy.cel import ExpressionError
from policy.exchange import Response
from policy.fields import Fields
from policy.phase import Phase
from tests import exchanges

ON_REQUEST = exchanges.exchange(
    exchanges.request(headers=[("Cookie", "id=first; id=second; theme=dark")])
)
ON_RESPONSE = exchanges.exchange(
    response=Response(
        status_code=200,
        headers=Fields([("Set-Cookie", "id=short; Path=/"), ("Set-Cookie", "id=long; Path=/a/b")]),
    ),
    phase=Phase.ON_HTTP_RESPONSE,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("getReqCookie('id').value", "first"),
        ("getReqCookie('theme').value", "dark"),
        ("getReqCookie('ID').value", ""),
        ("getReqCookie('none').secure", False),
        ("getReqCookie('none').expires", None),
    ],
)
def test_the_first_request_cookie_of_a_name_counts(text: str, expected: object) -> None:
    assert exchanges.value(text, ON_REQUEST) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("getResCookie('id').value", "long"), ("getResCookie('no').path", "")]
)
def test_the_response_cookie_with_the_longest_path_counts(text: str, expected: object) -> None:
    assert exchanges.value(text, ON_RESPONSE) == expected


def test_there_are_no_response_cookies_before_the_response() -> None:
    with pytest.raises(ExpressionError) as refused:
        exchanges.value("getResCookie('id').value", ON_REQUEST)
    assert refused.value.findings[0].code == "not-in-phase"
