"""`res.*` as expressions read it."""

from __future__ import annotations

import pytest

from policy.cel import Duration, ExpressionError
from policy.exchange import Exchange, Response
from policy.fields import Fields
from policy.phase import Phase
from tests import exchanges


def answered(*headers: tuple[str, str]) -> Exchange:
    return exchanges.exchange(
        response=Response(status_code=404, headers=Fields(headers)), phase=Phase.ON_HTTP_RESPONSE
    )


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("res.status_code", 404),
        ("res.status_code >= 400 && res.status_code < 500", True),
        ("res.headers['x-a']", ["1", "2"]),
        ("res.headers['X-NONE'][0]", ""),
        ("size(res.trailers)", 0),
        ("res.content_length", 9),
        ("res.content_encoding", ["gzip"]),
        ("res.content_type", "text/html"),
        ("res.content_type.parameters['charset']", "utf-8"),
        ("res.content_type.raw", "text/html;charset=utf-8"),
        ("res.location", "/x"),
        ("res.cookies['id'][0].value", "long"),
        ("res.cookies['id'][0].path", "/long"),
        ("res.cookies['id'][1].http_only", True),
        ("res.cookies['id'][1].max_age", Duration(60_000_000_000)),
        ("req.method", "GET"),
    ],
)
def test_value(expression: str, expected: object) -> None:
    on = answered(
        ("X-A", "1"),
        ("x-a", "2"),
        ("Content-Length", "9"),
        ("Content-Encoding", "gzip"),
        ("Content-Type", "text/html;charset=utf-8"),
        ("Location", "/x"),
        ("Set-Cookie", "id=short; Path=/; HttpOnly; Max-Age=60"),
        ("Set-Cookie", "id=long; Path=/long"),
    )
    assert exchanges.value(expression, on) == expected


@pytest.mark.parametrize("expression", ["res.status_code == 200", "res.headers['x'][0] == ''"])
def test_the_request_phase_has_no_response(expression: str) -> None:
    with pytest.raises(ExpressionError, match="not available in on_http_request"):
        exchanges.value(expression, exchanges.exchange())
