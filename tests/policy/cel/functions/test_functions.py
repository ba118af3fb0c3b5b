"""What every function gives at its edges; the plain cases are in tests/conformance."""

from __future__ import annotations

from typing import Any

import pytest

from policy.cel import STANDARD_FUNCTIONS, CelError, ExpressionError
from policy.cel.values import Duration, Timestamp, Uint
from tests.policy.cel.requests import Values, compiled, plain

S = 1_000_000_000

GIVES: dict[str, tuple[tuple[str, Any], ...]] = {
    "strings": (
        ("'tacocat'.charAt(7)", ""),
        ("'aXbX'.split('X')", ["a", "b", ""]),
        ("''.split(',')", [""]),
        ("'a b'.split(' ', 0)", []),
        ("'abc'.split('')", ["a", "b", "c"]),
        ("'abc'.replace('', '-')", "-a-b-c-"),
        ("'aaa'.replace('a', 'b', -1)", "bbb"),
        ("'aaa'.replace('a', 'b', 0)", "aaa"),
        ("'\\x1f x\\u2003'.trim()", "\x1f x"),
        ("'ΑΣ'.lower()", "\u03b1\u03c3"),
        ("'straße'.upper()", "STRAßE"),
        ("'ǆ ᾳ ŉ'.upper()", "Ǆ ᾼ ŉ"),
        ("'Éa'.upperAscii()", "ÉA"),
        ("'😀x'.size()", 2),
        ("'😀x'.indexOf('x')", 1),
        ("'abc'.contains('')", True),
        ("['ab', 'c'].contains('b')", True),
        ("[].contains('b')", False),
        ("'%s %s %s'.format([null, true, 1u])", "null true 1"),
        ("'%%%d'.format([5])", "%5"),
        ("'%b %o %X'.format([-5, 8, 'hi'])", "-101 10 6869"),
        ("'%e'.format([1234.5])", "1.234500e+03"),
        ("'%s'.format([[1.0, 'a', b'b', {'k': 2}]])", "[1, a, b, {k: 2}]"),
        ("strings.quote('a\"\\\\\\u0007')", '"a\\"\\\\\\a"'),
    ),
    "conversions": (
        ("string(1.0)", "1"),
        ("string(1e100)", "1e+100"),
        ("string(double('-Infinity'))", "-Infinity"),
        ("int('+7')", 7),
        ("uint('7') == 7u", True),
        ("uint(7.9)", Uint(7)),
        ("bool('t') && !bool('F')", True),
        ("bytes('é')", "é".encode()),
        ("string(timestamp('2026-01-01T00:00:00.120+01:00'))", "2025-12-31T23:00:00.12Z"),
        ("string(timestamp('0001-01-01T00:00:00Z'))", "0001-01-01T00:00:00Z"),
        ("string(duration('-1h0.5s'))", "-3600.5s"),
        ("timestamp(1)", Timestamp(S)),
        ("duration(2)", Duration(2 * S)),
        ("duration('1m1ns')", Duration(60 * S + 1)),
        ("size(b'abc') + [1].size() + {'a': 1}.size()", 5),
    ),
    "time": (
        ("timestamp('2026-12-31T23:59:59.999Z').getMilliseconds()", 999),
        ("timestamp('2024-12-31T00:00:00Z').getDayOfYear()", 365),
        ("timestamp('2026-01-01T00:00:00Z').getFullYear('-01:00')", 2025),
        ("timestamp('2026-01-01T12:00:00Z').getHours('Asia/Kolkata')", 17),
        ("duration('-90s').getMinutes()", -1),
        ("duration('-1.5s').getMilliseconds()", -500),
    ),
    "encodings": (
        ("base64.encode('é')", "w6k="),
        ("base64.encode(b'\\xff')", "/w=="),
        ("'w6k='.decodeBase64()", "é"),
        (
            "json.decode('[1, 1.5, 12345678901234567890, null, true]')",
            [1, 1.5, 12345678901234567890.0, None, True],
        ),
        (
            "json.encode({'b': [b'a', null, 1.0, timestamp('2026-01-01T00:00:00Z')]})",
            '{"b":["YQ==",null,1.0,"2026-01-01T00:00:00Z"]}',
        ),
        ("{'a': {'é': 1}}.encodeJson()", '{"a":{"é":1}}'),
        ("'{'.isJson() || '[NaN]'.isJson() || ''.isJson()", False),
        ("'1'.isJson()", True),
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
    ),
    "hashes": (
        ("'hello'.sha256()", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"),
        ("hash.md5('hello', 'base64')", "XUFAKrxLKna5cZ2REBfFkg=="),
        ("hash.md5('', 'hex') == ''.md5()", True),
        ("hash.sha512('').size()", 128),
    ),
    "networks": (
        ("inCidrRange('2001:db8::1', '2001:db8::/32')", True),
        ("inCidrRange('::ffff:10.0.0.1', '10.0.0.0/8')", True),
        ("inCidrRange('nonsense', '10.0.0.0/8')", False),
        ("inCidrRange('010.0.0.1', '10.0.0.0/8')", False),
        ("inCidrRange(conn.client_ip, test.text)", False),
        ("inCidrRanges('10.0.0.1', ['nonsense', '10.0.0.0/8'])", True),
        ("inCidrRanges('10.0.0.1', [])", False),
        ("inCidrRanges('10.0.0.1', [test.text, '10.0.0.1'])", True),
        ("'192.168.1.1'.isPrivateIp() && !'8.8.8.8'.isPrivateIp() && !''.isPrivateIp()", True),
    ),
    "patterns": (
        ("'ABC'.matches('(?i)b')", True),
        ("matches('abc', 'c$')", True),
        ("'é'.matches('^.$')", True),
        ("'a\\nb'.matches('a.b')", False),
        ("test.text.matches('t' + 'ext')", True),
    ),
    "lists": (
        ("[].join('-')", ""),
        ("[1, [2]].flatten(0)", [1, [2]]),
        ("lists.range(0)", []),
        ("lists.range(-1)", []),
        ("[1, 2].slice(1, 1)", []),
        ("[b'b', b'a'].sort()", [b"a", b"b"]),
    ),
}
ROWS = [(text, wanted) for rows in GIVES.values() for text, wanted in rows]


@pytest.mark.parametrize(("text", "wanted"), ROWS, ids=[text for text, _ in ROWS])
def test_gives(text: str, wanted: Any) -> None:
    found = plain(compiled(text).evaluate(Values()))
    assert found == wanted
    assert type(found) is type(wanted)


FAILS = (
    "'abc'.charAt(4)", "'abc'.charAt(-1)", "'abc'.indexOf('a', 4)", "'abc'.lastIndexOf('a', -1)",
    "'abc'.substring(2, 1)", "'abc'.substring(4)", "[1].slice(0, 2)", "[1].flatten(-1)",
    "'%d'.format(['a'])", "'%d'.format([])", "'%q'.format([1])", "'%f'.format([null])",
    "'%.200f'.format([1.0])", "'%x'.format([1.5])",
    "int('1.5')", "int('')", "int('9223372036854775808')", "int(1e19)", "int(double('NaN'))",
    "uint('-1')", "uint('+1')", "uint(-1)", "uint(1e20)", "double('1,5')", "double('')",
    "bool('yes')", "string(b'\\xff')", "timestamp('2026-02-30T00:00:00Z')",
    "timestamp('2026-01-01')", "timestamp('2026-01-01T00:00:00+25:00')", "duration('1')",
    "duration('')", "duration('300000h') + duration('3000000h')",
    "timestamp('2026-01-01T00:00:00Z').getHours('+99:00')",
    "timestamp('2026-01-01T00:00:00Z').getHours('../etc/passwd')",
    "base64.decode('YQ')", "base64.decode('YQ==\\n')", "base64.decode('é')",
    "'/w=='.decodeBase64()",
    "json.decode('{')", "json.decode('NaN')", "json.encode(double('NaN'))", "json.encode(type(1))",
    "url.unescape('%')", "'a=%z'.decodeQueryString()", "url.parse('http://h:port/')",
    "url.parse('http://[::1/')", "hash.md5('a', 'octal')", "['a', test.any].join()",
    "[test.any, 1].sort()", "[null].sort()", "'a'.matches(test.text + '[')",
    "'a'.matches(test.text.replace('t', '" + "t" * 300 + "'))",
    "{'a': {}}.encodeQueryString()", "{test.any: 1, 'x': test.any.y}",
)  # fmt: skip


@pytest.mark.parametrize("text", FAILS)
def test_fails(text: str) -> None:
    with pytest.raises((CelError, ExpressionError)):
        compiled(text).evaluate(Values())


def test_every_function_says_what_it_is_for() -> None:
    assert [function.name for function in STANDARD_FUNCTIONS if not function.doc] == []


def test_names_are_declared_once() -> None:
    names = [function.name for function in STANDARD_FUNCTIONS]
    assert len(names) == len(set(names))
