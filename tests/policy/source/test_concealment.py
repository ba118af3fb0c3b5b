"""Messages show source lines, never the secrets in them."""

from __future__ import annotations

import pytest

from policy.source.concealment import concealed

HIDDEN = [
    ("  password: hunter2 # mine", "  password: ******* # mine"),
    ('{"client_secret": "abc", "b": 1}', '{"client_secret": "***", "b": 1}'),
    ("credentials: [a:xy, 'b:z'], realm: here", "credentials: [****, '***'], realm: here"),
    ('config: {credentials: ["a:xyz"]}', 'config: {credentials: ["*****"]}'),
    ("  - alice:hunter2", "  - alice:*******"),
    ('  - "alice:hunter 2"', '  - "alice:****** *"'),
    ("API-Key:   k", "API-Key:   *"),
    ("store: redis://:hunter2@host/0", "store: redis://:*******@host/0"),
    ("url: rediss://app:p@ss@host", "url: rediss://app:****@host"),
]
SHOWN = [
    "  - https://example.com/",
    "url: http://app.example.com:8080/a@b",
    "  - 10.0.0.0/8",
    "  - fe80::1/200",
    "  - type:deny",
    "  - req.url.path == '/a' ? true : false",
    "client_secret: ${secrets.get('v', 'k')}",
    'client_secret: "${secrets.gt(1)}"',
    "secrets: {vaults: {a: b}}",
    "  credentials:",
    "realm: here",
]


@pytest.mark.parametrize(("line", "shown"), HIDDEN)
def test_what_looks_like_a_secret_is_hidden(line: str, shown: str) -> None:
    assert concealed(line) == shown
    assert len(shown) == len(line)


@pytest.mark.parametrize("line", SHOWN)
def test_everything_else_is_shown(line: str) -> None:
    assert concealed(line) == line
