"""A small request environment for expression tests: the variables that most of them read."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from policy.cel import (
    STANDARD_FUNCTIONS,
    CelError,
    Environment,
    Expression,
    ExpressionError,
    Limits,
    Timestamp,
    Variable,
    compile_expression,
)
from policy.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    UINT,
    CelType,
    ListType,
    MapType,
    NullableType,
    ObjectType,
)
from policy.cel.values import FieldMap, Uint
from policy.phase import HTTP_PHASES, RESPONSE_PHASES, Phase

STRINGS = ListType(STRING, missing="")
FIELDS = MapType(STRING, STRINGS, missing=(), folded=True)
RESULT = ObjectType(
    "restrict_ips",
    {"action": STRING, "error": ObjectType("error", {"code": STRING}, nullable=True)},
    nullable=True,
)

VARIABLES = (
    ("conn.client_ip", STRING, Phase),
    ("conn.client_ip.is_tor_node", BOOL, Phase),
    ("conn.client_port", INT, Phase),
    ("conn.ts.start", TIMESTAMP, Phase),
    ("req.method", STRING, HTTP_PHASES),
    ("req.host", STRING, HTTP_PHASES),
    ("req.headers", FIELDS, HTTP_PHASES),
    ("req.url", STRING, HTTP_PHASES),
    ("req.url.path", STRING, HTTP_PHASES),
    ("req.url.query_params", MapType(STRING, STRINGS, missing=()), HTTP_PHASES),
    ("req.cookies", MapType(STRING, ListType(DYN), missing=()), HTTP_PHASES),
    ("req.ts.body_received", NullableType(TIMESTAMP), HTTP_PHASES),
    ("res.status_code", INT, RESPONSE_PHASES),
    ("vars", MapType(STRING, DYN, missing=None), Phase),
    ("actions.ngrok.restrict_ips", RESULT, Phase),
    ("test.any", DYN, Phase),
    ("test.text", STRING, Phase),
    ("test.bytes", BYTES, Phase),
    ("test.double", DOUBLE, Phase),
    ("test.uint", UINT, Phase),
    ("test.numbers", ListType(INT), Phase),
)


class Values:
    """An activation with fixed values; tests override what they need."""

    conn_client_ip = "203.0.113.7"
    conn_client_ip_is_tor_node = False
    conn_client_port = 51324
    conn_ts_start = Timestamp(1_770_000_000_000_000_000)
    req_method = "GET"
    req_host = "app.example.com"
    req_headers = FieldMap({"host": ["app.example.com"], "x-tag": ["a", "b"]})
    req_url = "https://app.example.com/admin/users"
    req_url_path = "/admin/users"
    req_url_query_params: Mapping[str, list[str]] = {"q": ["1"]}
    req_cookies: Mapping[str, list[Any]] = {"session": ["abc"]}
    req_ts_body_received = None
    res_status_code = 404
    res_headers = FieldMap({"content-type": ["text/html"]})
    res_cookies: Mapping[str, list[Any]] = {}
    actions_ngrok_restrict_ips = None
    test_any: Any = None
    test_text = "text"
    test_bytes = b"\xff\x00"
    test_double = 1.5
    test_uint = Uint(7)
    test_numbers = (3, 1, 2)

    def __init__(self, **values: Any) -> None:
        self.vars: dict[str, Any] = {}
        self.__dict__.update(values)

    @property
    def exchange(self) -> Any:
        """Where functions look for fields."""
        request = SimpleNamespace(headers=self.req_headers)
        return SimpleNamespace(request=request, response=SimpleNamespace(headers=self.res_headers))

    def random_fraction(self) -> float:
        return 0.25

    def random_integer(self, low: int, high: int) -> int:
        assert low >= 0
        return high

    def secret(self, vault: str, name: str) -> str | None:
        return "s3cret" if (vault, name) == ("main", "key") else None


def environment(phase: Phase = Phase.ON_HTTP_REQUEST, **options: Any) -> Environment:
    """Return the environment of a phase over the test variables."""
    options.setdefault("limits", Limits())
    return Environment(
        phase=phase,
        variables=[
            Variable(
                name=name,
                type=kind,
                attribute=name.replace(".", "_"),
                phases=frozenset(phases),
            )
            for name, kind, phases in VARIABLES
        ],
        functions=STANDARD_FUNCTIONS,
        **options,
    )


REQUEST = environment()


def compiled(text: str, expect: CelType | None = None, **options: Any) -> Expression:
    """Compile an expression in the request phase."""
    where = environment(**options) if options else REQUEST
    return compile_expression(text, where, expect=expect)


def value_of(text: str, **values: Any) -> Any:
    """Return the value of an expression; lists come out as lists, whatever holds them."""
    return plain(compiled(text).evaluate(Values(**values)))


def plain(value: Any) -> Any:
    """Turn tuples into lists, at any depth, to compare with."""
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def assert_gives(text: str, wanted: Any, **values: Any) -> None:
    """Compare a value with its type: 1, 1.0 and true are equal in Python."""
    found = value_of(text, **values)
    assert found == wanted
    assert type(found) is type(wanted)


def failure_code(text: str, **values: Any) -> str:
    """Return the code with which an expression is refused at load or fails at run time."""
    with pytest.raises((CelError, ExpressionError)) as failed:
        compiled(text).evaluate(Values(**values))
    if isinstance(failed.value, ExpressionError):
        return failed.value.findings[0].code
    assert isinstance(failed.value, CelError)
    return failed.value.code


__all__ = [
    "REQUEST",
    "Values",
    "assert_gives",
    "compiled",
    "environment",
    "failure_code",
    "plain",
    "value_of",
]
