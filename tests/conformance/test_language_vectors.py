"""The language's own samples (language spec, section 4.1)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.policy.cel.requests import value_of

VECTORS: tuple[tuple[str, Any], ...] = (
    ("hash.crc32('engine')", "e8a81a8d"),
    ("'engine'.crc32('base64')", "6KgajQ=="),
    ("hash.crc64('engine')", "32dd8991bd82e000"),
    ("hash.xxhash64('engine')", "0df404188f437f3e"),
    ("'engine'.md5()", "ad1943a9fd6d3d7ee1e6af41a5b0d3e7"),
    ("'engine'.sha1()", "c64033672f5ca984dfe962909671961e8012f0c5"),
    ("hash.crc32('hello')", "3610a686"),
    ("hash.crc64('hello')", "3c3eeee2d8100000"),
    ("hash.xxhash64('hello')", "26c7827d889f6da3"),
    ("basic_auth.encode('dana', 'pa55word!')", "Basic ZGFuYTpwYTU1d29yZCE="),
    ("string(base64.decode('ZGFuYQ=='))", "dana"),
    ("'dana'.encodeBase64()", "ZGFuYQ=="),
    ("""json.decode('{"n":[1,2]}').n[1]""", 2),
    ("[1,'a'].encodeJson()", '[1,"a"]'),
    ("'k=v&n=7'.decodeQueryString()['n']", "7"),
    ("{'z':'1','a':'2'}.encodeQueryString()", "a=2&z=1"),
    ("url.parse('https://h.test:8443/p?q=1').host", "h.test:8443"),
    ("url.escape('a b/ü')", "a+b%2F%C3%BC"),
    ("url.unescape('%2Fx')", "/x"),
    ("inCidrRange('10.1.2.3', '10.1.0.9/16')", True),
    ("inCidrRange('10.1.2.3', 'nonsense')", False),
    ("'172.31.0.1'.isPrivateIp()", True),
    ("'172.32.0.1'.isPrivateIp()", False),
    ("'fd00::1'.isPrivateIp()", False),
    ("'a.b.c'.split('.', 2)", ["a", "b"]),
    ("'a,b,c'.split(',', 2)", ["a", "b"]),
    ("'x y'.split()", ["x", "y"]),
    ("'banana'.replace('a', 'o', 2)", "bonona"),
    ("'banana'.lastIndexOf('an', 2)", 1),
    ("'abc'.charAt(3)", ""),
    ("'abc'.substring(1)", "bc"),
    ("'İX'.lower()", "ix"),
    ("'Straße'.lowerAscii()", "straße"),
    ("[1,[2,[3]]].flatten()", [1, 2, [3]]),
    ("[1,[2,[3]]].flatten(2)", [1, 2, 3]),
    ("[3,1,2].sort()", [1, 2, 3]),
    ("['bb','a'].sortBy(s, size(s))", ["a", "bb"]),
    ("[1,1,2].distinct()", [1, 2]),
    ("lists.range(3).map(i, i > 0, i * 10)", [10, 20]),
    ("{'a':1,'b':2}.filter(k, k != 'a')", ["b"]),
    ("'%s=%d (%x)'.format(['n', 255, 255])", "n=255 (ff)"),
    ("'%.1f'.format([2.0])", "2.0"),
    ("timestamp('2026-03-01T00:30:00Z').getDate('America/New_York')", 28),
    ("timestamp('2026-03-01T00:30:00Z').getMonth()", 2),
    ("timestamp('2026-03-01T00:30:00Z').getDayOfMonth()", 0),
    ("timestamp('2026-03-01T00:30:00Z').getDayOfWeek()", 0),
    ("duration('90m').getHours()", 1),
    ("duration('2.5s').getMilliseconds()", 500),
    ("strings.quote('tab\there')", '"tab\\there"'),
    ("has(req.headers['x-none'])", False),
    ("req.headers['x-none']", []),
    ("req.headers['x-none'][0]", ""),
    ("req.headers.exists_one(x, x == 'host')", True),
)


@pytest.mark.parametrize(("text", "wanted"), VECTORS, ids=[text for text, _ in VECTORS])
def test_vector(text: str, wanted: Any) -> None:
    found = value_of(text)
    assert found == wanted
    assert type(found) is type(wanted)
